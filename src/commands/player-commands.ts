import { clockTime } from "../base/duration.ts";
import { heardBy } from "../diagnosis/heard.ts";
import { BotError } from "../base/errors.ts";
import { render, type Sentence } from "../base/messages/catalogue.ts";
import type { Added, AddedMany } from "../player/adding.ts";
import { Undecided, type Ask, type Found, type FoundMany } from "../player/resolver/resolver.ts";
import { decodeUpload } from "../player/resolver/upload.ts";
import { ensureInChannel } from "./channel-commands.ts";
import { MODERATOR, type Command, type Invocation } from "./command.ts";
import { trackLine, trackName } from "./format.ts";
import { usageOf } from "./usage.ts";

const QUEUE_SHOWN = 10;

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
    const { room, message } = invocation;
    const ask = await whatToPlay(invocation);
    if (ask === "help") throw usageOf(play, room.prefix);
    const { player } = room;
    const arriving = !room.channel.joined;
    await ensureInChannel(invocation, "play");
    if (ask === "resume") return resumed(invocation);
    const found = await find(ask, invocation);
    const answer =
      "items" in found
        ? describeMany(found, await player.addMany(found.items, message.sender))
        : describeAdded(await player.add(found, message.sender));
    // What was held while the bot was away must not hold up what was asked for now.
    if (arriving && player.nowPlaying()?.phase === "paused") player.resume();
    return answer;
  },
};

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

function describeMany({ title }: FoundMany, { count, left }: AddedMany): Sentence {
  const params = { title, count, left };
  return { key: left > 0 ? "play.many_left" : "play.many", params };
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

function canResume({ room: { player } }: Invocation): boolean {
  const now = player.nowPlaying();
  return now ? now.phase === "paused" : player.queue().length > 0;
}

function resumed({ room }: Invocation): Sentence {
  // Coming back into the channel may have done it.
  const now = room.player.nowPlaying();
  const { track } = now?.phase === "playing" ? now : room.player.resume();
  return { key: "player.resumed", params: { title: trackName(track) } };
}

function describeAdded({ track, position, etaMs }: Added): Sentence {
  const title = trackLine(track);
  if (position === 0) return { key: "play.now", params: { title } };
  if (etaMs === null) return { key: "play.queued", params: { title, position } };
  return { key: "play.queued_eta", params: { title, position, eta: clockTime(etaMs) } };
}

const skip: Command = {
  name: "skip",
  aliases: ["s"],
  usage: "",
  help: "help.skip",
  power({ room, message }) {
    const now = room.player.nowPlaying();
    return now === null || now.track.requester === message.sender ? 0 : MODERATOR;
  },
  order: "once",
  run({ room, ageMs }) {
    const title = trackName(room.player.skip(ageMs));
    const next = room.player.nowPlaying();
    if (!next) return { key: "player.skipped", params: { title } };
    return { key: "player.skipped_now", params: { title, next: trackLine(next.track) } };
  },
};

const volume: Command = {
  name: "volume",
  aliases: ["vol", "v"],
  usage: "[0-200]",
  help: "help.volume",
  power: 0,
  order: "once",
  run({ room, args }) {
    if (args === "") return { key: "player.volume", params: { percent: room.player.volume() } };
    const percent = /^\d{1,3}\s*%?$/.test(args) ? Number.parseInt(args, 10) : Number.NaN;
    if (!(percent <= 200)) throw usageOf(volume, room.prefix);
    room.player.setVolume(percent);
    return { key: "player.volume_set", params: { percent } };
  },
};

const queue: Command = {
  name: "queue",
  aliases: ["q"],
  usage: "",
  help: "help.queue",
  power: 0,
  order: "once",
  run({ room }) {
    const now = room.player.nowPlaying();
    const upcoming = room.player.queue();
    if (!now && upcoming.length === 0) return { key: "player.nothing" };
    const first = now ? `▶ ${trackLine(now.track)}` : render({ key: "player.nothing" }, room.language).text;
    if (upcoming.length === 0) return { key: "player.queue_none", params: { now: first } };
    const shown = upcoming.slice(0, QUEUE_SHOWN).map((track, index) => `${index + 1}. ${trackLine(track)}`);
    if (upcoming.length > QUEUE_SHOWN) shown.push("…");
    const knownMs = upcoming.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0);
    const atLeast = upcoming.some(({ durationMs }) => durationMs === null) ? "≥ " : "";
    const params = { now: first, list: shown.join("\n"), count: upcoming.length };
    return { key: "player.queue", params: { ...params, total: atLeast + clockTime(knownMs) } };
  },
};

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
    const { track, phase, positionMs } = now;
    const total = track.durationMs === null ? "" : ` / ${clockTime(track.durationMs)}`;
    return {
      // Where nobody is, or the bot is not, there is nobody to hear it.
      key: of > 0 && room.channel.joined && phase === "playing" ? "player.now_heard" : "player.now",
      params: {
        heard,
        count: of,
        title: trackName(track),
        state: render({ key: phase === "paused" ? "state.paused" : "state.playing" }, room.language).text,
        position: clockTime(positionMs) + total,
        requester: room.displayName(track.requester),
        volume: room.player.volume(),
      },
    };
  },
};

export const playerCommands: readonly Command[] = [
  play,
  skip,
  {
    name: "stop",
    aliases: ["x"],
    usage: "",
    help: "help.stop",
    power: MODERATOR,
    order: "once",
    run({ room }) {
      room.player.stop();
      return { key: "player.stopped" };
    },
  },
  {
    name: "pause",
    aliases: [],
    usage: "",
    help: "help.pause",
    power: 0,
    order: "once",
    run({ room }) {
      const { track, positionMs } = room.player.pause();
      const params = { title: trackName(track), position: clockTime(positionMs) };
      return { key: "player.paused", params };
    },
  },
  {
    name: "resume",
    aliases: [],
    usage: "",
    help: "help.resume",
    power: 0,
    order: "once",
    async run(invocation) {
      if (!canResume(invocation))
        throw new BotError("nothing_playing", "nothing", { say: { key: "player.nothing" } });
      await ensureInChannel(invocation, "resume");
      return resumed(invocation);
    },
  },
  volume,
  queue,
  nowPlaying,
];
