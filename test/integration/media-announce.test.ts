import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { InProcessPlane } from "../../src/media/in-process.ts";
import type { PlaneEvent } from "../../src/media/plane.ts";
import { TrackReader } from "../../src/media/tracks/reader.ts";
import { CaptureEngine } from "../fakes/capture-engine.ts";
import { channelOf, findClicks, toneDb } from "../support/measure.ts";
import { until, writeTone } from "../contract/plane-rig.ts";

const WINDOW = 2_400; // 50 ms: whole periods of both tones
const channel = "room";

test("announcements sound at their own level, one after the other, over music that glides down by 12 dB and back", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "announce-"));
  const engine = new CaptureEngine();
  const plane = new InProcessPlane({ engine, clock: systemClock, log: silentLog, ffmpegPath: null });
  const events: PlaneEvent[] = [];
  plane.onEvent((event) => events.push(event));
  try {
    const into = path.join(directory, "recording");
    await mkdir(into);
    const music = await writeTone(path.join(directory, "music.wav"), 440, 20);
    const clip = await writeTone(path.join(directory, "clip.wav"), 1_500, 0.3);
    const ice = { servers: [], allowPrivate: "true" as const };
    await plane.request({ kind: "channel.open", channel, ice, bitrate: 128_000 });
    await plane.request({ kind: "peer.offer", channel, peer: "p" });
    await plane.request({
      ...{ kind: "record.start", channel, recording: "r", directory: into, speakers: [] },
    });
    // Half the amplitude: -6 dB, which is the music's, not the announcement's.
    await plane.request({ kind: "play.volume", channel, percent: 50 });
    const track = { track: "t", source: { path: music }, positionMs: 0, paused: false };
    await plane.request({ kind: "play.start", channel, ...track });
    await until("its start", () => events.find(({ kind }) => kind === "track.started"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (let i = 0; i < 2; i++)
      await plane.request({ kind: "announce.play", channel, source: { path: clip } });
    const left = (): Float32Array =>
      channelOf({ sampleRate: 48_000, channels: 2, samples: engine.outputs[0]!.samples() }, 0);
    const of = (hertz: number, samples: Float32Array): number[] =>
      Array.from({ length: Math.floor(samples.length / WINDOW) }, (_, i) =>
        toneDb(samples.subarray(i * WINDOW, (i + 1) * WINDOW), 48_000, hertz),
      );
    const soundingIn = (levels: readonly number[]): number[] =>
      levels.flatMap((db, i) => (db > -12 ? [i] : []));
    // A busy machine takes its time to start a decoder: until both were heard and the music is back.
    const { frames } = engine.outputs[0]!;
    let [loud, lastLoud, seen] = [0, 0, 0];
    await until(
      "both",
      () => {
        for (; seen < frames.length; seen++) {
          // The announcement is twice as loud as the music ever is.
          if (!frames[seen]!.pcm.some((value) => value > 12_000)) continue;
          loud++;
          lastLoud = seen;
        }
        return loud >= 22 && seen > lastLoud + 45 ? true : undefined;
      },
      15_000,
    );
    await plane.request({ kind: "play.stop", channel });
    await plane.request({ kind: "record.stop", channel });

    const samples = left();
    const [announced, played] = [of(1_500, samples), of(440, samples)];
    const sounding = soundingIn(announced);
    // Two clips of 0.3 s, each at the level of its file: 0.5 of full scale is -6 dB, as RMS 3 less.
    expect(Math.abs(sounding.length - 12)).toBeLessThanOrEqual(4);
    const middle = announced[sounding[2]!]!;
    expect(Math.abs(middle - -9.03)).toBeLessThan(0.5);
    expect(Math.abs(played[sounding[0]! - 3]! - -15.05)).toBeLessThan(0.5);
    for (const at of [sounding[3]!, sounding.at(-2)!])
      expect(Math.abs(played[at]! - (-15.05 - 12.04))).toBeLessThan(0.7);
    // Between the two it stays down, behind them it comes back.
    const between = played.slice(sounding[3], sounding.at(-1));
    expect(Math.max(...between)).toBeLessThan(-25);
    expect(Math.abs(played[sounding.at(-1)! + 14]! - -15.05)).toBeLessThan(0.5);
    expect(findClicks(samples, 48_000)).toEqual([]);

    expect(events).toContainEqual(expect.objectContaining({ kind: "record.track", speaker: "music" }));
    const reader = await TrackReader.open(path.join(into, "music-001.mvt"));
    let packets = 0;
    for await (const record of reader.records()) if (record.type === "packet") packets++;
    // All but the silence that follows the end.
    expect(engine.outputs[0]!.frames.length - packets).toBeLessThanOrEqual(8);
    expect(packets).toBeGreaterThan(50);
  } finally {
    await plane.close();
    await rm(directory, { recursive: true, force: true });
  }
}, 40_000);
