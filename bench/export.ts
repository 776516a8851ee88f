// How fast a recording is exported: each format of one track, the mixes, and everything, against ffmpeg alone that does the like with
// files that are already aligned. `npm run bench -- export` leaves bench/results/export.json. Nothing here passes or fails.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Encoder } from "@evan/opus";
import { silentLog } from "../src/base/log.ts";
import { systemClock } from "../src/base/system-clock.ts";
import { EXPORT_CHILD_OPTIONS, type ExportFormat } from "../src/recorder/exporter.ts";
import { alignedPackets } from "../src/recorder/export/align/packets.ts";
import { planTracks } from "../src/recorder/export/align/plan.ts";
import { exportRecording } from "../src/recorder/export/export.ts";
import { mixdown } from "../src/recorder/export/pcm/mixdown.ts";
import { writeTrack as exportTrack } from "../src/recorder/export/tracks.ts";
import { readJournal } from "../src/recorder/journal.ts";
import { exportJob, over, writeJournal, writeTrack, type Sent } from "../test/support/recording.ts";
import type { ExportFigures, ExportRow } from "./support/figures.ts";
import { environment, writeResult } from "./support/results.ts";
import { median } from "./support/statistics.ts";
import { exportTable } from "./support/tables.ts";

const quick = process.argv.includes("--quick");
const LENGTH_MS = 120_000;
const RUNS = quick ? 1 : 3;
const SPEAKERS = 4;
const FORMATS: readonly ExportFormat[] = ["opus", "flac", "wav"];
const clip = new URL("../audio/first-light.mp3", import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), "voicebot-export-"));
const deps = { clock: systemClock, log: silentLog };

/** A minute of sound as browsers send it: mono, 32 kbit/s, 20 ms. */
function minute(): Uint8Array[] {
  const decode = [
    "-v",
    "error",
    "-stream_loop",
    "-1",
    "-i",
    clip,
    "-t",
    "60",
    "-ac",
    "1",
    "-ar",
    "48000",
    "-f",
    "s16le",
    "-",
  ];
  const { stdout } = spawnSync("ffmpeg", decode, { maxBuffer: 2 ** 26 });
  const encoder = new Encoder({ channels: 1, sample_rate: 48_000, application: "voip" });
  encoder.bitrate = 32_000;
  const pcm = new Int16Array(stdout.buffer, stdout.byteOffset, stdout.length >> 1);
  return Array.from({ length: Math.floor(pcm.length / 960) }, (_, i) =>
    encoder.encode(pcm.subarray(i * 960, (i + 1) * 960)).slice(),
  );
}

/** Speakers who all speak all the time, each with a clock of their own: nothing is only copied. */
async function record(directory: string, packets: readonly Uint8Array[], lengthMs: number): Promise<void> {
  mkdirSync(directory);
  await writeJournal(directory, [{ kind: "stop", reason: "command", byUserId: null, atMs: lengthMs }]);
  for (let speaker = 0; speaker < SPEAKERS; speaker++) {
    const slow = 1 + (speaker + 1) * 40e-6;
    const sent: Sent[] = [];
    for (let i = 0; i * 20 * slow < lengthMs; i++) {
      const payload = packets[(i + speaker * 700) % packets.length]!;
      sent.push({ sentMs: i * 20 * slow + 0.3, sequence: i & 0xffff, timestamp: (i * 960) >>> 0, payload });
    }
    await writeTrack(
      directory,
      `voice-00${speaker + 1}.mvt`,
      { speaker: `s${speaker}` },
      over(sent, { ssrc: speaker }),
    );
  }
}

/** CPU time of this process and of all programs that it has started and that have ended, ms. */
function cpuMs(): number {
  const fields = readFileSync("/proc/self/stat", "latin1").split(") ")[1]!.split(" ");
  // proc(5): utime, stime, cutime, cstime, in hundredths of a second.
  return 10 * [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0);
}

interface Times {
  ms: number;
  cpuMs: number;
}

/** Medians of the runs. */
async function timed(run: () => Promise<unknown>, runs = RUNS): Promise<Times> {
  const times: Times[] = [];
  for (let i = 0; i < runs; i++) {
    const [from, cpuFrom] = [performance.now(), cpuMs()];
    await run();
    times.push({ ms: performance.now() - from, cpuMs: cpuMs() - cpuFrom });
  }
  const of = (key: keyof Times): number => Math.round(median(times.map((one) => one[key])));
  return { ms: of("ms"), cpuMs: of("cpuMs") };
}

