// What a bench compares: the bot's media plane as it ships, supervised in a child of its own, and bare libraries.
import { readFileSync } from "node:fs";
import type { Log } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { enginesFor } from "../../src/media/engine-choice.ts";
import { SupervisedPlane } from "../../src/media/supervisor.ts";
import { childrenOf } from "../../test/support/bot.ts";
import { Helper } from "./calls.ts";
import type { Subject } from "./members.ts";

const BITRATE = 128_000;

const complain = (event: string, fields: unknown): void => console.error(event, fields ?? "");
const log: Log = { debug: () => {}, info: () => {}, warn: complain, error: complain, child: () => log };

/** The media plane. Its control side, this process, is not counted. */
export function ours(library: Library): Subject & { stopRecording(room: string): Promise<void> } {
  const before = new Set(childrenOf(process.pid));
  const plane = new SupervisedPlane({
    clock: systemClock,
    log,
    ffmpegPath: null,
    engines: enginesFor(library),
  });
  const open = new Set<string>();
  /** Who is in each room, and which rooms are recorded: with everybody who is there. */
  const peers = new Map<string, Set<string>>();
  const recorded = new Set<string>();
  const speakersOf = (room: string): string[] => [...(peers.get(room) ?? [])];
  const channelOf = async (channel: string): Promise<string> => {
    if (!open.has(channel)) {
      const ice = { servers: [], allowPrivate: "true" as const };
      await plane.request({ kind: "channel.open", channel, ice, bitrate: BITRATE });
      open.add(channel);
    }
    return channel;
  };
  return {
    name: "bot",
    pids: () => mediaChildren(before),
    answer: async (room, peer, sdp) => {
      const channel = await channelOf(room);
      const answer = await plane.request({ kind: "peer.answer", channel, peer, sdp });
      await plane.request({ kind: "peer.answered", channel, peer });
      peers.set(room, new Set([...speakersOf(room), peer]));
      if (recorded.has(room))
        await plane.request({ kind: "record.allow", channel, speakers: speakersOf(room) });
      return answer.sdp;
    },
    play: async (room, path) => {
      const channel = await channelOf(room);
      const more = { track: "track", source: { path }, positionMs: 0, paused: false };
      await plane.request({ kind: "play.start", channel, ...more });
    },
    record: async (room, directory) => {
      const channel = await channelOf(room);
      const speakers = speakersOf(room);
      await plane.request({ kind: "record.start", channel, recording: "bench", directory, speakers });
      recorded.add(room);
    },
    stopRecording: async (room) => {
      recorded.delete(room);
      await plane.request({ kind: "record.stop", channel: await channelOf(room) });
    },
    close: () => plane.close(),
  };
}

function mediaChildren(before: ReadonlySet<number>): number[] {
  return childrenOf(process.pid).filter(
    (pid) => !before.has(pid) && commandLine(pid).includes("media/child"),
  );
}

function commandLine(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8");
}

const BASELINES = {
  libdatachannel: new URL("./raw-libdatachannel.ts", import.meta.url),
  wrtc: new URL("./raw-wrtc.ts", import.meta.url),
};
export type Library = keyof typeof BASELINES;

export function raw(library: Library): Subject {
  const helper = new Helper(BASELINES[library]);
  return {
    name: `bare ${library}`,
    pids: () => [helper.pid],
    answer: (...args) => helper.call<string>("answer", ...args),
    play: (...args) => helper.call<void>("play", ...args),
    record: (...args) => helper.call<void>("record", ...args),
    close: () => helper.end(),
  };
}
