// Small looks at the machine and at files. None of them throws.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
export const cache = join(root, ".cache");
/** The Node of the lock file, which everything but the set-up runs on. */
export const node = join(root, "node_modules", ".bin", "node");
export const minute = 60_000;

/** Somebody has to do something; the message says what. */
export class SetupError extends Error {}

export function onPath(name) {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      fs.accessSync(path, fs.constants.X_OK);
      return path;
    } catch {
      // Not in this one.
    }
  }
  return null;
}

export function succeeds(command, args) {
  return spawnSync(command, args, { stdio: "ignore", timeout: minute }).status === 0;
}

export function readText(path) {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

export function readJson(path) {
  const text = readText(path);
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

export function hash(files) {
  const sum = createHash("sha256");
  for (const file of files)
    sum
      .update(file.slice(root.length))
      .update("\0")
      .update(readText(file) ?? "")
      .update("\0");
  return sum.digest("hex");
}
