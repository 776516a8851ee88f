// What a bench leaves behind: one small JSON file for each, with the machine that it ran on.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";

const root = new URL("../../", import.meta.url).pathname;

export interface Environment {
  readonly date: string;
  readonly command: string;
  readonly machine: string;
  readonly system: string;
  /** Of Node and of what the figures depend on. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface Result<T> {
  readonly environment: Environment;
  readonly figures: T;
}

const version = (name: string): string => {
  try {
    const text = readFileSync(join(root, "node_modules", name, "package.json"), "utf8");
    return (JSON.parse(text) as { version: string }).version;
  } catch {
    return "none";
  }
};

export function environment(command: string): Environment {
  const release =
    /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? process.platform;
  const packages = ["node-datachannel", "@roamhq/wrtc", "@evan/opus"];
  return {
    date: new Date().toISOString().slice(0, 10),
    command,
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    system: release,
    versions: {
      node: process.versions.node,
      ...Object.fromEntries(packages.map((name) => [name, version(name)])),
    },
  };
}

/** Writes `bench/results/NAME.json`. */
export function writeResult<T>(name: string, result: Result<T>): void {
  mkdirSync(join(root, "bench/results"), { recursive: true });
  writeFileSync(join(root, `bench/results/${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

export function readResult<T>(name: string): Result<T> | null {
  try {
    return JSON.parse(readFileSync(join(root, `bench/results/${name}.json`), "utf8")) as Result<T>;
  } catch {
    return null;
  }
}
