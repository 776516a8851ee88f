import { copyFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemClock } from "../../../src/base/system-clock.ts";
import { BotError } from "../../../src/base/errors.ts";
import { gainFor } from "../../../src/base/loudness.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { MediaPlane, PlaneRequest } from "../../../src/media/plane.ts";
import type { Track } from "../../../src/player/queue.ts";
import { contentKey } from "../../../src/player/loudness/key.ts";
import { LevelledPlane, type LoudnessWish } from "../../../src/player/loudness/levelled-plane.ts";
import { ScanAhead } from "../../../src/player/loudness/scan-ahead.ts";
import { LoudnessScans } from "../../../src/player/loudness/scans.ts";
import { LoudnessStore } from "../../../src/player/loudness/store.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakePlane } from "../../fakes/plane.ts";
import { localIce } from "../../contract/plane-rig.ts";

const log = silentLog;
const channel = "!r:x";
let dataDir = "";
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), "loudness-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const file = async (name: string, content = name): Promise<string> => {
  const at = path.join(dataDir, name);
  await writeFile(at, content);
  return at;
};

describe("the gain of a track", () => {
  test("brings it to the target, down and up", () => {
    expect(gainFor({ lufs: -6, truePeakDb: 0.5 }, -16)).toBe(-10);
    expect(gainFor({ lufs: -30, truePeakDb: -16 }, -16)).toBe(14);
  });

  test("raises nothing so far that the limiter had to take more than 6 dB", () => {
    expect(gainFor({ lufs: -30, truePeakDb: -4 }, -16)).toBe(7);
    // Peaks at the top already: it stays as it was made, but is not turned down for it.
    expect(gainFor({ lufs: -20, truePeakDb: 5.5 }, -16)).toBe(0);
    expect(gainFor({ lufs: -30, truePeakDb: null }, -16)).toBe(6);
    expect(gainFor({ lufs: -60, truePeakDb: -50 }, -16)).toBe(24);
  });
});

