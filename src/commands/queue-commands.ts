import { clockTime } from "../base/duration.ts";
import { BotError } from "../base/errors.ts";
import { render, type Sentence } from "../base/messages/catalogue.ts";
import { etasMs, type Track } from "../player/queue.ts";
import type { Command, Invocation } from "./command.ts";
import { trackLine, trackName } from "./format.ts";
import { parsePositions } from "./positions.ts";
import type { RoomContext } from "./room-context.ts";
import { usageOf } from "./usage.ts";
import { powerOver } from "./who-may.ts";

const PAGE = 10;

/** The page that somebody asks for: the last one when there are not so many; null when it is no number. */
function pageOf<T>(all: readonly T[], args: string): { page: number; pages: number; shown: T[] } | null {
  const asked = args === "" ? 1 : /^\d{1,4}$/.test(args) ? Number(args) : 0;
  if (asked === 0) return null;
  const pages = Math.max(1, Math.ceil(all.length / PAGE));
  const page = Math.min(asked, pages);
  return { page, pages, shown: all.slice((page - 1) * PAGE, page * PAGE) };
}

const queue: Command = {
  name: "queue",
  aliases: ["q"],
  usage: "[{page}]",
  help: "help.queue",
  power: 0,
  order: "once",
  run({ room, args }) {
    const state = room.player.state();
    const { upcoming } = state;
    const etas = etasMs(state);
    const lines = upcoming.map((track, index) => ({ track, position: index + 1, eta: etas[index] ?? null }));
    const part = pageOf(lines, args);
    if (!part) throw usageOf(queue, room);
    if (!state.now && upcoming.length === 0) return { key: "player.nothing" };
    const now = firstLine(room);
    if (upcoming.length === 0) return { key: "player.queue_none", params: { now } };
    const list = part.shown.map((line) => waitingLine(line, room)).join("\n");
    const knownMs = upcoming.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0);
    const atLeast = upcoming.some(({ durationMs }) => durationMs === null) ? "≥ " : "";
    const total = atLeast + clockTime(knownMs);
    const { page, pages } = part;
    const params = { now, list, count: upcoming.length, total, page, pages };
    return { key: pages > 1 ? "player.queue_page" : "player.queue", params };
  },
};

/** What is on, and what comes again. */
function firstLine({ player, language }: RoomContext): string {
  const { now, loop } = player.state();
  const first = now ? `▶ ${trackLine(now.track)}` : render({ key: "player.nothing" }, language).text;
  return loop === "off" ? first : `${first} – ${render({ key: `loop.${loop}` }, language).text}`;
}

interface Waiting {
  track: Track;
  position: number;
  eta: number | null;
}

function waitingLine({ track, position, eta }: Waiting, room: RoomContext): string {
  const params = { position, title: trackLine(track), requester: room.displayName(track.requester) };
  const line: Sentence =
    eta === null
      ? { key: "player.queue_line", params }
      : { key: "player.queue_line_eta", params: { ...params, eta: clockTime(eta) } };
  return render(line, room.language).text;
}

const history: Command = {
  name: "history",
  aliases: [],
  usage: "[{page}]",
  help: "help.history",
  power: 0,
  order: "once",
  run({ room, args }) {
    const latestFirst = room.player.state().history.toReversed();
    const lines = latestFirst.map((track, index) => `${index + 1}. ${trackLine(track)}`);
    const part = pageOf(lines, args);
    if (!part) throw usageOf(history, room);
    if (lines.length === 0) return { key: "player.no_history" };
    const { page, pages, shown } = part;
    const params = { list: shown.join("\n"), page, pages };
    return { key: pages > 1 ? "player.history_page" : "player.history", params };
  },
};

/** The tracks that somebody means by their places; none when what they wrote is nothing of that kind. */
function meant({ room, args }: Invocation): Track[] {
  const upcoming = room.player.queue();
  const positions = parsePositions(args, upcoming.length);
  return positions?.kind === "these" ? positions.indexes.flatMap((index) => upcoming[index] ?? []) : [];
}

/** @throws BotError `not_found` */
function requirePosition(position: number, count: number): void {
  if (position >= 1 && position <= count) return;
  throw new BotError("not_found", "no such position", {
    say:
      count === 0
        ? { key: "player.nothing_waits" }
        : { key: "player.no_position", params: { position, count } },
  });
}

const remove: Command = {
  name: "remove",
  refusal: "error.not_yours",
  djs: true,
  aliases: [],
  usage: "3|2-5|2,4-6",
  help: "help.remove",
  power: (invocation) => powerOver(meant(invocation), invocation),
  order: "once",
  run(invocation) {
    const { room, args } = invocation;
    const count = room.player.queue().length;
    const positions = parsePositions(args, count);
    if (!positions) throw usageOf(remove, room);
    if (positions.kind === "not_there") requirePosition(positions.position, count);
    const removed = room.player.edit.remove(meant(invocation).map(({ id }) => id));
    const [first] = removed;
    if (removed.length !== 1 || !first)
      return { key: "player.removed_many", params: { count: removed.length } };
    return { key: "player.removed", params: { title: trackName(first) } };
  },
};

/** "3 1": what is at 3 goes to 1. */
function moveOf(args: string): { from: number; to: number } | null {
  const [, from, to] = /^(\d{1,4})\s+(\d{1,4})$/.exec(args) ?? [];
  return from === undefined || to === undefined ? null : { from: Number(from), to: Number(to) };
}

const move: Command = {
  name: "move",
  refusal: "error.not_yours",
  djs: true,
  aliases: [],
  usage: "3 1",
  help: "help.move",
  power(invocation) {
    const asked = moveOf(invocation.args);
    if (!asked) return 0;
    // Letting others go first takes nothing from them.
    const { from, to } = asked;
    const upcoming = invocation.room.player.queue();
    // The answer is that there is no such position.
    if (Math.min(from, to) < 1 || Math.max(from, to) > upcoming.length) return 0;
    return powerOver(upcoming.slice(Math.min(from, to) - 1, from), invocation);
  },
  order: "once",
  run({ room, args }) {
    const asked = moveOf(args);
    if (!asked) throw usageOf(move, room);
    const upcoming = room.player.queue();
    requirePosition(asked.from, upcoming.length);
    requirePosition(asked.to, upcoming.length);
    const track = upcoming[asked.from - 1];
    if (!track) throw usageOf(move, room);
    room.player.edit.move(track.id, asked.to - 1);
    return { key: "player.moved", params: { title: trackName(track), position: asked.to } };
  },
};

const clear: Command = {
  name: "clear",
  refusal: "error.not_yours",
  djs: true,
  aliases: [],
  usage: "",
  help: "help.clear",
  power: (invocation) => powerOver(invocation.room.player.queue(), invocation),
  order: "once",
  run: ({ room }) => ({ key: "player.cleared", params: { count: room.player.edit.clear().length } }),
};

const shuffle: Command = {
  name: "shuffle",
  refusal: "error.not_yours",
  djs: true,
  aliases: [],
  usage: "",
  help: "help.shuffle",
  power: (invocation) => powerOver(invocation.room.player.queue(), invocation),
  order: "once",
  run({ room }) {
    room.player.edit.shuffle();
    return { key: "player.shuffled", params: { count: room.player.queue().length } };
  },
};

export const queueCommands: readonly Command[] = [queue, history, remove, move, shuffle, clear];
