import { createCipheriv, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { InProcessPlane } from "../../src/media/in-process.ts";
import type { StreamTarget } from "../../src/media/plane.ts";
import { until, Watched } from "../contract/plane-rig.ts";
import { CaptureEngine, type CapturedOutput } from "../fakes/capture-engine.ts";
import { channelOf, dominantFrequency, rmsDb } from "../support/measure.ts";
import { encodedTone, Station } from "../support/radio.ts";
import { serveWeb, type Web } from "../support/web.ts";

/** Radio and HLS from servers of our own, through the whole media plane, known by their tones. */

let directory: string;
let engine: CaptureEngine;
let watched: Watched;
const closing: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "streams-"));
  engine = new CaptureEngine();
  const fetchPolicy = { allowHttp: true, allow: ["127.0.0.1"] };
  watched = new Watched(
    new InProcessPlane({ engine, clock: systemClock, log: silentLog, ffmpegPath: null, fetchPolicy }),
  );
});
afterAll(async () => {
  await watched.plane.close();
  for (const server of closing) await server.close();
  await rm(directory, { recursive: true, force: true });
});

const at = (name: string): string => path.join(directory, name);
const mp3 = (hertz: number): Promise<Buffer> => encodedTone(at(`${hertz}.mp3`), hertz, 6, ["-b:a", "128k"]);

/** A channel with one listener, in which a stream plays. */
async function play(channel: string, stream: StreamTarget, positionMs = 0): Promise<CapturedOutput> {
  await watched.open(channel);
  const output = engine.outputs.at(-1)!;
  await watched.plane.request({ kind: "peer.offer", channel, peer: "p" });
  const how = { track: channel, source: { stream }, positionMs, paused: false };
  await watched.plane.request({ kind: "play.start", channel, ...how });
  return output;
}

/** The tones that were heard, one after the other, each for 200 ms at least. */
function tones(output: CapturedOutput): number[] {
  const left = channelOf({ sampleRate: 48_000, channels: 2, samples: output.samples() }, 0);
  const window = 4_800;
  const heard = Array.from({ length: Math.floor(left.length / window) }, (_, i) => {
    const part = left.subarray(i * window, (i + 1) * window);
    return rmsDb(part) < -30 ? 0 : Math.round(dominantFrequency(part, 48_000) / 10) * 10;
  });
  const lasting = heard.filter((hertz, i) => hertz > 0 && hertz === heard[i + 1]);
  return lasting.filter((hertz, i) => hertz !== lasting[i - 1]);
}

async function hears(output: CapturedOutput, hertz: number): Promise<void> {
  await until(`${hertz} Hz after ${tones(output).join()}`, () => tones(output).at(-1) === hertz || undefined);
}

test("radio: heard with its titles, through a reset, live again after a pause", async () => {
  const sounds = await Promise.all([440, 660, 880, 1_100, 1_320].map(mp3));
  const programme = (i: number, title: string): { title: string; mp3: Buffer } => ({
    title,
    mp3: sounds[i]!,
  });
  const station = await Station.open(programme(0, "First - Don't stop"));
  closing.push(station);
  const output = await play("radio", { url: station.web.url("/live"), kind: "icy" });
  const titleIs = (title: string): Promise<unknown> =>
    watched.event("track.title", (event) => event.title === title);
  await watched.event("track.started", ({ track }) => track === "radio");
  await watched.plane.request({
    ...{ kind: "record.start", channel: "radio", recording: "r", directory, speakers: [] },
  });
  await hears(output, 440);
  await titleIs("First - Don't stop");

  station.plays(programme(1, "Second\u202e"));
  await hears(output, 660);
  await titleIs("Second");

  station.reset();
  station.plays(programme(2, "Third"));
  await hears(output, 880);
  await titleIs("Third");
  expect(watched.all("track.ended")).toEqual([]);

  await watched.plane.request({ kind: "play.pause", channel: "radio" });
  await until("no connection while it is paused", () => station.listeners === 0 || undefined);
  station.plays(programme(3, "Nobody hears this"));
  await new Promise((resolve) => setTimeout(resolve, 500));
  station.plays(programme(4, "Back"));
  await watched.plane.request({ kind: "play.resume", channel: "radio" });
  await hears(output, 1_320);
  await titleIs("Back");
  expect(tones(output)).toEqual([440, 660, 880, 1_320]);
  expect(await watched.event("record.track")).toMatchObject({ speaker: "music", what: "music" });
  await watched.plane.request({ kind: "record.stop", channel: "radio" });

  await watched.plane.request({ kind: "play.stop", channel: "radio" });
  await until("that it is left", () => station.listeners === 0 || undefined);
}, 30_000);

const SECONDS = 0.8;
const TS = ["-c:a", "aac", "-b:a", "96k", "-f", "mpegts"];

/** A site that serves these resources, byte ranges as well, and answers 404 to the rest. */
async function site(resources: ReadonlyMap<string, Uint8Array | (() => string)>): Promise<Web> {
  const web = await serveWeb((request, response) => {
    const found = resources.get(request.url ?? "");
    if (found === undefined) return response.writeHead(404).end();
    const whole = typeof found === "function" ? Buffer.from(found()) : found;
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (from === undefined || to === undefined) return response.end(whole);
    return response.writeHead(206).end(whole.subarray(Number(from), Number(to) + 1));
  });
  closing.push(web);
  return web;
}

const segments = (...hertz: number[]): Promise<Buffer[]> =>
  Promise.all(hertz.map((each) => encodedTone(at(`${each}.ts`), each, SECONDS, TS)));

