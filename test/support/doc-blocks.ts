// The code blocks of the documents, and what is to become of each: what stands behind the language of a shell block says it.
//
//   ```sh run=SUITE             run by the test of that name, in the order of the page
//   ```sh run=SUITE-started     a program that goes on; the one before it is ended
//   ```sh run=SUITE-stopped     run when that program has ended
//   ```sh not-run="reason"
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export interface Block {
  /** From the root of the project. */
  readonly file: string;
  /** Of its first fence, from 1. */
  readonly line: number;
  readonly language: string;
  /** What follows the language. */
  readonly mark: string;
  readonly text: string;
}

const ROOT = new URL("../../", import.meta.url).pathname;

/** Every page for people: those of the root, of docs/, and the readmes elsewhere that they lead to. */
export function pages(): string[] {
  const inFolder = (folder: string): string[] =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name));
  return [...inFolder("."), ...inFolder("docs"), "audio/README.md", "test/unit/channel/README.md"];
}

export const readPage = (file: string): string => readFileSync(join(ROOT, file), "utf8");

/** The fenced blocks of a page. @throws when one has no end */
export function blocksOf(file: string): Block[] {
  const blocks: Block[] = [];
  const lines = readPage(file).split("\n");
  for (let at = 0; at < lines.length; at++) {
    const [, indent, fence, language, mark] = /^( *)(`{3,})(\S*)\s*(.*)$/.exec(lines[at] ?? "") ?? [];
    if (indent === undefined || fence === undefined) continue;
    const end = lines.indexOf(indent + fence, at + 1);
    if (end === -1) throw new Error(`${file}:${at + 1}: a block without an end`);
    const text = lines.slice(at + 1, end).map((line) => line.slice(indent.length));
    blocks.push({ file, line: at + 1, language: language ?? "", mark: mark ?? "", text: text.join("\n") });
    at = end;
  }
  return blocks;
}

/** A page without its code: what is neither between fences nor in backticks. */
export function proseOf(file: string): string {
  return readPage(file)
    .replaceAll(/^( *)(`{3,}).*\n[^]*?^\1\2$/gm, "")
    .replaceAll(/`[^`\n]*`/g, "");
}