async function ffmpeg(args: readonly string[]): Promise<void> {
  const child = spawn("ffmpeg", ["-nostdin", "-v", "error", "-y", ...args], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}`);
}

const CODECS: Record<ExportFormat, string[]> = {
  opus: ["-c:a", "libopus", "-b:a", "128k"],
  flac: ["-c:a", "flac", "-sample_fmt", "s16"],
  wav: ["-c:a", "pcm_s16le"],
};
const ENDINGS: Record<ExportFormat, string> = { opus: "ogg", flac: "flac", wav: "wav" };

async function rowsOf(directory: string): Promise<ExportRow[]> {
  const plan = await planTracks(directory, await readJournal(directory));
  const total = plan.timeline.totalSamples;
  const open: Parameters<typeof mixdown>[0]["open"] = (track, misplaced) =>
    alignedPackets(plan, track, misplaced);
  const onFrames = (): void => undefined;
  const aligned = (index: number): string => join(root, `aligned-${index}.ogg`);
  for (const [index, track] of plan.tracks.entries())
    await exportTrack({
      ...{ ...deps, ffmpeg: "ffmpeg", track, open, path: aligned(index), format: "opus", title: "x" },
      ...{ album: null, total, onFrames },
    });
  const rows: ExportRow[] = [];
  const keep = (row: ExportRow): void => {
    rows.push(row);
    console.error(JSON.stringify(row));
  };
  const path = join(root, "out");
  for (const format of FORMATS) {
    const track = plan.tracks[0]!;
    const ours = await timed(() =>
      exportTrack({
        ...{ ...deps, ffmpeg: "ffmpeg", track, open, path, format, title: "x" },
        album: null,
        total,
        onFrames,
      }),
    );
    const codec = format === "opus" ? ["-c:a", "copy"] : CODECS[format];
    const bare = ["-threads", "1", "-i", aligned(0), ...codec, "-threads", "1", `${path}.${ENDINGS[format]}`];
    keep({ what: "track", format, speakers: 1, ours, ffmpeg: await timed(() => ffmpeg(bare)) });
  }
  for (const format of FORMATS) {
    const outputs = [{ what: "mix" as const, path, tags: {} }];
    const ours = await timed(() =>
      mixdown({ ...deps, ffmpeg: "ffmpeg", tracks: plan.tracks, open, format, outputs, total, onFrames }),
    );
    const inputs = plan.tracks.flatMap((_, index) => ["-threads", "1", "-i", aligned(index)]);
    const graph = `amix=inputs=${SPEAKERS}:duration=longest:normalize=0,alimiter=level=disabled:limit=0.891:latency=1`;
    const bare = [
      ...[...inputs, "-filter_complex_threads", "1", "-filter_complex", graph, ...CODECS[format]],
      ...["-threads", "1", "-ac", "2", `${path}.${ENDINGS[format]}`],
    ];
    keep({ what: "mixes", format, speakers: SPEAKERS, ours, ffmpeg: await timed(() => ffmpeg(bare)) });
  }
  for (const format of quick ? [] : FORMATS) {
    const job = exportJob(directory, { format, zip: true });
    const ours = await timed(() => exportRecording(job, { ...deps, onProgress: () => undefined }), 1);
    keep({ what: "everything", format, speakers: SPEAKERS, ours, ffmpeg: null });
  }
  return rows;
}

/** The largest resident set of a child that exports. */
async function peakOf(directory: string): Promise<number> {
  const entry = new URL("../src/recorder/export/export-child.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [...EXPORT_CHILD_OPTIONS, entry], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  let peak = 0;
  child.on("message", (message: { type: string }) => {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    peak = Math.max(peak, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) * 1024);
    if (message.type !== "progress") child.disconnect();
  });
  child.send(exportJob(directory, { format: "flac", zip: true }));
  await once(child, "exit");
  return peak;
}

try {
  const packets = minute();
  const short = join(root, "short");
  const long = join(root, "long");
  await record(short, packets, LENGTH_MS);
  const rows = await rowsOf(short);
  let peakBytes = { short: 0, long: 0 };
  if (!quick) {
    await record(long, packets, LENGTH_MS * 16);
    peakBytes = { short: await peakOf(short), long: await peakOf(long) };
  }
  const figures: ExportFigures = { lengthMs: LENGTH_MS, runs: RUNS, rows, peakBytes };
  if (!quick) writeResult("export", { environment: environment("npm run bench -- export"), figures });
  console.log(exportTable(figures));
  console.log(`memory of the child: ${JSON.stringify(peakBytes)}`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
