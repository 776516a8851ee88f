import { clockTime } from "../base/duration.ts";
import { BotError } from "../base/errors.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { Added, AddedMany } from "../player/adding.ts";
import { Undecided, type Ask, type Found, type FoundMany } from "../player/resolver/resolver.ts";
import { decodeUpload } from "../player/resolver/upload.ts";
import { ensureInChannel } from "./channel-commands.ts";
import type { Command, Invocation } from "./command.ts";
import { trackLine, trackName } from "./format.ts";
import { usageOf } from "./usage.ts";

const play: Command = {
  name: "play",
  aliases: ["p"],
  usage: "[name]",
  help: "help.play",
  power: 0,
  order: "turn",
  prepare(invocation) {
    const { room, args } = invocation;
    const welcome = room.channel.joined || room.channel.people > 0;
    return args === "" && welcome ? fetchUpload(invocation) : null;
  },
  async run(invocation) {
    const ask = await whatToPlay(invocation);
    if (ask === "help") throw usageOf(play, invocation.room.prefix);
    if (ask !== "resume") return added(invocation, ask, { name: "play", next: false });
    await ensureInChannel(invocation, "play");
    return resumed(invocation);
  },
};

const playNext: Command = {
  name: "playnext",
  aliases: ["pn"],
  usage: "[name]",
  help: "help.playnext",
  power: 0,
  order: "turn",
  prepare: (invocation) => play.prepare?.(invocation) ?? null,
  async run(invocation) {
    const ask = await whatToPlay(invocation);
    if (typeof ask === "string") throw usageOf(playNext, invocation.room.prefix);
    return added(invocation, ask, { name: "playnext", next: true });
  },
};

/** Comes, finds it and queues it. */
async function added(
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
      ? describeMany(await player.addMany(found.items, message.sender, { next }), found.title)
      : describeAdded(await player.add(found, message.sender, { next }));
  // What was held while the bot was away must not hold up what was asked for now.
  if (arriving && player.nowPlaying()?.phase === "paused") player.resume();
  return answer;
}

/** A number that was offered to who says it, else what the sources know. What they offer instead is remembered. */
async function find(ask: Ask, { room, message, choices, signal }: Invocation): Promise<Found | FoundMany> {
  const number = ask.kind === "words" && /^[1-9]\d?$/.test(ask.text) ? Number(ask.text) : 0;
  const chosen = choices.get(message.sender, number);
  if (chosen) return chosen.found;
  try {
    return await room.sources.resolve(ask, signal);
  } catch (error) {
    if (error instanceof Undecided) choices.offer(message.sender, error.choices);
    throw error;
  }
}

/** Brings an upload that is meant here; its turn finds it here. */
async function fetchUpload(invocation: Invocation): Promise<void> {
  const ask = await whatToPlay(invocation);
  if (typeof ask === "object") await invocation.room.sources.resolve(ask, invocation.signal);
}

/** What a !play means: words; else the audio it replies to, is the caption of; resume; a recent upload; else help. */
async function whatToPlay(invocation: Invocation): Promise<Ask | "resume" | "help"> {
  const { room, message, args, repliesTo, recentUpload } = invocation;
  if (args !== "") return { kind: "words", text: args };
  if (repliesTo !== null) {
    const target = await room.fetchMessage(repliesTo);
    const upload = target?.type === "m.room.message" ? decodeUpload(target.content) : null;
    if (upload) return { kind: "upload", upload };
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

/** @param title of the folder, the playlist, the list */
export function describeMany({ count, left, why }: AddedMany, title: string): Sentence {
  if (left === 0) return { key: "play.many", params: { count, title } };
  return { key: why === "limit" ? "play.many_limit" : "play.many_left", params: { count, left, title } };
}

export const playCommands: readonly Command[] = [play, playNext];
