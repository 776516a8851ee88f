import { clockTime } from "../base/duration.ts";
import { BotError } from "../base/errors.ts";
import { render, type Sentence } from "../base/messages/catalogue.ts";
import { heardBy } from "../diagnosis/heard.ts";
import { filtersOf } from "../player/filters.ts";
import { LOOPS, type NowPlaying } from "../player/queue.ts";
import { ensureInChannel } from "./channel-commands.ts";
import type { Command, Invocation } from "./command.ts";
import { filtersText } from "./filters.ts";
import { isLive, nowName, positionText, trackLine, trackName } from "./format.ts";
import { canResume, resumed } from "./play-commands.ts";
import { parseSeek } from "./seek-time.ts";
import type { RoomContext } from "./room-context.ts";
import { skipCommands } from "./skip-command.ts";
import { usageOf } from "./usage.ts";
import { playing, powerOver, powerOverAll } from "./who-may.ts";

/** What follows `me`; null when it is not about who asks alone. */
const ownPart = (args: string): string | null => /^me(?:\s+|$)(.*)$/i.exec(args)?.[1] ?? null;

const volume: Command = {
  name: "volume",
  aliases: ["vol", "v"],
  usage: "[0-200|+10|-10|me [0-200|off]]",
  help: "help.volume",
  power: 0,
  isOwn: ({ args }) => ownPart(args) !== null,
  order: "once",
  djs: true,
  run({ room, message, args }) {
    const own = ownPart(args);
    if (own !== null) return ownVolume(room, message.sender, own);
    const step = stepOf(args);
    if (step !== null) {
      const max = Math.max(room.player.volume(), room.settings.get("volume-max"));
      const percent = Math.min(max, Math.max(0, room.player.volume() + step));
      room.player.setVolume(percent);
      return { key: "player.volume_set", params: { percent } };
    }
    if (args === "") return { key: "player.volume", params: { percent: room.player.volume() } };
    const percent = percentOf(args);
    if (percent === null) throw usageOf(volume, room);
    requireVolume(room, percent);
    room.player.setVolume(percent);
    return { key: "player.volume_set", params: { percent } };
  },
};

/** From 0 to 200; null when it is no such number. */
function percentOf(text: string): number | null {
  const percent = /^\d{1,3}\s*%?$/.test(text) ? Number.parseInt(text, 10) : Number.NaN;
  return percent <= 200 ? percent : null;
}

/** "+10", "-10"; null when it is nothing of that kind. */
function stepOf(text: string): number | null {
  const [, sign, percent] = /^([+\u2212-])\s*(\d{1,3})\s*%?$/.exec(text) ?? [];
  return percent === undefined ? null : sign === "+" ? Number(percent) : -Number(percent);
}

/** What one person hears: what the room has set as the loudest is for everybody's ears. */
function ownVolume(room: RoomContext, userId: string, text: string): Sentence {
  const { volumes, prefix } = room;
  if (text === "") {
    const percent = volumes.of(userId);
    return percent === null
      ? { key: "player.volume_me_none", params: { prefix } }
      : { key: "player.volume_me", params: { percent, prefix } };
  }
  const percent = /^(off|default)$/i.test(text) ? null : percentOf(text);
  if (percent === null && !/^(off|default)$/i.test(text)) throw usageOf(volume, room);
  // 100 is what everybody hears: nothing to keep.
  volumes.set(userId, percent === 100 ? null : percent);
  return percent === null || percent === 100
    ? { key: "player.volume_me_off" }
    : { key: "player.volume_me_set", params: { percent, prefix } };
}

/** @throws BotError `bad_command` louder than the room has set */
function requireVolume({ settings, prefix }: RoomContext, percent: number): void {
  const max = settings.get("volume-max");
  if (percent <= max) return;
  const say = { key: "player.volume_max", params: { percent: max, prefix } } as const;
  throw new BotError("bad_command", `louder than ${max} %`, { say });
}

const seek: Command = {
  name: "seek",
  refusal: "error.not_yours",
  djs: true,
  aliases: [],
  usage: "1:23|90|1m30s|+30|-10",
  help: "help.seek",
  power: (invocation) => powerOver(playing(invocation), invocation),
  order: "once",
  run({ room, args }) {
    const target = parseSeek(args);
    if (!target) throw usageOf(seek, room);
    const { track, positionMs } = room.player.edit.seek(target);
    return { key: "player.sought", params: { title: trackName(track), position: clockTime(positionMs) } };
  },
};

