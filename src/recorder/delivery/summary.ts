import { clockTime } from "../../base/duration.ts";
import { render, type Language, type Sentence } from "../../base/messages/catalogue.ts";
import type { JournalEntry } from "../journal.ts";

export interface SummaryFacts {
  entries: readonly JournalEntry[];
  /** Files in the room. */
  files: number;
  /** All of it is in one file. */
  zip: boolean;
  durationMs: number;
  recovered: boolean;
  language: Language;
  prefix: string;
}

/** More would be a wall of text; all of them are in info.txt. */
const MAX_NOTES = 20;
const MAX_TEXT = 200;

/** What is said when the files are there: title, length, number; what has to be known about it; the notes. */
export function summaryOf(facts: SummaryFacts): Sentence {
  const { entries, files, durationMs, recovered, language, zip, prefix } = facts;
  const start = entries.find((entry) => entry.kind === "start");
  if (start?.what === "clip") {
    return { key: "clip.delivered", params: { length: clockTime(durationMs), by: start.byName } };
  }
  const params = { count: files, length: clockTime(durationMs) };
  const key = recovered ? "record.recovered" : zip ? "record.delivered_zip" : "record.delivered";
  const lines: Sentence[] = [];
  if (start?.title != null) lines.push({ key: "record.summary_title", params: { title: start.title } });
  const gaps = entries.filter(({ kind }) => kind === "gap").length;
  if (gaps > 0) lines.push({ key: "record.summary_gaps", params: { count: gaps } });
  const unclocked = entries.filter((entry) => entry.kind === "track" && entry.hasClock === false).length;
  if (unclocked > 0) lines.push({ key: "record.summary_unclocked", params: { count: unclocked } });
  const erased = new Set(entries.filter((entry) => entry.kind === "erased").map(({ userId }) => userId)).size;
  if (erased > 0) lines.push({ key: "record.summary_erased", params: { count: erased } });
  const notes = entries.filter((entry) => entry.kind === "note");
  for (const note of notes.slice(0, MAX_NOTES)) {
    const at = clockTime(recordedMs(entries, note));
    const [text, name] = [note.text.slice(0, MAX_TEXT), note.byName];
    lines.push({ key: "record.summary_note", params: { at, text, name } });
  }
  if (notes.length > MAX_NOTES) {
    lines.push({ key: "record.summary_more_notes", params: { count: notes.length - MAX_NOTES } });
  }
  if (start?.number != null) {
    lines.push({ key: "record.summary_number", params: { number: start.number, prefix } });
  }
  if (lines.length === 0) return { key, params };
  const list = lines.map((line) => `– ${render(line, language).text}`).join("\n");
  return { key: "record.summary", params: { head: render({ key, params }, language).text, list } };
}

/** How much had been recorded when an entry was made: pauses do not count. */
export function recordedMs(entries: readonly JournalEntry[], until: JournalEntry): number {
  const start = entries.find((entry) => entry.kind === "start");
  if (!start) return 0;
  let pausedMs = 0;
  let pausedAt: number | null = null;
  for (const entry of entries) {
    if (entry === until) break;
    if (entry.kind === "paused") pausedAt ??= entry.atMs;
    if (entry.kind === "unpaused" && pausedAt !== null) {
      pausedMs += entry.atMs - pausedAt;
      pausedAt = null;
    }
  }
  return Math.max(0, (pausedAt ?? until.atMs) - start.atMs - pausedMs);
}
