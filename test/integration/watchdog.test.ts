// A decoder that hangs in mid-track, stopped by its process id: the player tries once more from where it was, then goes on
// with the next and says why. Real ffmpeg, at eight times the speed of life.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Clock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { render, type Sentence } from "../../src/base/messages/catalogue.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { InProcessPlane } from "../../src/media/in-process.ts";
import type { PlaneEventOf } from "../../src/media/plane.ts";
import { RoomPlayer } from "../../src/player/playback.ts";
import { until, writeTone } from "../contract/plane-rig.ts";
import { CaptureEngine } from "../fakes/capture-engine.ts";
import { FakeDocuments } from "../fakes/documents.ts";
import { childrenOf } from "../support/bot.ts";

const SPEED = 8;
const clock: Clock = {
  now: () => systemClock.now() * SPEED,
  wall: () => systemClock.wall(),
  timer: (delayMs, run) => systemClock.timer(delayMs / SPEED, run),
};
const channel = "room";

/** The one decoder that runs and is not stopped. */
async function decoder(): Promise<number> {
  for (const pid of childrenOf(process.pid)) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    if (/^Name:\s+ffmpeg$/m.test(status) && /^State:\s+[RSD]/m.test(status)) return pid;
  }
  throw new Error("there is no decoder");
}

test("a hung ffmpeg is noticed, its track goes on from where it was; hung again, the next one plays and the room is told", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "watchdog-"));
  const plane = new InProcessPlane({ engine: new CaptureEngine(), clock, log: silentLog, ffmpegPath: null });
  const tone = await writeTone(path.join(directory, "tone.wav"), 440, 20);
  const told: Sentence[] = [];
  const positions: PlaneEventOf<"track.position">[] = [];
  plane.onEvent((event) => event.kind === "track.position" && positions.push(event));
  const player = new RoomPlayer({
    ...{ channel, plane, clock, log: silentLog, documents: new FakeDocuments(), connected: () => 1 },
    open: () => Promise.resolve({ path: tone }),
    tell: (sentence) => told.push(sentence),
  });
  const hang = async (): Promise<number> => {
    const pid = await decoder();
    process.kill(pid, "SIGSTOP");
    return pid;
  };
  try {
    const ice = { servers: [], allowPrivate: "true" as const };
    await plane.request({ kind: "channel.open", channel, ice, bitrate: 128_000 });
    for (const title of ["one", "two"]) {
      const source = { kind: "library", path: `${title}.wav` } as const;
      await player.add({ source, title, durationMs: 20_000, isDescribed: true }, "@ann:test");
    }
    await until("some sound", () => positions.find(({ positionMs }) => positionMs > 3_000));
    const first = await hang();
    const again = await until("sound again", () => positions.find(({ track }) => track.endsWith(".1")));
    const before = positions.findLast(({ track }) => !track.endsWith(".1"));
    expect(again.positionMs - (before?.positionMs ?? 0)).toBeGreaterThan(0);
    // A second of sound until the first position, and what was heard after the last.
    expect(again.positionMs - (before?.positionMs ?? 0)).toBeLessThanOrEqual(2_000);
    expect(told).toEqual([]);
    const second = await hang();
    await until("the next", () => player.nowPlaying()?.track.title === "two" || undefined);
    expect(told.map((sentence) => render(sentence).text)).toEqual([
      "I could not play one: nothing came from its file or address for ten seconds, at a second attempt neither.",
    ]);
    const { track } = player.nowPlaying()!;
    await until("its sound", () => positions.find((position) => position.track === track.id));
    await until("the end of both", () => [first, second].every((pid) => !isThere(pid)) || undefined);
  } finally {
    player.close();
    await plane.close();
    await rm(directory, { recursive: true, force: true });
  }
}, 60_000);

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
