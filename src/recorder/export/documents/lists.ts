import { oneLine, render, type Language, type Sentence } from "../../../base/messages/catalogue.ts";
import { shortTime } from "../../../base/duration.ts";
import { clip, safeTitle } from "../../names.ts";
import type { Mark } from "./marks.ts";

/** Who is there when it begins did not come. */
const FROM_THE_START_MS = 1_000;
const MAX_LABEL = 200;
/** Players show chapters in a list; this is a long one. */
const MAX_CHAPTERS = 255;
const VERSION = "1.2.0";

/** The labels of an audio editor: one line each, begin and end in seconds and a text, with tabs between (Audacity's format). */
export function labelsOf(marks: readonly Mark[], language: Language): string {
  return marks
    .filter((mark) => mark.kind !== "joined" || mark.atMs > FROM_THE_START_MS)
    .map((mark) => {
      const toMs = mark.kind === "gap" ? mark.toMs : mark.atMs;
      return `${seconds(mark.atMs)}\t${seconds(toMs)}\t${textOf(mark, language)}\n`;
    })
    .join("");
}

export interface Chapter {
  atMs: number;
  title: string;
}

/** Notes as chapters; what is before the first one is a chapter, too. None without notes. */
export function chaptersOf(marks: readonly Mark[], language: Language): Chapter[] {
  const notes = marks.flatMap((mark) => (mark.kind === "note" ? [mark] : [])).slice(0, MAX_CHAPTERS);
  const first = notes[0];
  if (!first) return [];
  const beginning = { atMs: 0, title: say({ key: "export.beginning" }, language) };
  return [
    ...(first.atMs >= 1_000 ? [beginning] : []),
    ...notes.map(({ atMs, text }, index) => ({
      // Players take a first chapter that begins later for a fault.
      atMs: index === 0 && atMs < 1_000 ? 0 : atMs,
      title: short(oneLine(text)),
    })),
  ];
}

/** Chapters as podcasts have them (podcast namespace, JSON chapters 1.2). */
export function chaptersJson(
  chapters: readonly Chapter[],
  { title, file }: { title: string; file: string },
): string {
  const list = chapters.map(({ atMs, title }) => ({ startTime: Math.round(atMs) / 1000, title }));
  return `${JSON.stringify({ version: VERSION, title, fileName: file, chapters: list }, null, 2)}\n`;
}

/** Chapters as comments of Ogg and FLAC files, for ffmpeg's `-metadata`. */
export function chapterTags(chapters: readonly Chapter[]): Record<string, string> {
  return Object.fromEntries(
    chapters.flatMap(({ atMs, title }, index) => {
      const name = `CHAPTER${String(index).padStart(3, "0")}`;
      return [
        [name, timeOf(atMs)],
        [`${name}NAME`, title],
      ];
    }),
  );
}

/** A mark in a line for people. */
export function textOf(mark: Mark, language: Language): string {
  return short(say(sentenceOf(mark), language));
}

function sentenceOf(mark: Mark): Sentence {
  switch (mark.kind) {
    case "note":
      return { key: "export.mark_note", params: { text: mark.text, name: safeTitle(mark.name) } };
    case "joined":
      return { key: "export.mark_joined", params: { name: safeTitle(mark.name) } };
    case "left":
      return { key: "export.mark_left", params: { name: safeTitle(mark.name) } };
    case "gap":
      return { key: "export.mark_gap", params: { length: shortTime(mark.toMs - mark.atMs) } };
    case "paused":
      return { key: "export.mark_paused", params: { length: shortTime(mark.lengthMs) } };
    case "removed":
      return { key: "export.mark_removed" };
  }
}

const say = (sentence: Sentence, language: Language): string => oneLine(render(sentence, language).text);
const short = (text: string): string => clip(text, MAX_LABEL, 4 * MAX_LABEL);
const seconds = (ms: number): string => (ms / 1000).toFixed(6);

/** HH:MM:SS.mmm. */
function timeOf(ms: number): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const whole = Math.round(ms);
  const [hours, minutes, secs] = [
    Math.floor(whole / 3_600_000),
    Math.floor(whole / 60_000) % 60,
    Math.floor(whole / 1000) % 60,
  ];
  return `${two(hours)}:${two(minutes)}:${two(secs)}.${String(whole % 1000).padStart(3, "0")}`;
}
