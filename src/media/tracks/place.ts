import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";

/** Numbers of the next files below one directory. */
export interface NextNumbers {
  voice: number;
  music: number;
}

/** Name of a track file. */
export function trackName(what: keyof NextNumbers, number: number): string {
  return `${what}-${String(number).padStart(3, "0")}.mvt`;
}

/** Behind every number that was ever used there, erased files included. @throws what the system said */
export async function nextNumbers(directory: string): Promise<NextNumbers> {
  const next = { voice: 1, music: 1 };
  for (const name of await readdir(directory)) {
    const match = /^(voice|music)-(\d+)\.(?:mvt|erased)$/.exec(name);
    if (!match) continue;
    const what = match[1] === "music" ? "music" : "voice";
    next[what] = Math.max(next[what], Number(match[2]) + 1);
  }
  return next;
}

/** Leaves an empty file `….erased` beside where the track `file` was, so that its number is never used again. */
export async function retireNumber(file: string): Promise<void> {
  // A disk without room for a name must not keep the voice from being deleted.
  await writeFile(file.replace(/\.mvt$/, ".erased"), "").catch(() => undefined);
}

let bootId: string | null = null;

/** Identifies this run of the machine, in which monotonic times compare. */
export function readBootId(): string {
  try {
    bootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    bootId = randomUUID();
  }
  return bootId;
}
