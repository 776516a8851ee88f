import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { withTimeout } from "../../base/async.ts";
import type { Clock } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import { oneLine } from "../../base/messages/catalogue.ts";
import type { TrackSource } from "../../media/plane.ts";
import { stemOf } from "../library/catalogue.ts";
import type { Entry } from "../library/entry.ts";
import { MediaFolder, type MediaFolderOptions } from "../library/folder.ts";
import { isPlaylistName } from "../playlist/item.ts";
import { MAX_QUEUE, type StoredSource } from "../queue.ts";
import { confinedFile, plainSegments } from "./confine.ts";
import { filesOf, labelOf, matchFolders, matchNames, titleOf } from "./match.ts";
import { Undecided, type Ask, type Choice, type Found, type FoundMany, type Resolver } from "./resolver.ts";

const MAX_FOLDERS_SHOWN = 5;
/** A disk of the network that has gone away does not say so. */
const DISK_MS = 10_000;

/** The operator's media folder. People reach regular audio files in it, and nothing else of the machine. */
export class Library implements Resolver {
  readonly kind = "library";
  readonly #root: string;
  readonly #clock: Clock;
  readonly #folder: MediaFolder;

  /** @param options.root may not exist (yet): then nothing is found. */
  constructor(options: MediaFolderOptions) {
    this.#root = options.root;
    this.#clock = options.clock;
    this.#folder = new MediaFolder(options);
  }

  /** Begins to list the folder, read its tags and watch it. Returns at once. */
  start(): void {
    this.#folder.start();
  }

  /** Idempotent. */
  close(): void {
    this.#folder.close();
  }

  async resolve(ask: Ask): Promise<Found | FoundMany | null> {
    if (ask.kind !== "words" || /^https?:\/\//i.test(ask.text.trim())) return null;
    const query = ask.text.trim();
    const { catalogue } = this.#folder;
    const exact = await this.exactly(query);
    if (exact) return exact;
    const known = await this.#known(query);
    if (known) return found(known, known.path);
    await this.#folder.current();
    if (query.endsWith("/")) return this.#wholeFolder(query);
    const match = matchNames(query, catalogue);
    if (match.kind === "one") return found(match.entry, match.entry.path);
    const choices = match.nearest.map(choice);
    const names = choices.map(({ label }, i) => `${i + 1}. ${label}`).join("\n");
    if (match.kind === "many") {
      throw new Undecided("ambiguous", choices, {
        key: "play.ambiguous",
        params: { query, count: match.count, names },
      });
    }
    throw new Undecided(
      "not_found",
      choices,
      names
        ? { key: "play.not_found_nearest", params: { query, names } }
        : { key: "play.not_found", params: { query } },
    );
  }

  async search(text: string, limit: number): Promise<{ choices: Choice[]; more: boolean }> {
    await this.#folder.known();
    const { isListed, catalogue } = this.#folder;
    if (isListed || catalogue.search(text, 1).count === 0) await this.#folder.current();
    const { hits } = this.#folder.catalogue.search(text, limit + 1);
    const choices = hits.slice(0, limit).map(({ entry }) => choice(entry));
    return { choices, more: hits.length > limit };
  }

  /** How many files can be played by name. */
  async count(): Promise<number> {
    await this.#folder.current();
    return this.#folder.catalogue.size;
  }

  /** What is at exactly this path, unless it leads out of the folder. */
  async exactly(path: string): Promise<Found | null> {
    const segments = plainSegments(path);
    if (!segments || !(await this.#confined(segments))) return null;
    return found(this.#folder.catalogue.get(path), path);
  }

  /** Paths of the playlists that are there. */
  async playlists(): Promise<string[]> {
    await this.#folder.current();
    return [...this.#folder.playlists()];
  }

  /** The file that a playlist's path leads to, and what the folder is called; null when there is none in it. */
  async playlistFile(path: string): Promise<{ roots: readonly string[]; file: string } | null> {
    const segments = plainSegments(path, isPlaylistName);
    if (!segments) return null;
    try {
      const root = await realpath(this.#root);
      const file = await confinedFile(root, segments, isPlaylistName);
      return file === null ? null : { roots: [root, resolve(this.#root)], file };
    } catch {
      return null;
    }
  }

  async open(source: StoredSource): Promise<TrackSource> {
    const segments = source.kind === "library" ? plainSegments(source.path) : null;
    const path = segments && (await this.#confined(segments));
    if (path) return { path };
    const query = source.kind === "library" ? stemOf(source.path) : "";
    throw new BotError("not_found", "the file is gone", {
      say: { key: "play.file_gone", params: { query } },
    });
  }

  /** As an album's cover is usually called, in the folder of the file. */
  async beside(source: StoredSource): Promise<string | null> {
    const segments = source.kind === "library" ? plainSegments(source.path) : null;
    for (const name of segments ? PICTURES : []) {
      const path = await this.#confined([...(segments ?? []).slice(0, -1), name], isPictureName);
      if (path) return path;
    }
    return null;
  }

  /** Right after a start, before all is listed: what the last run knew by this name, if it is there still. */
  async #known(query: string): Promise<Entry | null> {
    await this.#folder.known();
    if (this.#folder.isListed || query.endsWith("/")) return null;
    const match = matchNames(query, this.#folder.catalogue);
    const segments = match.kind === "one" ? plainSegments(match.entry.path) : null;
    return match.kind === "one" && segments && (await this.#confined(segments)) ? match.entry : null;
  }

  #wholeFolder(query: string): FoundMany {
    const { catalogue } = this.#folder;
    const [folder, ...others] = matchFolders(query.replace(/\/+$/, ""), catalogue);
    if (folder === undefined) {
      throw new BotError("not_found", "no such folder", {
        say: { key: "play.no_folder", params: { query } },
      });
    }
    if (others.length > 0) {
      const names = [folder, ...others].slice(0, MAX_FOLDERS_SHOWN).map((name) => `${oneLine(name)}/`);
      const params = { query, count: others.length + 1, names: names.join("\n") };
      throw new BotError("ambiguous", "several folders match", {
        say: { key: "play.ambiguous_folder", params },
      });
    }
    const files = filesOf(folder, catalogue, MAX_QUEUE);
    return { title: folder, items: files.map((entry) => found(entry, entry.path)) };
  }

  async #confined(segments: string[], isWanted?: (name: string) => boolean): Promise<string | null> {
    const looking = realpath(this.#root).then(
      (root) => confinedFile(root, segments, isWanted),
      () => null,
    );
    return withTimeout(this.#clock, DISK_MS, "looking into the media folder", looking).catch(() => {
      throw new BotError("timeout", "the media folder hangs", { say: { key: "play.folder_hangs" } });
    });
  }
}

/** The first that is there counts. */
const PICTURES = ["jpg", "png", "jpeg", "webp"].flatMap((ending) =>
  ["cover", "folder", "front", "Cover", "Folder", "Front"].map((name) => `${name}.${ending}`),
);
const isPictureName = (name: string): boolean => /\.(jpe?g|png|webp)$/i.test(name);

const choice = (entry: Entry): Choice => ({ label: labelOf(entry), found: found(entry, entry.path) });

const found = (entry: Entry | null, path: string): Found => ({
  source: { kind: "library", path },
  title: entry ? titleOf(entry) : stemOf(path),
  artist: entry?.tags?.artist ?? null,
  durationMs: entry?.tags?.durationMs ?? null,
  isDescribed: Boolean(entry?.tags?.durationMs),
});
