import { clockTime } from "../base/duration.ts";
import { oneLine } from "../base/messages/catalogue.ts";
import type { Change } from "../recorder/care/change.ts";
import type { ListedRecording } from "../recorder/care/list.ts";
import type { HoleReason } from "../recorder/care/scan.ts";
import type { FileReport, Problem, VerifyReport } from "../recorder/care/verify.ts";

/** "812 B", "12.3 kB", "4.0 MB". */
export function sizeText(bytes: number): string {
  for (const [limit, unit] of [
    [1e9, "GB"],
    [1e6, "MB"],
    [1e3, "kB"],
  ] as const) {
    if (bytes >= limit) return `${(bytes / limit).toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}

/** A line for each. */
export function listText(recordings: readonly ListedRecording[]): string {
  return columns(
    recordings.map(({ id, startedAt, durationMs, bytes, state, what, roomId, title, problem }) => [
      id,
      startedAt === null ? "" : `${startedAt.slice(0, 16).replace("T", " ")} UTC`,
      durationMs === null ? "" : clockTime(durationMs),
      sizeText(bytes),
      what === "clip" ? `${state} clip` : state,
      oneLine(problem ?? roomId ?? ""),
      title === null ? "" : `“${oneLine(title)}”`,
    ]),
  );
}

/** What there is, file by file, and under it what is wrong. */
export function verifyText(report: VerifyReport): string {
  const { id, verdict, state, durationMs, files, exports, problems, repairedBytes } = report;
  const verdicts = {
    whole: "whole",
    damaged: "damaged, and of use",
    lost: "lost",
    newer: "of a later version",
  };
  const facts = [
    verdicts[verdict],
    state,
    ...(durationMs === null ? [] : [clockTime(durationMs)]),
    ...(repairedBytes > 0 ? [`${sizeText(repairedBytes)} were cut out of it by a repair`] : []),
  ];
  const rows = [
    ...files.map((file) => [file.file, sizeText(file.bytes), `${file.records} records`, ...aboutTrack(file)]),
    ...exports.map(({ file, bytes, whole }) => [
      oneLine(`export/${file}`),
      sizeText(bytes),
      whole ? "as it was made" : "not as it was made",
    ]),
  ];
  const lines = problems.map((problem) => {
    const todo = todoOf(problem, id);
    return `✗ ${oneLine(problemText(problem))}${todo === null ? "" : `\n  → ${todo}`}`;
  });
  const table = rows.length === 0 ? [] : [columns(rows).replaceAll(/^/gm, "  ")];
  return [`${id}: ${facts.join(", ")}`, ...table, ...lines].join("\n");
}

function aboutTrack(file: FileReport): string[] {
  if (file.what === "journal") return [];
  const { packets, firstMs, lastMs, speaker, epochs } = file;
  const span = firstMs === null || lastMs === null ? "" : `${clockTime(firstMs)} to ${clockTime(lastMs)}`;
  const runs = epochs.length > 1 ? [`${epochs.length} runs of the machine`] : [];
  return [[`${packets} packets`, ...runs].join(", "), span, oneLine(speaker ?? "")];
}

const WHY: Readonly<Record<HoleReason, string>> = {
  short: "a record that was not written to its end",
  zeros: "zeros",
  length: "a length that cannot be",
  checksum: "a wrong checksum",
};

function problemText(problem: Problem): string {
  switch (problem.code) {
    case "journal_missing":
      return "there is no journal: who spoke, and in which room, is not known";
    case "no_start":
      return "the journal has no readable beginning";
    case "no_end":
      return "it has no end: the bot was killed, and has not gone on with it yet";
    case "newer_version":
      return `${problem.file} has format version ${problem.version}: a later matrix-voice-bot wrote it, and that one can read it`;
    case "unreadable":
      return `${problem.file}: not one record in its ${problem.bytes} bytes can be read`;
    case "head":
      return `${problem.file}: its first bytes are not those of such a file; ${problem.records} records in it can be read`;
    case "torn":
      return `${problem.file}: the last ${problem.bytes} bytes are no record (${WHY[problem.why]})`;
    case "hole":
      return `${problem.file}: ${problem.bytes} bytes at ${problem.from} are no record (${WHY[problem.why]}); what is behind them is not read before a repair`;
    case "not_closed":
      return `${problem.file} was not closed in order: up to a second may be missing at its end`;
    case "no_header":
      return `${problem.file}: the record that says whose it is cannot be read`;
    case "malformed":
      return `${problem.file}: ${problem.records} records are not what their type says`;
    case "epochs":
      return problem.what === "backwards"
        ? `${problem.file}: its clock goes backwards`
        : `${problem.file}: packets before its first clock: their place in time is not sure`;
    case "other_recording":
      return `${problem.file} is of another recording (${problem.recording})`;
    case "track_missing":
      return `${problem.file} is gone`;
    case "export_missing":
      return `export/${problem.file} is gone`;
    case "export_size":
      return `export/${problem.file} has ${problem.bytes} bytes and was made with ${problem.expected}`;
  }
}

function todoOf({ mend }: Problem, id: string): string | null {
  if (mend === "repair") return `matrix-voice-bot recordings repair ${id}`;
  return mend === "export" ? `matrix-voice-bot recordings export ${id}` : null;
}

/** What a repair has done. */
export function changeLine(change: Change): string {
  switch (change.what) {
    case "cut":
      return `${change.file}: cut ${change.lostBytes} bytes that are no record`;
    case "joined":
      return `${change.file}: took out ${change.lostBytes} bytes that are no record; ${change.records} records behind them are there again`;
    case "header":
      return `${change.file}: wrote down again whose it is, as far as the journal says`;
    case "epoch":
      return `${change.file}: gave its packets a clock`;
    case "closed":
      return `${change.file}: gave it an end`;
    case "removed":
      return `${change.file}: removed, nothing was in it`;
    case "journal_rebuilt":
      return `the journal was written anew, with ${change.entries} entries of the old one`;
    case "ended":
      return "the recording has an end: the last that is known of it";
  }
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
