import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { alignedPackets } from "../../../../src/recorder/export/align/packets.ts";
import { planTracks, type RecordingPlan } from "../../../../src/recorder/export/align/plan.ts";
import type { AlignedPacket, Misplaced, TrackPlan } from "../../../../src/recorder/export/align/types.ts";
import type { JournalFact } from "../../../../src/recorder/journal.ts";
import { farEvents, type FarClock } from "../../../support/far-clock.ts";
import { capturedMsOf, Errors, payloadOf, writeFarTrack } from "../../../support/far-recording.ts";
import { journalOf, writeGarbage, writeTrack } from "../../../support/recording.ts";

let directory: string;
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), "voicebot-align-"))));
afterEach(() => rm(directory, { recursive: true, force: true }));

const WAY = [{ atMs: 0, thereMs: 20, backMs: 20 }];
const CLOCK = { seed: 1, fromMs: 1_000, lengthMs: 20_000, driftPpm: 100, routes: WAY } satisfies FarClock;
const STOP = { kind: "stop", reason: "command", byUserId: null, atMs: 60_000 } as const;
const joined = (key: string, userId: string, atMs: number) =>
  ({ kind: "joined", key, userId, name: userId, atMs }) as const;

const plan = (facts: readonly (JournalFact & { atMs: number })[]): Promise<RecordingPlan> =>
  planTracks(directory, journalOf([...facts, STOP]));

async function read(from: RecordingPlan, track: TrackPlan) {
  const packets: AlignedPacket[] = [];
  const misplaced: Misplaced = { late: 0, outside: 0 };
  for await (const packet of alignedPackets(from, track, misplaced)) packets.push(packet);
  // What everybody who reads them builds on.
  for (const [i, { startSample, endSample, samples, contiguous }] of packets.entries()) {
    const before = packets[i - 1]?.endSample ?? 0;
    const gap = startSample - before;
    const fine = (contiguous ? gap >= 0 && gap < 1 : gap >= 0) && startSample < from.timeline.totalSamples;
    if (!fine || Math.abs(endSample - startSample - samples) > samples / 2)
      throw new Error(JSON.stringify({ before, startSample, endSample, samples, contiguous }));
  }
  return { packets, misplaced };
}

test("packets come sorted, once, at their place, with what was lost before them", async () => {
  const rough = { ...CLOCK, loss: 0.05, reordered: 0.05, doubled: 0.05, jitterMs: 2 };
  const events = farEvents(rough);
  await writeFarTrack(directory, "voice-001.mvt", { speaker: "k" }, events);
  const found = await plan([joined("k", "@k:x", 0)]);
  expect(found.tracks).toHaveLength(1);
  const { packets } = await read(found, found.tracks[0]!);
  const sent = new Set(events.flatMap((event) => (event.type === "packet" ? [event.sequence] : [])));
  expect(packets).toHaveLength(sent.size);
  const errors = new Errors();
  for (const packet of packets) errors.packet(packet);
  expect(errors.maxMs).toBeLessThan(5);
  const { stats } = found.tracks[0]!;
  expect(stats.packets).toBe(sent.size);
  expect(stats.duplicates).toBe(events.filter(({ type }) => type === "packet").length - sent.size);
  expect(stats.reordered).toBeGreaterThan(10);
  expect(stats.lost).toBe(packets.reduce((sum, { lostBefore }) => sum + lostBefore, 0));
  expect(stats.lostPercent).toBeCloseTo(100 * (stats.lost / (stats.lost + stats.packets)), 6);
  expect(stats.lost).toBeGreaterThan(10);
  const short = packets.filter(({ concealable }) => concealable);
  expect(short.length).toBeGreaterThan(5);
  for (const { lostBefore } of short) expect(lostBefore).toBeLessThanOrEqual(6);
});

test("silence of the sender is not loss", async () => {
  await writeFarTrack(directory, "voice-001.mvt", { speaker: "k" }, farEvents({ ...CLOCK, dtx: true }));
  const found = await plan([]);
  const { packets } = await read(found, found.tracks[0]!);
  expect(found.tracks[0]!.stats).toMatchObject({ lost: 0, gaps: 0 });
  const pauses = packets.filter(({ contiguous, fresh }) => !contiguous && !fresh);
  expect(pauses.length).toBeGreaterThan(5);
  for (const { lostBefore, concealable } of pauses) expect([lostBefore, concealable]).toEqual([0, false]);
});

test("who comes back under the same key goes on in the same track; a key that changes hands begins another", async () => {
  const later = { ...CLOCK, seed: 2, fromMs: 25_000, lengthMs: 5_000, ssrc: 8, firstTimestamp: 5 };
  await writeFarTrack(directory, "voice-001.mvt", { speaker: "k" }, [
    ...farEvents(CLOCK),
    ...farEvents(later),
  ]);
  const other = { ...CLOCK, seed: 3, fromMs: 40_000, lengthMs: 5_000 };
  await writeFarTrack(directory, "voice-002.mvt", { speaker: "k" }, farEvents(other));
  const found = await plan([
    joined("k", "@ann:x", 0),
    joined("k", "@ann:x", 24_000),
    joined("k", "@bob:x", 39_000),
  ]);
  expect(found.tracks.map(({ owner, segments }) => [owner.userId, segments.length])).toEqual([
    ["@ann:x", 2],
    ["@bob:x", 1],
  ]);
  const ann = await read(found, found.tracks[0]!);
  expect(ann.packets.filter(({ fresh }) => fresh)).toHaveLength(2);
  expect(capturedMsOf(ann.packets.at(-1)!.payload)).toBeLessThan(30_001);
  const bob = await read(found, found.tracks[1]!);
  expect(bob.packets).toHaveLength(250);
  expect(Math.abs(bob.packets[0]!.startSample / 48 - 40_000)).toBeLessThan(5);
});