test("HLS, live and complete at once", async () => {
  await Promise.all([liveHls(), completeHls()]);
}, 30_000);

/** The audio of a master playlist, segments as they come, missing ones left out, until its end. */
async function liveHls(): Promise<void> {
  const hertz = [400, 500, 600, 700, 800, 900, 1_000];
  const all = await segments(...hertz);
  const resources = new Map<string, Uint8Array | (() => string)>(
    all.map((bytes, i) => [`/live/${i}.ts`, bytes] as const),
  );
  resources.delete("/live/4.ts");
  let begun: number | null = null;
  resources.set("/live/audio.m3u8", () => {
    // One more each 600 ms; the window has four.
    const count = Math.min(
      hertz.length,
      4 + Math.floor((performance.now() - (begun ??= performance.now())) / 600),
    );
    const first = Math.max(0, count - 4);
    const lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", `#EXT-X-MEDIA-SEQUENCE:${first}`];
    for (let i = first; i < count; i++) lines.push(`#EXTINF:${SECONDS},`, `${i}.ts`);
    return [...lines, ...(count === hertz.length ? ["#EXT-X-ENDLIST"] : [])].join("\n");
  });
  const master = [
    '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2000000,RESOLUTION=640x360,CODECS="avc1.42e00a,mp4a.40.2"\nvideo.m3u8',
    '#EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS="mp4a.40.2"\naudio.m3u8',
  ].join("\n");
  resources.set("/live/index.m3u8", Buffer.from(master));
  const web = await site(resources);
  const output = await play("live", { url: web.url("/live/index.m3u8"), kind: "hls" });
  const ended = await watched.event("track.ended", ({ track }) => track === "live");
  expect(ended).toMatchObject({ reason: "finished" });
  expect(tones(output)).toEqual([400, 500, 600, 700, 900, 1_000]);
  expect(web.asked).not.toContain("/live/video.m3u8");
}

/** Encrypted segments, then parts of one file, from where it was left. */
async function completeHls(): Promise<void> {
  const [a, b, c] = await segments(450, 550, 650);
  const key = randomBytes(16);
  const encrypted = (bytes: Buffer, sequence: number): Buffer => {
    const iv = Buffer.alloc(16);
    iv[15] = sequence;
    const cipher = createCipheriv("aes-128-cbc", key, iv);
    return Buffer.concat([cipher.update(bytes), cipher.final()]);
  };
  const hls = ["-f", "hls", "-hls_time", "1", "-hls_segment_type", "fmp4", "-hls_flags", "single_file"];
  await encodedTone(at("parts.m3u8"), 750, 2, [
    ...["-c:a", "aac", "-hls_playlist_type", "vod"],
    ...[...hls, "-hls_fmp4_init_filename", "parts.m4s"],
  ]);
  const parts = await readFile(at("parts.m3u8"), "utf8");
  const text = [
    ...["#EXTM3U", "#EXT-X-TARGETDURATION:2", '#EXT-X-KEY:METHOD=AES-128,URI="/key"'],
    ...[`#EXTINF:${SECONDS},`, "a", `#EXTINF:${SECONDS},`, "b"],
    ...["#EXT-X-KEY:METHOD=NONE", `#EXTINF:${SECONDS},`, "c", "#EXT-X-DISCONTINUITY"],
    parts.slice(parts.indexOf("#EXT-X-MAP")),
  ].join("\n");
  const web = await site(
    new Map<string, Uint8Array>([
      ["/vod", Buffer.from(text)],
      ["/key", key],
      ["/a", encrypted(a!, 0)],
      ["/b", encrypted(b!, 1)],
      ["/c", c!],
      ["/parts.m4s", await readFile(at("parts.m4s"))],
    ]),
  );
  const output = await play("vod", { url: web.url("/vod"), kind: "hls" }, 1_000);
  const ended = await watched.event("track.ended", ({ track }) => track === "vod");
  expect(ended).toMatchObject({ reason: "finished" });
  expect(tones(output)).toEqual([550, 650, 750]);
  expect(web.asked).not.toContain("/a");
  const { durationMs } = await watched.event("track.length", ({ track }) => track === "vod");
  expect(Math.abs(durationMs - 4_400)).toBeLessThan(100);
  expect(Math.abs(ended.positionMs - 4_400)).toBeLessThan(300);
}

test("what the guard refuses is not asked for: the reason is told in a sentence", async () => {
  const resources = new Map<string, Uint8Array>();
  const web = await site(resources);
  const ended = async (track: string): Promise<unknown> =>
    watched.event("track.ended", (event) => event.track === track);
  await play("refused", { url: web.url("/x").replace("127.0.0.1", "127.0.0.2"), kind: "icy" });
  expect(await ended("refused")).toMatchObject({
    reason: "failed",
    say: { key: "fetch.own_network", params: { host: "127.0.0.2" } },
  });
  const inside = web.url("/inside").replace("127.0.0.1", "127.0.0.2");
  resources.set(
    "/list",
    Buffer.from(`#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${inside}\n#EXT-X-ENDLIST`),
  );
  await play("through", { url: web.url("/list"), kind: "hls" });
  expect(await ended("through")).toMatchObject({ reason: "failed", say: { key: "fetch.own_network" } });
  await play("gone", { url: web.url("/gone.m3u8"), kind: "hls" });
  expect(await ended("gone")).toMatchObject({ reason: "failed", say: { key: "fetch.status" } });
  expect(web.asked).toEqual(["/list", "/gone.m3u8"]);
});
