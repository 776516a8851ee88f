// What a recording's folder has of each speaker, and how much of it is missing.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { TrackReader } from "../../src/media/tracks/reader.ts";

export interface RecordedFile {
  file: string;
  speaker: string;
  what: "voice" | "music";
  /** In order of arrival, which is monotonic ms of the machine. */
  packets: { arrivalMs: number; sequence: number; timestamp: number; ssrc: number }[];
  /** Sequence numbers between the first and the last that are not there. */
  missing: number;
}

/** Every track file of a folder, by name, as far as readers believe it. Files of which nothing reached the disk are left out. */
export async function packetsIn(directory: string): Promise<RecordedFile[]> {
  const files: RecordedFile[] = [];
  for (const file of (await readdir(directory)).sort()) {
    if (!/^(voice|music)-\d+\.mvt$/.test(file)) continue;
    const reader = await TrackReader.open(join(directory, file)).catch(() => null);
    if (reader === null) continue;
    const packets: RecordedFile["packets"] = [];
    for await (const record of reader.records()) {
      if (record.type !== "packet") continue;
      const { arrivalMs, sequence, timestamp, ssrc } = record;
      packets.push({ arrivalMs, sequence, timestamp, ssrc });
    }
    const { speaker, what } = reader.header;
    files.push({ file, speaker, what, packets, missing: missingOf(packets) });
  }
  return files;
}

/** Of each stream by itself. */
function missingOf(packets: RecordedFile["packets"]): number {
  let missing = 0;
  for (const ssrc of new Set(packets.map((packet) => packet.ssrc))) {
    const of = packets.filter((packet) => packet.ssrc === ssrc);
    const first = of[0]?.sequence ?? 0;
    const seen = new Set(of.map(({ sequence }) => (sequence - first) & 0xffff));
    // What came late may be before the first.
    const highest = Math.max(...[...seen].filter((offset) => offset < 0x8000));
    missing += highest + 1 - [...seen].filter((offset) => offset < 0x8000).length;
  }
  return missing;
}

/** A line of figures. */
export function lossReport(what: string, lostMs: readonly number[]): string {
  const sorted = lostMs.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.round(share * (sorted.length - 1))] ?? 0).toFixed(0);
  return `lost by ${what}: median ${at(0.5)} ms, most ${at(1)} ms (${sorted.length} times)`;
}