describe("a content's key", () => {
  test("is that of its bytes, whatever the file is called", async () => {
    const one = await file("one.mp3", "a".repeat(300_000));
    const copy = path.join(dataDir, "copy.mp3");
    await copyFile(one, copy);
    expect(await contentKey(copy)).toBe(await contentKey(one));
    const changed = await file("two.mp3", `${"a".repeat(100_000)}b${"a".repeat(199_999)}`);
    expect(await contentKey(changed)).not.toBe(await contentKey(one));
    await truncate(copy, 299_999);
    expect(await contentKey(copy)).not.toBe(await contentKey(one));
    expect(await contentKey(await file("empty", ""))).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("what was measured", () => {
  test("is kept over a restart, bounded, and anew after damage", async () => {
    const at = path.join(dataDir, "cache", "loudness.db");
    let store = new LoudnessStore({ path: at, log });
    store.put("a", { lufs: -9.5, truePeakDb: 0.2 });
    store.put("silent", { lufs: null, truePeakDb: null });
    store.close();
    store = new LoudnessStore({ path: at, log, maxRows: 2 });
    expect(store.get("a")).toEqual({ lufs: -9.5, truePeakDb: 0.2 });
    expect(store.get("silent")).toEqual({ lufs: null, truePeakDb: null });
    store.put("b", { lufs: -20, truePeakDb: -3 });
    expect(store.get("a")).toBeNull();
    expect(store.get("b")).toEqual({ lufs: -20, truePeakDb: -3 });
    store.close();
    await writeFile(at, "no database at all, but long enough to be looked at as one".repeat(100));
    store = new LoudnessStore({ path: at, log });
    expect(store.get("b")).toBeNull();
    store.put("b", { lufs: -20, truePeakDb: -3 });
    expect(store.get("b")).not.toBeNull();
    store.close();
  });

  test("is measured one at a time, what was asked for last first, the same content once", async () => {
    const asked: string[] = [];
    const answers: (() => void)[] = [];
    const plane = {
      request: (request: PlaneRequest) => {
        if (request.kind === "loudness.scan") asked.push(path.basename(request.source.path));
        return new Promise((resolve) => {
          answers.push(() => resolve({ lufs: -12, truePeakDb: -1, durationMs: 1 }));
        });
      },
    } as unknown as Pick<MediaPlane, "request">;
    const scans = new LoudnessScans({ dataDir, log });
    const files = await Promise.all(["a", "b", "c"].map((name) => file(name)));
    const again = await file("again", "b");
    const results = [];
    for (const each of [...files, again]) {
      results.push(scans.measure(each, plane));
      await scans.known(each);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (let i = 0; i < 3; i++) {
      answers[i]?.();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(asked).toEqual(["a", "b", "c"]);
    expect(await Promise.all(results)).toEqual(results.map(() => ({ lufs: -12, truePeakDb: -1 })));
    expect(await scans.known(again)).toEqual({ lufs: -12, truePeakDb: -1 });
    scans.close();
  });
});

describe("a room's plane", () => {
  const loudnessOf = (at: string): { lufs: number | null; truePeakDb: number | null } =>
    at.includes("silent") ? { lufs: null, truePeakDb: null } : { lufs: -6, truePeakDb: 0 };
  let wish: LoudnessWish;
  let plane: FakePlane;
  let levelled: LevelledPlane;
  let scans: LoudnessScans;
  beforeEach(async () => {
    wish = "on";
    plane = new FakePlane({ clock: new FakeClock(), loudnessOf });
    scans = new LoudnessScans({ dataDir, log });
    levelled = new LevelledPlane({ plane, channel, scans, clock: systemClock, wish: () => wish });
    await plane.request({ kind: "channel.open", channel, ice: localIce, bitrate: 64_000 });
  });
  afterEach(() => scans.close());

  const play = (track: string, at: string): Promise<object> =>
    levelled.request({
      ...{ kind: "play.start", channel, track, positionMs: 0, paused: false },
      source: { path: at },
    });
  const started = (): PlaneRequest[] => plane.requests.filter(({ kind }) => kind === "play.start");
  const until = async (gainDb: number): Promise<void> => {
    for (let i = 0; i < 100 && plane.playing(channel)?.gainDb !== gainDb; i++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(plane.playing(channel)?.gainDb).toBe(gainDb);
  };

  test("starts an unknown file at once, a little quieter or by its tags, and glides when it is measured", async () => {
    const loud = await file("loud");
    await play("t1", loud);
    expect(started()).toMatchObject([{ gainDb: -6, tagsToLufs: -16 }]);
    await until(-10);
    // Known from now on.
    await play("t2", loud);
    expect(started()[1]).toMatchObject({ gainDb: -10 });
    expect(started()[1]).not.toHaveProperty("tagsToLufs");
    expect(plane.requests.filter(({ kind }) => kind === "loudness.scan")).toHaveLength(1);
  });

  test("measures what comes next before its turn", async () => {
    await play("t1", await file("silent"));
    await until(0);
    const next = { track: "t2", source: { path: await file("loud") } };
    await levelled.request({ kind: "play.next", channel, next });
    const scanned = (): unknown => plane.requests.findLast(({ kind }) => kind === "play.gain");
    for (let i = 0; i < 100 && !JSON.stringify(scanned()).includes("t2"); i++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(scanned()).toMatchObject({ track: "t2", gainDb: -10 });
    await levelled.request({ kind: "play.next", channel, next: null });
  });

  test("follows the room's setting, also in mid-track", async () => {
    const loud = await file("loud");
    wish = "off";
    await play("t1", loud);
    expect(started()[0]).not.toHaveProperty("gainDb");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await until(0);
    wish = -20;
    levelled.changed();
    await until(-14);
    wish = "off";
    levelled.changed();
    await until(0);
  });

  test("plays on when a file cannot be measured, and does not try again", async () => {
    const loud = await file("loud");
    plane.failNext("loudness.scan", new BotError("media_unreadable", "rubbish"));
    await play("t1", loud);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(plane.playing(channel)?.gainDb).toBe(-6);
    await play("t2", loud);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(plane.requests.filter(({ kind }) => kind === "loudness.scan")).toHaveLength(1);
  });

  test("has measured what waits while something plays, five ahead, and nothing where nothing does", async () => {
    const files = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => file(`wait${n}`)));
    const track = (n: number): Track => ({
      ...{ id: `t${n}`, title: "", artist: null, durationMs: null, requester: "@a:x" },
      source: { kind: "library", path: files[n]! },
    });
    const upcoming = files.map((_, n) => track(n));
    const stream = { kind: "stream", url: "https://radio.test/", format: "icy" } as const;
    const [first, ...others] = upcoming;
    const ahead = new ScanAhead({
      ...{ plane, scans },
      open: (source) => Promise.resolve({ path: source.kind === "library" ? source.path : "" }),
    });
    const scanned = (): string[] =>
      plane.requests.flatMap((one) => (one.kind === "loudness.scan" ? [path.basename(one.source.path)] : []));
    /** So many scans were asked for, and had the time to be more. */
    const settle = async (count: number): Promise<void> => {
      for (let turn = 0; turn < 300 && scanned().length < count; turn++)
        await new Promise((resolve) => setTimeout(resolve, 10));
      await new Promise((resolve) => setTimeout(resolve, 80));
    };
    ahead.changed({ now: null, upcoming });
    await settle(0);
    expect(scanned()).toEqual([]);
    const now = { track: track(0), phase: "playing", positionMs: 0 } as const;
    ahead.changed({ now, upcoming: [first!, { ...track(1), id: "radio", source: stream }, ...others] });
    ahead.changed({ now, upcoming: [first!, { ...track(1), id: "radio", source: stream }, ...others] });
    await settle(4);
    expect(scanned()).toEqual(["wait1", "wait2", "wait3", "wait4"]);
    ahead.changed({ now, upcoming: others });
    await settle(6);
    expect(scanned()).toEqual(["wait1", "wait2", "wait3", "wait4", "wait5", "wait6"]);
    ahead.close();
  });

  test("says nothing of streams, which nobody can measure", async () => {
    const source = { stream: { url: "https://radio.test/", kind: "icy" as const } };
    await levelled.request({
      ...{ kind: "play.start", channel, track: "t1", source, positionMs: 0, paused: false },
    });
    expect(started()[0]).toMatchObject({ gainDb: -6 });
    expect(plane.requests.filter(({ kind }) => kind === "loudness.scan")).toEqual([]);
  });
});
