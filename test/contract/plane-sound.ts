import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import OpusScript from "opusscript";
import type { MediaPlane } from "../../src/media/plane.ts";
import type { PacketRecord } from "../../src/media/tracks/format.ts";
import { TrackReader } from "../../src/media/tracks/reader.ts";
import { dominantFrequency, findGaps, fromInt16, rmsDb } from "../support/measure.ts";
import { connect, localIce, pause, temporaryDirectory, until, Watched, writeTone } from "./plane-rig.ts";

/** What planes do that send and write real sound. */
export function describeSound(name: string, create: () => MediaPlane): void {
  describe(`${name}: sound`, () => {
    const directory = temporaryDirectory();
    const channel = "room";
    let tone: string;
    let recordings = 0;
    let a: Watched;
    let b: Watched;

    beforeAll(async () => {
      tone = await writeTone(path.join(directory(), "tone.wav"), 440, 2);
    });
    beforeEach(() => {
      [a, b] = [new Watched(create()), new Watched(create())];
    });
    afterEach(() => Promise.all([a.plane.close(), b.plane.close()]));

    const record = async (watched: Watched): Promise<string> => {
      const into = path.join(directory(), `r${recordings++}`);
      await mkdir(into);
      await watched.plane.request({
        kind: "record.start",
        channel,
        recording: "r",
        directory: into,
        speakers: ["a"],
      });
      return into;
    };
    const stopRecording = (watched: Watched): Promise<object> =>
      watched.plane.request({ kind: "record.stop", channel });

    test("what one plays the other records: that tone, at that level, every packet in order", async () => {
      await connect(a, b);
      const into = await record(b);
      const own = await record(a);
      await b.plane.request({ kind: "clip.keep", channel, speakers: ["a"], seconds: 120 });
      await a.play(channel, tone);
      await a.event("track.ended");
      await pause(300);
      await stopRecording(b);
      await stopRecording(a);
      const clip = path.join(into, "clip");
      await mkdir(clip);
      const request = { channel, recording: "c", directory: clip, seconds: 120 };
      const { files } = await b.plane.request({ kind: "clip.write", ...request });

      expect(b.all("record.track")).toEqual([
        { kind: "record.track", channel, recording: "r", speaker: "a", file: "voice-001.mvt", what: "voice" },
      ]);
      const { packets, reader } = await readPackets(path.join(into, "voice-001.mvt"));
      expect(reader.header).toMatchObject({ speaker: "a", what: "voice", hasClock: true });
      expect(reader.end).toMatchObject({ tornBytes: 0, closedInOrder: true });
      // 100 frames of tone and the silent tail; a packet more or less at either end is the network's business.
      expect(packets.length).toBeGreaterThanOrEqual(104);
      expect(packets.length).toBeLessThanOrEqual(106);
      // A clip has the same.
      expect(files).toEqual([{ speaker: "a", file: "voice-001.mvt", what: "voice" }]);
      const clipped = await readPackets(path.join(clip, "voice-001.mvt"));
      expect(clipped.packets).toEqual(packets);
      expect(clipped.reader.header).toMatchObject({ recording: "c", speaker: "a", hasClock: true });
      const first = packets[0]!;
      expect(packets.map(({ sequence }) => (sequence - first.sequence) & 0xffff)).toEqual(
        packets.map((_, i) => i),
      );
      // A machine that stalls for over 200 ms makes the clock skip frames' times, never parts of one.
      const steps = packets.slice(1).map((packet, i) => (packet.timestamp - packets[i]!.timestamp) >>> 0);
      expect(steps.filter((step) => step === 0 || step % 960 !== 0)).toEqual([]);
      expect(new Set(packets.map(({ ssrc }) => ssrc)).size).toBe(1);
      const samples = decode(packets);
      const middle = samples.subarray(24_000, 72_000);
      expect(dominantFrequency(middle, 48_000)).toBeCloseTo(440, 0);
      expect(rmsDb(middle)).toBeCloseTo(-6 - 3.01, 0);
      expect(findGaps(samples, 48_000)).toEqual([]);

      // The sender's own tap: the same stream.
      const music = await readPackets(path.join(own, "music-001.mvt"));
      expect(music.packets).toHaveLength(106);
      const sent = music.packets.map(({ payload }) => Buffer.from(payload).toString("base64"));
      const received = packets.map(({ payload }) => Buffer.from(payload).toString("base64"));
      const offset = sent.indexOf(received[0]!);
      expect(sent.slice(offset, offset + received.length)).toEqual(received);
    });

    test("a pause is a hole in time, not in the stream", async () => {
      await connect(a, b);
      const into = await record(b);
      await a.play(channel, tone);
      await a.event("track.started");
      await pause(300);
      await a.plane.request({ kind: "play.pause", channel });
      await pause(700);
      await a.plane.request({ kind: "play.resume", channel });
      await pause(300);
      await a.plane.request({ kind: "play.stop", channel });
      await pause(300);
      await stopRecording(b);
      const { packets } = await readPackets(path.join(into, "voice-001.mvt"));
      const steps = packets.slice(1).map((packet, i) => (packet.timestamp - packets[i]!.timestamp) >>> 0);
      const jumps = steps.filter((step) => step > 350 * 48);
      // 700 ms less 40 of fade and 120 of tail.
      expect(jumps).toHaveLength(1);
      expect(jumps[0]! / 48).toBeLessThan(1_500);
      expect(
        packets.slice(1).every((packet, i) => packet.sequence === ((packets[i]!.sequence + 1) & 0xffff)),
      ).toBe(true);
      const resumed = steps.indexOf(jumps[0]!) + 1;
      expect(packets[resumed]!.marker).toBe(true);
      // Media time and the clock agree over the pause: by the promptest packets, as a busy machine makes others late.
      const [before, after] = [packets.slice(0, resumed), packets.slice(resumed)].map((side) =>
        Math.min(
          ...side.map(
            ({ arrivalMs, timestamp }) => arrivalMs - ((timestamp - packets[0]!.timestamp) >>> 0) / 48,
          ),
        ),
      );
      expect(Math.abs(after! - before!)).toBeLessThan(300);
    });

    test("volume is heard", async () => {
      await connect(a, b);
      await a.plane.request({ kind: "play.volume", channel, percent: 25 });
      const into = await record(b);
      // The track's own gain comes to it: that of another changes nothing.
      await a.play(channel, tone, { gainDb: -20 });
      await a.plane.request({ kind: "play.gain", channel, track: "tone.wav", gainDb: 5 });
      await a.plane.request({ kind: "play.gain", channel, track: "other", gainDb: -40 });
      await a.event("track.ended");
      await stopRecording(b);
      const { packets } = await readPackets(path.join(into, "voice-001.mvt"));
      expect(rmsDb(decode(packets).subarray(24_000, 72_000))).toBeCloseTo(-6 - 12 + 5 - 3.01, 0);

      // And it is what is told of the speaker, who does not say how loud it is.
      const stats = await b.plane.request({ kind: "stats", channel });
      const { voice, packetsReceived, packetsMissed, missedRecently, arrivalJitterMs } = stats.peers[0]!;
      expect(Math.abs(voice.levelDbfs! - (-6 - 12 + 5 - 3.01))).toBeLessThan(1);
      expect(voice).toMatchObject({ dtx: false });
      expect(voice.soundAgeMs).toBeGreaterThanOrEqual(voice.packetAgeMs!);
      expect(packetsReceived).toBeGreaterThan(90);
      expect({ packetsMissed, missedRecently }).toEqual({ packetsMissed: 0, missedRecently: 0 });
      expect(arrivalJitterMs).toBeLessThan(100);
    });

    test("one stream goes to several listeners, one of whom may leave", async () => {
      const c = new Watched(create());
      try {
        await connect(a, b);
        await c.open(channel);
        const offer = await c.plane.request({ kind: "peer.offer", channel, peer: "a" });
        const answer = await a.plane.request({ kind: "peer.answer", channel, peer: "c", sdp: offer.sdp });
        await c.plane.request({ kind: "peer.accept", channel, peer: "a", sdp: answer.sdp });
        await c.event("peer.state", ({ state }) => state === "connected");
        await a.event("peer.state", ({ peer, state }) => peer === "c" && state === "connected");
        const into = await record(c);
        await a.play(channel, tone);
        await a.event("track.started");
        await pause(300);
        await b.plane.request({ kind: "channel.close", channel });
        await a.event("peer.state", ({ peer, state }) => peer === "b" && state === "closed");
        await a.event("track.ended");
        await pause(200);
        await stopRecording(c);
        const { packets } = await readPackets(path.join(into, "voice-001.mvt"));
        expect(packets.length).toBeGreaterThanOrEqual(104);
      } finally {
        await c.plane.close();
      }
    });

    test("one listener's own volume is heard by that one alone, kept over a new connection, and taken back", async () => {
      const c = new Watched(create());
      const toC = async (): Promise<void> => {
        const offer = await c.plane.request({ kind: "peer.offer", channel, peer: "a" });
        const answer = await a.plane.request({ kind: "peer.answer", channel, peer: "c", sdp: offer.sdp });
        const seen = c.events.length;
        await c.plane.request({ kind: "peer.accept", channel, peer: "a", sdp: answer.sdp });
        await until("a connection", () =>
          c.events.slice(seen).find((event) => event.kind === "peer.state" && event.state === "connected"),
        );
      };
      const level = async (into: string): Promise<number> => {
        const { packets } = await readPackets(path.join(into, "voice-001.mvt"));
        expect(
          packets.slice(1).every((one, i) => one.sequence === ((packets[i]!.sequence + 1) & 0xffff)),
        ).toBe(true);
        return rmsDb(decode(packets).subarray(24_000, 72_000));
      };
      try {
        await connect(a, b);
        await c.open(channel);
        await toC();
        await a.plane.request({ kind: "peer.volume", channel, peer: "c", percent: 25 });
        // It is for the name: another connection of it has it too.
        await toC();
        const [atB, atC] = [await record(b), await record(c)];
        await a.play(channel, tone);
        await a.event("track.ended");
        for (const one of [b, c]) await stopRecording(one);
        expect(await level(atB)).toBeCloseTo(-6 - 3.01, 0);
        expect(await level(atC)).toBeCloseTo(-6 - 12 - 3.01, 0);
        await a.plane.request({ kind: "peer.volume", channel, peer: "c", percent: 100 });
        const again = await record(c);
        await a.play(channel, tone, { track: "again" });
        await a.event("track.ended", ({ track }) => track === "again");
        await stopRecording(c);
        expect(await level(again)).toBeCloseTo(-6 - 3.01, 0);
      } finally {
        await c.plane.close();
      }
    });

    test("private addresses are not tried where that is forbidden", async () => {
      const ice = { ...localIce, allowPrivate: "false" as const };
      for (const { plane } of [a, b])
        await plane.request({ kind: "channel.open", channel, ice, bitrate: 64_000 });
      const offer = await a.plane.request({ kind: "peer.offer", channel, peer: "b" });
      const answer = await b.plane.request({ kind: "peer.answer", channel, peer: "a", sdp: offer.sdp });
      await a.plane.request({ kind: "peer.accept", channel, peer: "b", sdp: answer.sdp });
      await pause(1_500);
      const connected = [a, b]
        .flatMap((watched) => watched.all("peer.state"))
        .filter(({ state }) => state === "connected");
      expect(connected).toEqual([]);
    });

    test("a file without sound ends the track with the reason, and the next one plays", async () => {
      const broken = path.join(directory(), "broken.mp3");
      await writeFile(broken, "no sound at all".repeat(200));
      await a.open(channel);
      await a.play(channel, broken, { track: "broken" });
      const ended = await a.event("track.ended");
      expect(ended).toMatchObject({ track: "broken", reason: "failed" });
      expect(ended.detail).toContain("Invalid data");
      await a.play(channel, tone, { track: "good" });
      await a.event("track.started", ({ track }) => track === "good");
      await expect(a.plane.request({ kind: "probe", source: { path: broken } })).rejects.toMatchObject({
        code: "media_unreadable",
      });
      expect(await a.plane.request({ kind: "probe", source: { path: tone } })).toMatchObject({
        durationMs: 2_000,
      });
    });

    test("a recording into a directory that is gone is told", async () => {
      await connect(a, b);
      const nowhere = path.join(directory(), "nowhere");
      await expect(
        b.plane.request({ kind: "record.start", channel, recording: "r", directory: nowhere, speakers: [] }),
      ).rejects.toMatchObject({ code: "internal" });
    });

    test("what was recorded is on the disk while recording goes on", async () => {
      await connect(a, b);
      const into = await record(b);
      await a.play(channel, tone);
      await b.event("record.track");
      await pause(2_500);
      const { packets, reader } = await readPackets(path.join(into, "voice-001.mvt"));
      expect(packets.length).toBeGreaterThan(40);
      expect(reader.end).toMatchObject({ tornBytes: 0, closedInOrder: false });
      await until("its end", () => a.all("track.ended")[0]);
    });
  });
}

async function readPackets(file: string): Promise<{ packets: PacketRecord[]; reader: TrackReader }> {
  const reader = await TrackReader.open(file);
  const packets: PacketRecord[] = [];
  for await (const record of reader.records())
    if (record.type === "packet") packets.push({ ...record, payload: Uint8Array.from(record.payload) });
  return { packets, reader };
}

/** The left side of packets that follow one another, by another decoder than the plane's own library. */
function decode(packets: readonly PacketRecord[]): Float32Array {
  const decoder = new OpusScript(48_000, 2);
  try {
    const frames = packets.map(({ payload }) => {
      const bytes = decoder.decode(Buffer.from(payload));
      const samples = new Int16Array(bytes.length / 4);
      for (let i = 0; i < samples.length; i++) samples[i] = bytes.readInt16LE(i * 4);
      return fromInt16(samples);
    });
    const all = new Float32Array(frames.reduce((sum, frame) => sum + frame.length, 0));
    let at = 0;
    for (const frame of frames) {
      all.set(frame, at);
      at += frame.length;
    }
    return all;
  } finally {
    decoder.delete();
  }
}
