import { clockTime } from "../base/duration.ts";
import { BotError } from "../base/errors.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { Added, AddedMany } from "../player/adding.ts";
import { isPlaylistName } from "../player/playlist/item.ts";
import { refusedLines } from "../player/playlist/reader.ts";
import { Undecided, type Ask, type Found, type FoundMany } from "../player/resolver/resolver.ts";
import { decodeUpload } from "../player/resolver/upload.ts";
import { ensureInChannel } from "./channel-commands.ts";
import type { Command, Invocation } from "./command.ts";
import { trackLine, trackName } from "./format.ts";
import { helpOf } from "./usage.ts";

const play: Command = {
  name: "play",
  djs: true,
  aliases: ["p"],
  usage: "[{name}]",
  help: "help.play",
  power: 0,
  order: "turn",
  prepare(invocation) {
    const { args } = invocation;
    return isWelcome(invocation) && (args === "" || isSlow(args)) ? lookAhead(invocation) : null;
  },
  async run(invocation) {
    const ask = await whatToPlay(invocation);
    if (ask === "help") throw nothingMeant(play, invocation);
    if (ask !== "resume") return added(invocation, ask, { name: "play", next: false });
    await ensureInChannel(invocation, "play");
    return resumed(invocation);
  },
};

const playNext: Command = {
  name: "playnext",
  djs: true,
  aliases: ["pn"],
  usage: "[{name}]",
  help: "help.playnext",
  power: 0,
  order: "turn",
  prepare: (invocation) => play.prepare?.(invocation) ?? null,
  async run(invocation) {
    const ask = await whatToPlay(invocation);
    if (typeof ask === "string") throw nothingMeant(playNext, invocation);
    return added(invocation, ask, { name: "playnext", next: true });
  },
};

const nothingMeant = (command: Command, { room }: Invocation): BotError =>
  new BotError("bad_command", "nothing to play", { say: helpOf(command, room) });

/** There is a channel to play in: else it is refused before anything is looked for. */
export const isWelcome = ({ room }: Invocation): boolean => room.channel.joined || room.channel.people > 0;

/** Comes, finds it and queues it. */
export async function added(
  invocation: Invocation,
  ask: Ask,
  { name, next }: { name: string; next: boolean },
): Promise<Sentence> {
  const { room, message } = invocation;
  const { player } = room;
  const arriving = !room.channel.joined;
  await ensureInChannel(invocation, name);
  const found = await find(ask, invocation);
  const answer =
    "items" in found
      ? describeMany(await player.addMany(found.items, message.sender, { next }), found)
      : describeAdded(await player.add(found, message.sender, { next }));
  // What was held while the bot was away must not hold up what was asked for now.
  if (arriving && player.nowPlaying()?.phase === "paused") player.resume();
  return answer;
}

/** A number that was offered to who says it, else what the sources know. What they offer instead is remembered. */
async function find(ask: Ask, invocation: Invocation): Promise<Found | FoundMany> {
  const { message, choices } = invocation;
  const number = ask.kind === "words" && !ask.radio && /^[1-9]\d?$/.test(ask.text) ? Number(ask.text) : 0;
  const chosen = choices.get(message.sender, number);
  if (chosen) return chosen.found;
  try {
    return await (prepared.get(invocation) ?? resolve(ask, invocation));
  } catch (error) {
    if (error instanceof Undecided) choices.offer(message.sender, error.choices);
    throw error;
  }
}

/** What was looked for before its turn. */
const prepared = new WeakMap<Invocation, Promise<Found | FoundMany>>();

/** An address, or a playlist: looking into it takes its time. */
const isSlow = (text: string): boolean => /^https?:/i.test(text) || isPlaylistName(text);

/** Looks for what is meant, which may be far away; its turn finds it here. */
export async function lookAhead(invocation: Invocation, meant: Ask | null = null): Promise<void> {
  const ask = meant ?? (await whatToPlay(invocation));
  if (typeof ask === "string") return;
  const found = resolve(ask, invocation);
  prepared.set(invocation, found);
  await found;
}

/** What the sources know of it; who waits for the network is told so. */
async function resolve(
  ask: Ask,
  { room, message, signal, unlessSoon }: Invocation,
): Promise<Found | FoundMany> {
  const url =
    ask.kind === "words" && /^https?:/i.test(ask.text) && URL.canParse(ask.text) ? new URL(ask.text) : null;
  const soon = url && unlessSoon({ key: "fetch.fetching", params: { host: url.host } });
  try {
    return await room.sources.resolve(ask, signal, message.sender);
  } finally {
    soon?.();
  }
}

/** What a !play means: words; else the audio it replies to, is the caption of; resume; a recent upload; else help. */
async function whatToPlay(invocation: Invocation): Promise<Ask | "resume" | "help"> {
  const { room, message, args, repliesTo, isLoose = false, recentUpload } = invocation;
  if (args !== "") return { kind: "words", text: args };
  if (repliesTo !== null) {
    const target = await room.fetchMessage(repliesTo);
    const upload = target?.type === "m.room.message" ? decodeUpload(target.content) : null;
    if (upload) return { kind: "upload", upload };
    if (!isLoose)
      throw new BotError("media_unsupported", "the message replied to has no audio", {
        say: { key: "play.reply_not_audio" },
      });
  }
  const own = decodeUpload(message.content);
  if (own) return { kind: "upload", upload: own };
  if (canResume(invocation)) return "resume";
  return recentUpload ? { kind: "upload", upload: recentUpload } : "help";
}

export function canResume({ room: { player } }: Invocation): boolean {
  const now = player.nowPlaying();
  return now ? now.phase === "paused" : player.queue().length > 0;
}

export function resumed({ room }: Invocation): Sentence {
  // Coming back into the channel may have done it.
  const now = room.player.nowPlaying();
  const { track } = now?.phase === "playing" ? now : room.player.resume();
  return { key: "player.resumed", params: { title: trackName(track) } };
}

function describeAdded({ track, position, etaMs, again }: Added): Sentence {
  const title = trackLine(track);
  if (position === 0) return { key: "play.now", params: { title } };
  if (etaMs === null)
    return { key: again ? "play.queued_again" : "play.queued", params: { title, position } };
  const params = { title, position, eta: clockTime(etaMs) };
  return { key: again ? "play.queued_eta_again" : "play.queued_eta", params };
}

/** @param of the folder, the playlist, the list */
export function describeMany(
  { count, left, why }: AddedMany,
  { title, refused = [], left: more = 0 }: Omit<FoundMany, "items">,
): Sentence {
  const out = left + more;
  if (refused.length > 0) {
    const total = count + out + refused.length;
    const params = { count, total, title, failed: refused.length, left: out };
    const parts = { names: refusedLines(refused) };
    return { key: out > 0 ? "play.many_partly_left" : "play.many_partly", params, parts };
  }
  if (out === 0) return { key: "play.many", params: { count, title } };
  return { key: why === "limit" ? "play.many_limit" : "play.many_left", params: { count, left: out, title } };
}

export const playCommands: readonly Command[] = [play, playNext];
