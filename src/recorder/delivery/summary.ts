import { clockTime } from "../../base/duration.ts";
import { render, type Language, type Sentence } from "../../base/messages/catalogue.ts";
import type { Told } from "./told.ts";

export interface SummaryFacts {
  title: string | null;
  /** What people call it by; null: it has none yet. */
  number: number | null;
  told: Told;
  /** It is a clip, for this person; null: a recording. */
  clipFor: string | null;
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
  const { title, number, told, files, durationMs, recovered, language, zip, prefix } = facts;
  if (facts.clipFor !== null) {
    return { key: "clip.delivered", params: { length: clockTime(durationMs), by: facts.clipFor } };
  }
  const params = { count: files, length: clockTime(durationMs) };
  const key = recovered ? "record.recovered" : zip ? "record.delivered_zip" : "record.delivered";
  const lines: Sentence[] = [];
  if (title !== null) lines.push({ key: "record.summary_title", params: { title } });
  lines.push(...told.problems);
  for (const { atMs, text, name } of told.notes.slice(0, MAX_NOTES)) {
    const note = { at: clockTime(atMs), text: text.slice(0, MAX_TEXT), name };
    lines.push({ key: "record.summary_note", params: note });
  }
  if (told.notes.length > MAX_NOTES) {
    lines.push({ key: "record.summary_more_notes", params: { count: told.notes.length - MAX_NOTES } });
  }
  if (number !== null) lines.push({ key: "record.summary_number", params: { number, prefix } });
  if (lines.length === 0) return { key, params };
  const list = lines.map((line) => `– ${render(line, language).text}`).join("\n");
  return { key: "record.summary", params: { head: render({ key, params }, language).text, list } };
}
