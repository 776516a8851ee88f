// A thousand short recordings, one after the other, in one process, with real files: nothing grows but the disk; and a start
// with all of them there.
import { readdirSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { mkdtemp, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import type { Clock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { RecordingArchive } from "../../src/recorder/archive.ts";
import { recordingIds } from "../../src/recorder/care/folder.ts";
import { listRecordings, type ListedRecording } from "../../src/recorder/care/list.ts";
import { verifyRecording } from "../../src/recorder/care/verify.ts";
import type { Exporter, Splitter } from "../../src/recorder/exporter.ts";
import { JOURNAL_FILE } from "../../src/recorder/journal.ts";
import { RoomRecorder } from "../../src/recorder/recorder.ts";
import { Recording } from "../../src/media/tracks/recording.ts";
import { Store } from "../../src/store/store.ts";
import { FakeClock } from "../fakes/clock.ts";
import { FakeDelivery } from "../fakes/delivery.ts";
import { FakePlane } from "../fakes/plane.ts";
import { ann, FakeConsent, HOST, ROOM } from "../support/recorder-rig.ts";

const COUNT = 1_000;
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

let dataDir: string;
let clock: FakeClock;
let store: Store;
let plane: FakePlane;
let room: FakeDelivery;
let exports: string[];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "voicebot-thousand-"));
  clock = new FakeClock();
  store = Store.open({ dataDir, clock, log: silentLog });
  plane = new FakePlane({ clock });
  room = new FakeDelivery(ROOM);
  exports = [];
});
afterAll(async () => {
  await plane.close();
  store.close();
  await rm(dataDir, { recursive: true, force: true });
});

const exporter: Exporter & Splitter = {
  export: (directory) => {
    exports.push(directory);
    return Promise.resolve({ durationMs: 20, tracks: [], documents: [], mixProblem: null });
  },
  split: () => Promise.resolve([]),
};
const newArchive = (by: Clock): RecordingArchive =>
  new RecordingArchive({
    ...{ dataDir, clock: by, log: silentLog, prefix: "!", index: store.recordings, exporter },
    room: (roomId) => (roomId === ROOM ? room : null),
  });

/** What the plane writes of one short word: a real file. */
async function speak(id: string): Promise<void> {
  const recording = await Recording.open({
    ...{ recording: id, directory: join(dataDir, "recordings", id), clock },
    ...{ engine: { name: "test", hasClock: true }, speakers: ["ann"] },
    events: { onTrack: () => undefined, onFailed: (detail) => expect(detail).toBe("") },
  });
  recording.packet("ann", {
    ...{ kind: "opus", payload: new Uint8Array(80), ssrc: 1, sequence: 1, timestamp: 960, marker: true },
    ...{ arrivalMs: clock.now(), levelDbov: -20 },
  });
  await recording.close();
}

const handles = (): number => readdirSync("/proc/self/fd").length;
const heap = (): number => {
  collect();
  return process.memoryUsage().heapUsed / 1e6;
};

test("starting and stopping a thousand times: handles, timers and memory stay", async () => {
  const archive = newArchive(clock);
  const recorder = new RoomRecorder({
    ...{ roomId: ROOM, channel: ROOM, prefix: "!", plane, archive, clock, log: silentLog },
    ...{ consent: new FakeConsent(), limits: {}, displayName: () => "Host" },
    people: { list: () => [ann], onChange: () => () => undefined },
    tell: () => undefined,
    say: () => Promise.resolve(true),
    freeBytes: () => Promise.resolve(1e12),
  });
  const ice = { servers: [], allowPrivate: "auto" } as const;
  await plane.request({
    kind: "channel.open",
    channel: ROOM,
    ice: { ...ice, servers: [] },
    bitrate: 128_000,
  });
  const samples: { handles: number; timers: number; heapMb: number; firstMs: number }[] = [];
  for (let index = 0; index < COUNT; index++) {
    const startedMs = performance.now();
    await recorder.start({ userId: HOST });
    const status = recorder.status();
    if (status.phase !== "recording") throw new Error("it does not record");
    const firstMs = performance.now() - startedMs;
    await speak(status.id);
    clock.tick(1_000);
    await recorder.stop("command", HOST);
    // Its requests are the test's own memory.
    plane.requests.length = 0;
    if (index % 100 === 99) {
      while (archive.counts.waiting > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      samples.push({ handles: handles(), timers: clock.pending, heapMb: heap(), firstMs });
    }
  }
  console.log(JSON.stringify(samples.map((one) => ({ ...one, heapMb: Math.round(one.heapMb * 10) / 10 }))));
  await recorder.close();
  await archive.close();
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) throw new Error("no samples");
  expect(exports).toHaveLength(COUNT);
  expect(last.handles).toBeLessThanOrEqual(first.handles + 2);
  expect(last.timers).toBeLessThanOrEqual(first.timers);
  // 900 more recordings; what the fakes keep of each (a name, a sentence) is in it.
  expect(last.heapMb - first.heapMb).toBeLessThan(5);
}, 600_000);

/** How long it took, and how much of that was computing of this process. */
async function took(work: () => Promise<void>): Promise<string> {
  const [startedMs, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return `${(performance.now() - startedMs).toFixed(0)} ms (${((user + system) / 1e3).toFixed(0)} ms computing)`;
}

test("a start with all of them there: nothing is exported or sent again, listed in one go", async () => {
  const said = room.said.length;
  // As they are when the bot is started again: not of the last quarter of an hour.
  const anHourAgo = (systemClock.wall() - 3_600_000) / 1000;
  for (const id of await recordingIds(dataDir))
    await utimes(join(dataDir, "recordings", id, JOURNAL_FILE), anHourAgo, anHourAgo);
  const archive = newArchive(systemClock);
  const found = await took(() => archive.findInterrupted());
  const recovered = await took(() => archive.recover());
  let listed: ListedRecording[] = [];
  const listing = await took(async () => {
    listed = await listRecordings(dataDir, false);
  });
  await archive.close();
  console.log(
    `start with ${COUNT} delivered recordings: looking for one that goes on ${found}, recovering ${recovered}; ` +
      `listing ${listing}; index ${(await stat(join(dataDir, "bot.db"))).size} bytes`,
  );
  expect(listed).toHaveLength(COUNT);
  expect(new Set(listed.map(({ state }) => state))).toEqual(new Set(["delivered"]));
  expect([exports.length, room.said.length]).toEqual([COUNT, said]);
  for (const { id } of listed.slice(-5)) {
    const report = await verifyRecording(join(dataDir, "recordings", id));
    expect([report.verdict, report.problems]).toEqual(["whole", []]);
  }
}, 120_000);
