import { clockTime } from "../base/duration.ts";
import { BotError } from "../base/errors.ts";
import { render } from "../base/messages/catalogue.ts";
import { heardBy } from "../diagnosis/heard.ts";
import { LOOPS } from "../player/queue.ts";
import { ensureInChannel } from "./channel-commands.ts";
import { MODERATOR, type Command, type Invocation } from "./command.ts";
import { trackLine, trackName } from "./format.ts";
import { canResume, resumed } from "./play-commands.ts";
import { parseSeek } from "./seek-time.ts";
import { usageOf } from "./usage.ts";
import { playing, powerOver } from "./who-may.ts";

/** How many tracks are to be skipped; null when it is no number. */
function skipCount(args: string): number | null {
  if (args === "") return 1;
  const count = /^\d{1,3}$/.test(args) ? Number(args) : 0;
  return count > 0 ? count : null;
}

const skip: Command = {
  name: "skip",
  refusal: "error.not_yours",
  aliases: ["s"],
  usage: "[n]",
  help: "help.skip",
  power(invocation) {
    const count = skipCount(invocation.args) ?? 0;
    const waiting = invocation.room.player.queue().slice(0, Math.max(0, count - 1));
    return count === 0 ? 0 : powerOver([...playing(invocation), ...waiting], invocation);
  },
  order: "once",
  run({ room, ageMs, args }) {
    const asked = skipCount(args);
    if (asked === null) throw usageOf(skip, room.prefix);
    const count = Math.min(asked, room.player.queue().length + 1);
    const title = trackName(room.player.skip(ageMs, count));
    const next = room.player.nowPlaying();
    if (!next) return { key: count > 1 ? "player.skipped_many" : "player.skipped", params: { title, count } };
    const params = { title, count, next: trackLine(next.track) };
    return { key: count > 1 ? "player.skipped_many_now" : "player.skipped_now", params };
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

const seek: Command = {
  name: "seek",
  refusal: "error.not_yours",
  aliases: [],
  usage: "1:23|90|1m30s|+30|-10",
  help: "help.seek",
  power: (invocation) => powerOver(playing(invocation), invocation),
  order: "once",
  run({ room, args }) {
    const target = parseSeek(args);
    if (!target) throw usageOf(seek, room.prefix);
    const { track, positionMs } = room.player.edit.seek(target);
    return { key: "player.sought", params: { title: trackName(track), position: clockTime(positionMs) } };
  },
};

const loop: Command = {
  name: "loop",
  refusal: "error.not_yours",
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
    if (!wanted && args !== "") throw usageOf(loop, room.prefix);
    if (wanted) room.player.edit.loop(wanted);
    return { key: `loop.${room.player.state().loop}` };
  },
};

const previous: Command = {
  name: "previous",
  refusal: "error.not_yours",
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
  skip,
  { ...skip, name: "forceskip", aliases: ["fs"], help: "help.forceskip" },
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
  seek,
  replay,
  previous,
  loop,
  volume,
  nowPlaying,
];
