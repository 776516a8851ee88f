import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { shortTime } from "../../base/duration.ts";
import type { Sentence } from "../../base/messages/catalogue.ts";

/** What of info.json people are told in the room; the rest is for who opens the files. */
const infoSchema = z.object({
  notes: z
    .array(z.object({ atMs: z.number(), text: z.string(), by: z.object({ name: z.string() }) }))
    .catch([]),
  gaps: z.array(z.object({ fromMs: z.number(), toMs: z.number() })).catch([]),
  removedTracks: z.number().catch(0),
  tracks: z
    .array(
      z.object({
        what: z.string(),
        title: z.string(),
        report: z
          .object({
            hasClock: z.boolean(),
            packets: z.object({ lostPercent: z.number() }),
            level: z.object({ clippedMs: z.number(), silentPercent: z.number() }),
          })
          .nullable()
          .catch(null),
      }),
    )
    .catch([]),
});

/** What has to be known of a recording. */
export interface Told {
  /** `atMs` of the exported sound. */
  notes: { atMs: number; text: string; name: string }[];
  /** What is amiss, the most important first. */
  problems: Sentence[];
}

const MAX_PROBLEMS = 8;
const LOST_PERCENT = 2;
const CLIPPED_MS = 1_000;
const SILENT_PERCENT = 99.9;

/** Reads what the export says of itself; nothing where there is no such file. Never rejects. */
export async function readTold(directory: string): Promise<Told> {
  try {
    return toldOf(JSON.parse(await readFile(join(directory, "export", "info.json"), "utf8")));
  } catch {
    return { notes: [], problems: [] };
  }
}

function toldOf(json: unknown): Told {
  const info = infoSchema.parse(json);
  const problems: Sentence[] = [];
  if (info.gaps.length > 0) {
    const lengthMs = info.gaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
    const params = { count: info.gaps.length, length: shortTime(lengthMs) };
    problems.push({ key: "record.summary_gaps", params });
  }
  if (info.removedTracks > 0) {
    problems.push({ key: "record.summary_erased", params: { count: info.removedTracks } });
  }
  for (const { what, title: name, report } of info.tracks) {
    if (what !== "voice" || report === null) continue;
    const { hasClock, packets, level } = report;
    if (level.silentPercent >= SILENT_PERCENT)
      problems.push({ key: "record.summary_silent", params: { name } });
    if (packets.lostPercent >= LOST_PERCENT) {
      problems.push({
        key: "record.summary_lost",
        params: { name, percent: Math.round(packets.lostPercent) },
      });
    }
    if (level.clippedMs >= CLIPPED_MS) {
      problems.push({ key: "record.summary_clipped", params: { name, length: shortTime(level.clippedMs) } });
    }
    if (!hasClock) problems.push({ key: "record.summary_unclocked", params: { name } });
  }
  const notes = info.notes.map(({ atMs, text, by }) => ({ atMs, text, name: by.name }));
  return { notes, problems: problems.slice(0, MAX_PROBLEMS) };
}
