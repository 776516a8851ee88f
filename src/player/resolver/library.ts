import { opendir, realpath } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import type { StoredSource } from "../queue.ts";
import { confinedFile, isAudioName, plainSegments } from "./confine.ts";
import { matchNames } from "./match.ts";
import type { Ask, Found, Resolver } from "./resolver.ts";

/** More files than this are not listed by name (they still play by their path). */
const MAX_FILES = 20_000;
const MAX_DEPTH = 12;
const REFRESH_MS = 15_000;

/** The operator's media folder. People reach regular audio files in it, and nothing else of the machine. */
export class Library implements Resolver {
  readonly kind = "library";
  readonly #root: string;
  readonly #clock: Clock;
  #listing: { atMs: number; paths: Promise<string[]> } | null = null;

  /** @param root may not exist (yet): then nothing is found. */
  constructor({ root, clock }: { root: string; clock: Clock }) {
    this.#root = root;
    this.#clock = clock;
  }

  async resolve(ask: Ask): Promise<Found | null> {
    if (ask.kind !== "words") return null;
    const query = ask.text.trim();
    const exact = plainSegments(query);
    if (exact && (await this.#confined(exact))) return found(query);
    const match = matchNames(query, await this.#paths());
    if (match.kind === "one") return found(match.path);
    const names = match.nearest.map(stem).join("\n");
    if (match.kind === "many") {
      throw new BotError("ambiguous", "several files match", {
        say: { key: "play.ambiguous", params: { query, count: match.count, names } },
      });
    }
    throw new BotError("not_found", "no file matches", {
      say: names
        ? { key: "play.not_found_nearest", params: { query, names } }
        : { key: "play.not_found", params: { query } },
    });
  }

  /** How many files can be played by name. */
  async count(): Promise<number> {
    return (await this.#paths()).length;
  }

  async open(source: StoredSource): Promise<string> {
    const segments = source.kind === "library" ? plainSegments(source.path) : null;
    const path = segments && (await this.#confined(segments));
    if (path) return path;
    const query = source.kind === "library" ? stem(source.path) : "";
    throw new BotError("not_found", "the file is gone", {
      say: { key: "play.file_gone", params: { query } },
    });
  }

  async #confined(segments: string[]): Promise<string | null> {
    try {
      return await confinedFile(await realpath(this.#root), segments);
    } catch {
      return null;
    }
  }

  /** Paths relative to the root, listed again when the last listing is older than 15 s. */
  #paths(): Promise<string[]> {
    const now = this.#clock.now();
    if (this.#listing && now - this.#listing.atMs < REFRESH_MS) return this.#listing.paths;
    const paths = list(this.#root);
    this.#listing = { atMs: now, paths };
    return paths;
  }
}

/** All audio files below `root`: bounded in number and depth, hidden ones and links to folders left out. */
async function list(root: string): Promise<string[]> {
  const paths: string[] = [];
  let realRoot: string;
  try {
    realRoot = await realpath(root);
  } catch {
    return paths;
  }
  const folders: string[][] = [[]];
  for (let folder = folders.shift(); folder && paths.length < MAX_FILES; folder = folders.shift()) {
    try {
      for await (const entry of await opendir(join(realRoot, ...folder))) {
        if (entry.name.startsWith(".") || paths.length >= MAX_FILES) continue;
        const segments = [...folder, entry.name];
        if (entry.isDirectory()) {
          if (segments.length < MAX_DEPTH) folders.push(segments);
        } else if (isAudioName(entry.name)) {
          const linked = entry.isSymbolicLink() && !(await confinedFile(realRoot, segments));
          if (!linked && (entry.isFile() || entry.isSymbolicLink())) paths.push(segments.join("/"));
        }
      }
    } catch {
      continue; // Not readable, or gone meanwhile: the rest still counts.
    }
  }
  return paths.sort();
}

const stem = (path: string): string => basename(path, extname(path));

const found = (path: string): Found => ({
  source: { kind: "library", path },
  title: stem(path),
  durationMs: null,
});