test("a key that changes hands in the middle of a clock is divided by arrival", async () => {
  await writeFarTrack(directory, "voice-001.mvt", { speaker: "k" }, farEvents(CLOCK));
  const found = await plan([joined("k", "@ann:x", 0), joined("k", "@bob:x", 11_000)]);
  const [ann, bob] = await Promise.all(found.tracks.map((track) => read(found, track)));
  expect(ann!.packets.length + bob!.packets.length).toBe(1_000);
  expect(Math.abs(ann!.packets.at(-1)!.endSample - bob!.packets[0]!.startSample)).toBeLessThan(1);
  expect(Math.abs(ann!.packets.at(-1)!.endSample / 48 - 10_980)).toBeLessThan(25);
});

test("paused time is on no track, and what follows comes that much earlier", async () => {
  const events = farEvents(CLOCK).filter(({ arrivalMs }) => arrivalMs < 5_000 || arrivalMs > 12_000);
  await writeFarTrack(directory, "voice-001.mvt", { speaker: "k" }, events);
  const found = await plan([
    { kind: "paused", byUserId: "@a:x", atMs: 5_000 },
    { kind: "unpaused", byUserId: "@a:x", atMs: 12_000 },
  ]);
  expect(found.timeline.totalSamples).toBe(53_000 * 48);
  const { packets } = await read(found, found.tracks[0]!);
  for (const { payload, startSample } of packets) {
    const capturedMs = capturedMsOf(payload);
    const wanted = capturedMs < 5_000 ? capturedMs : capturedMs - 7_000;
    expect(Math.abs(startSample / 48 - wanted)).toBeLessThan(5);
  }
  expect(packets.length).toBeGreaterThan(640);
});

test("a pause that nobody ended lasts until the end", async () => {
  await writeFarTrack(directory, "voice-001.mvt", { speaker: "k" }, farEvents(CLOCK));
  const found = await plan([{ kind: "paused", byUserId: "@a:x", atMs: 5_000 }]);
  expect(found.timeline.totalSamples).toBe(5_000 * 48);
  const { packets, misplaced } = await read(found, found.tracks[0]!);
  expect(packets.length).toBeLessThan(202);
  expect(misplaced.outside).toBeGreaterThan(790);
});

test("music is exactly where it was due, also after it stopped for a while", async () => {
  const frame = (index: number, dueMs: number, timestamp: number) => ({
    ...{ sentMs: dueMs, arrivalMs: dueMs, sequence: index, timestamp, ssrc: 0 },
    payload: payloadOf({ capturedMs: dueMs, talks: true }),
  });
  const music = [
    ...Array.from({ length: 100 }, (_, i) => frame(i, 3_000 + 20 * i, 960 * i)),
    ...Array.from({ length: 100 }, (_, i) => frame(100 + i, 9_000.5 + 20 * i, 288_024 + 960 * i)),
    ...Array.from({ length: 100 }, (_, i) => frame(200 + i, 12_345 + 20 * i, 7_000_000 + 960 * i)),
  ];
  await writeTrack(directory, "music-001.mvt", { speaker: "music", what: "music" }, music);
  const found = await plan([]);
  expect(found.tracks).toMatchObject([{ what: "music", hasClock: true }]);
  const { packets } = await read(found, found.tracks[0]!);
  expect(packets).toHaveLength(300);
  for (const { payload, startSample } of packets)
    expect(Math.abs(startSample / 48 - capturedMsOf(payload))).toBeLessThan(0.03);
});

test("what cannot be read is named, and a sender that makes up clocks is left", async () => {
  await writeGarbage(join(directory, "voice-001.mvt"));
  const hostile = farEvents({ ...CLOCK, lengthMs: 40_000 }).map((event, index) =>
    event.type === "packet" ? { ...event, ssrc: index, timestamp: (index * 2_654_435_761) >>> 0 } : event,
  );
  await writeFarTrack(directory, "voice-002.mvt", { speaker: "k" }, hostile);
  const found = await plan([]);
  expect(found.unreadable).toEqual(["voice-001.mvt"]);
  expect(found.tracks[0]!.segments.length).toBeLessThanOrEqual(1_000);
  expect(found.tracks[0]!.stats.damaged).toBeGreaterThanOrEqual(1_000);
  await read(found, found.tracks[0]!);
});

test("without a stop the recording ends with what is known last", async () => {
  await writeFarTrack(directory, "voice-001.mvt", { speaker: "k" }, farEvents(CLOCK));
  const { timeline } = await planTracks(directory, journalOf([joined("k", "@a:x", 0)]));
  expect(timeline.totalSamples / 48_000).toBeCloseTo(21, 0);
});

test("what goes on after the machine was started again is placed by the wall clock", async () => {
  const events = farEvents({
    ...CLOCK,
    lengthMs: 2_000,
    roundTrips: false,
    routes: [{ atMs: 0, thereMs: 0, backMs: 0 }],
  });
  const packets = events.flatMap((event) =>
    event.type === "packet" ? [{ ...event, sentMs: 0, payload: payloadOf(event) }] : [],
  );
  const { wallMs } = journalOf([]).start;
  const again = { startMs: 777_000, bootId: "boot-2", wallMs: wallMs + 30_000 };
  await writeTrack(directory, "voice-001.mvt", { speaker: "k" }, packets, again);
  const found = await plan([]);
  const { packets: placed } = await read(found, found.tracks[0]!);
  expect(placed[0]!.startSample / 48 - capturedMsOf(placed[0]!.payload)).toBeCloseTo(30_000, -1);
});