const loop: Command = {
  name: "loop",
  refusal: "error.not_yours",
  djs: true,
  aliases: [],
  usage: "[off|track|queue]",
  help: "help.loop",
  power(invocation) {
    const { player } = invocation.room;
    return invocation.args === "" ? 0 : powerOver([...playing(invocation), ...player.queue()], invocation);
  },
  order: "once",
  run({ room, args }) {
    const asked = args.toLowerCase();
    const wanted = LOOPS.find((each) => each === asked);
    if (!wanted && args !== "") throw usageOf(loop, room);
    if (wanted) room.player.edit.loop(wanted);
    return { key: `loop.${room.player.state().loop}` };
  },
};

const previous: Command = {
  name: "previous",
  refusal: "error.not_yours",
  djs: true,
  aliases: ["prev"],
  usage: "",
  help: "help.previous",
  power: (invocation) => powerOver(playing(invocation), invocation),
  order: "once",
  async run(invocation) {
    await comeFor(invocation, "previous");
    const { track } = invocation.room.player.edit.previous();
    return { key: "player.previous", params: { title: trackLine(track) } };
  },
};

const replay: Command = {
  name: "replay",
  refusal: "error.not_yours",
  djs: true,
  aliases: [],
  usage: "",
  help: "help.replay",
  power: (invocation) => powerOver(playing(invocation), invocation),
  order: "once",
  async run(invocation) {
    await comeFor(invocation, "replay");
    const { track } = invocation.room.player.edit.replay();
    return { key: "player.replayed", params: { title: trackLine(track) } };
  },
};

/** Comes into the channel, if there is something that could be on there. */
async function comeFor(invocation: Invocation, command: string): Promise<void> {
  const { now, history } = invocation.room.player.state();
  if (now ?? history[0]) await ensureInChannel(invocation, command);
}

const nowPlaying: Command = {
  name: "nowplaying",
  aliases: ["np"],
  usage: "",
  help: "help.nowplaying",
  power: 0,
  order: "once",
  async run({ room }) {
    const now = room.player.nowPlaying();
    if (!now) return { key: "player.nothing" };
    const { heard, of } = heardBy(await room.report());
    const { track, phase } = now;
    const filters = filtersText(filtersOf(room.player.state().filters, track), room.language);
    return {
      // Where nobody is, or the bot is not, there is nobody to hear it.
      key: of > 0 && room.channel.joined && phase === "playing" ? "player.now_heard" : "player.now",
      params: {
        heard,
        count: of,
        title: nowName(now),
        state: render({ key: phase === "paused" ? "state.paused" : "state.playing" }, room.language).text,
        position: positionText(now, room.language),
        requester: room.displayName(track.requester),
        volume: room.player.volume(),
        filters: filters === "" ? "" : `, ${filters}`,
      },
    };
  },
};

const already = (
  key: "player.paused_already" | "player.playing_already",
  { track }: NowPlaying,
  prefix: string,
): BotError =>
  new BotError("bad_command", "it is so already", {
    say: { key, params: { title: trackName(track), prefix } },
  });

export const playerCommands: readonly Command[] = [
  ...skipCommands,
  {
    name: "stop",
    refusal: "error.not_yours",
    djs: true,
    aliases: ["x"],
    usage: "",
    help: "help.stop",
    power: powerOverAll,
    order: "once",
    run({ room }) {
      room.player.stop();
      return { key: "player.stopped" };
    },
  },
  {
    name: "pause",
    djs: true,
    aliases: [],
    usage: "",
    help: "help.pause",
    power: 0,
    order: "once",
    run({ room }) {
      const now = room.player.nowPlaying();
      if (now?.phase === "paused") throw already("player.paused_already", now, room.prefix);
      const { track, positionMs } = room.player.pause();
      const params = { title: trackName(track), position: clockTime(positionMs) };
      return { key: isLive(track) ? "player.paused_live" : "player.paused", params };
    },
  },
  {
    name: "resume",
    djs: true,
    aliases: [],
    usage: "",
    help: "help.resume",
    power: 0,
    order: "once",
    async run(invocation) {
      const { player, prefix } = invocation.room;
      const now = player.nowPlaying();
      if (now?.phase === "playing") throw already("player.playing_already", now, prefix);
      if (!canResume(invocation))
        throw new BotError("nothing_playing", "nothing", { say: { key: "player.nothing" } });
      await ensureInChannel(invocation, "resume");
      return resumed(invocation);
    },
  },
  seek,
  replay,
  previous,
  loop,
  volume,
  nowPlaying,
];
