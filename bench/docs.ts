// Writes the tables of docs/BENCHMARKS.md whose figures are in bench/results: `node bench/docs.ts`.
import { readFileSync, writeFileSync } from "node:fs";
import type {
  AlignmentFigures,
  CpuFigures,
  ExportFigures,
  LibraryFigures,
  MemoryFigures,
  PlayerFigures,
  RecorderFigures,
  SeekFigures,
  SetupFigures,
} from "./support/figures.ts";
import { readResult, type Result } from "./support/results.ts";
import {
  alignmentTable,
  cpuTable,
  exportTable,
  libraryTable,
  memoryTable,
  playerTable,
  recorderTable,
  seekTable,
  setupTable,
} from "./support/tables.ts";

const path = new URL("../docs/BENCHMARKS.md", import.meta.url).pathname;

/** Between `<!-- NAME: made by bench/docs.ts -->` and `<!-- NAME: end -->`. */
function replace<T>(
  text: string,
  name: string,
  result: Result<T> | null,
  table: (figures: T) => string,
): string {
  const begin = `<!-- ${name}: made by bench/docs.ts -->\n`;
  const from = text.indexOf(begin);
  const to = text.indexOf(`<!-- ${name}: end -->`);
  if (from === -1 || to < from) throw new Error(`the markers of "${name}" are missing`);
  if (result === null) return text;
  const { date, command, machine, system, versions } = result.environment;
  const libraries = Object.entries(versions).map(([library, version]) => `${library} ${version}`);
  const where = `${date}, ${machine}, ${system}, ${libraries.join(", ")}, \`${command}\``;
  return `${text.slice(0, from + begin.length)}\n${where}\n\n${table(result.figures)}\n\n${text.slice(to)}`;
}

let text = readFileSync(path, "utf8");
text = replace(text, "cpu", readResult<CpuFigures>("cpu"), cpuTable);
text = replace(text, "cpu-wrtc", readResult<CpuFigures>("cpu-wrtc"), cpuTable);
text = replace(text, "setup", readResult<SetupFigures>("setup"), setupTable);
text = replace(text, "player", readResult<PlayerFigures>("player"), playerTable);
text = replace(text, "seek", readResult<SeekFigures>("seek"), seekTable);
text = replace(text, "memory", readResult<MemoryFigures>("memory"), memoryTable);
text = replace(text, "recorder", readResult<RecorderFigures>("recorder"), recorderTable);
text = replace(text, "export", readResult<ExportFigures>("export"), exportTable);
text = replace(text, "alignment", readResult<AlignmentFigures>("alignment"), alignmentTable);
text = replace(text, "library", readResult<LibraryFigures>("library"), libraryTable);
writeFileSync(path, text);
