// Looks for a voice in everything that lies below a folder: its packets, byte by byte, in every file of whatever kind, and
// its tone in whatever can be decoded.
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { Decoder } from "@evan/opus";
import { TrackReader } from "../../src/media/tracks/reader.ts";
import { decodeFile } from "./decode.ts";
import { fromInt16, toneDb } from "./measure.ts";

/** Long enough that no two packets of noise share it; shorter ones are silence. */
const NEEDLE_BYTES = 24;
const RATE = 48_000;

export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** How many of the packets are in each file, by name below the folder; files without any are left out. */
export async function packetsBelow(
  directory: string,
  packets: readonly { readonly payload: Uint8Array }[],
): Promise<Record<string, number>> {
  const needles = packets
    .map(({ payload }) => Buffer.from(payload))
    .filter(({ length }) => length >= 2 * NEEDLE_BYTES)
    .map((payload) => payload.subarray(NEEDLE_BYTES / 2, NEEDLE_BYTES / 2 + NEEDLE_BYTES));
  if (needles.length < packets.length / 2)
    throw new Error("most of these packets say too little to look for");
  const found: Record<string, number> = {};
  for (const path of await filesBelow(directory)) {
    // Files of a running bot may go.
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    const count = needles.filter((needle) => bytes.includes(needle)).length;
    if (count > 0) found[relative(directory, path)] = count;
  }
  return found;
}

/** The loudest half second of a tone, in dBFS, in each file that can be decoded: track files and exports. */
export async function toneBelow(directory: string, hz: number): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const path of await filesBelow(directory)) {
    const name = relative(directory, path);
    if (/(voice|music)-\d+\.mvt$/.test(name)) found[name] = loudest(await decodeTrack(path), hz);
    else if (/\.(ogg|flac|wav|opus)$/.test(name)) found[name] = loudest((await decodeFile(path)).samples, hz);
  }
  return found;
}

/**
 * The loudest half second of a tone, in dBFS; 48 kHz, mono. Behind a window, so that other tones that begin and end do not
 * count. Speech reaches -50 at most at any one frequency; a tenth of a second of a tone is 14 dB quieter than the tone.
 */
export function loudest(samples: Float32Array, hz: number): number {
  let best = -200;
  const step = WINDOW.length / 2;
  for (let at = 0; at + WINDOW.length <= samples.length; at += step) {
    const part = samples.subarray(at, at + WINDOW.length).map((sample, i) => sample * WINDOW[i]!);
    best = Math.max(best, toneDb(part, RATE, hz));
  }
  return best;
}

/** Of Hann, with the gain of none for a tone. */
const WINDOW = Float32Array.from(
  { length: RATE / 2 },
  (_, i) => 1 - Math.cos((2 * Math.PI * i) / (RATE / 2 - 1)),
);

async function decodeTrack(path: string): Promise<Float32Array> {
  const decoder = new Decoder({ channels: 1, sample_rate: RATE });
  const pcm: Float32Array[] = [];
  const reader = await TrackReader.open(path);
  for await (const record of reader.records()) {
    if (record.type !== "packet") continue;
    const bytes = decoder.decode(record.payload);
    pcm.push(fromInt16(new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1)));
  }
  const samples = new Float32Array(pcm.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const frame of pcm) {
    samples.set(frame, at);
    at += frame.length;
  }
  return samples;
}
