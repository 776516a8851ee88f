import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { SerialQueue, withTimeout } from "../../base/async.ts";
import type { Clock } from "../../base/clock.ts";
import { BoundedMap } from "../../base/collections.ts";
import { BotError, toBotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { MediaPlane } from "../../media/plane.ts";
import { contentKey } from "../loudness/key.ts";
import { CoverStore, type Cover } from "./store.ts";

export type { Cover } from "./store.ts";

/** Where a picture may be: in a file or a file itself, or at an address (a claim of somebody). */
export type PicturePlace = { path: string } | { url: string };

export interface CoversDeps {
  /** What was uploaded is remembered in its `cache`, and a cover is a file there while it is uploaded. */
  dataDir: string;
  /** @returns its mxc URI. @throws BotError as `MediaClient.uploadFile` */
  upload: (path: string, signal: AbortSignal) => Promise<string>;
  /** Whether the homeserver still has it. */
  has: (mxc: string, signal: AbortSignal) => Promise<boolean>;
  clock: Clock;
  log: Log;
}

export interface CoverAsk {
  /** The first that has one counts. */
  places: readonly PicturePlace[];
  plane: Pick<MediaPlane, "request">;
  /** Asked before something is uploaded. */
  mayUpload: () => boolean;
}

/** The file is 20 kB; what takes longer helps nobody. */
const UPLOAD_MS = 60_000;
/** After the homeserver has refused one. */
const REFUSED_MS = 600_000;
/** Rooms ask for one or two each. */
const MAX_WAITING = 100;
/** What failed, and what was seen to be there, in this run. */
const REMEMBERED = 1_000;
const FAILED_MS = 600_000;

/** Pictures for the cards of all rooms: made and uploaded once each, one after the other. Failing is nobody's trouble. */
export class Covers {
  readonly #deps: CoversDeps;
  readonly #store: CoverStore;
  readonly #serial = new SerialQueue();
  readonly #closing = new AbortController();
  readonly #directory: string;
  /** Until when what could not be looked at is left alone, by key. */
  readonly #failed = new BoundedMap<string, number>(REMEMBERED);
  readonly #there = new BoundedMap<string, true>(REMEMBERED);
  #waiting = 0;
  #refusedUntilMs = -Infinity;
  #cleared: Promise<unknown> | null = null;

  constructor(deps: CoversDeps) {
    this.#deps = deps;
    const cache = join(deps.dataDir, "cache");
    this.#directory = join(cache, "covers");
    this.#store = new CoverStore({ path: join(cache, "covers.db"), log: deps.log });
  }

  /** Null when there is none, or it cannot be had now. Never rejects. */
  async find(ask: CoverAsk): Promise<Cover | null> {
    if (this.#waiting >= MAX_WAITING) return null;
    this.#waiting++;
    try {
      return await this.#serial.run(() => this.#first(ask));
    } finally {
      this.#waiting--;
    }
  }

  /** Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#store.close();
  }

  async #first(ask: CoverAsk): Promise<Cover | null> {
    for (const place of ask.places) {
      if (this.#closing.signal.aborted) return null;
      const found = await this.#at(place, ask);
      if (found) return found;
    }
    return null;
  }

  async #at(place: PicturePlace, ask: CoverAsk): Promise<Cover | null> {
    const { clock, log } = this.#deps;
    const key = await keyOf(place).catch(() => null);
    if (key === null || clock.now() < (this.#failed.get(key) ?? -Infinity)) return null;
    try {
      const known = this.#store.get(key);
      if (known === "none") return null;
      if (known && (await this.#isThere(known))) return known;
      const made = await this.#make(place, ask);
      if (made) this.#store.put(key, made);
      return made === "none" ? null : made;
    } catch (error) {
      const { code, message } = toBotError(error);
      if (this.#closing.signal.aborted) return null;
      log.info("cover_failed", { code, reason: message.slice(0, 200) });
      // A plane that falls says nothing about the picture.
      if (code !== "media_plane_down") this.#failed.set(key, clock.now() + FAILED_MS);
      return null;
    }
  }

  /** Null: it may not be uploaded now. */
  async #make(place: PicturePlace, { plane, mayUpload }: CoverAsk): Promise<Cover | "none" | null> {
    // What a killed run has left.
    await (this.#cleared ??= rm(this.#directory, { recursive: true, force: true }).catch(() => undefined));
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const path = join(this.#directory, `${randomUUID()}.jpg`);
    try {
      const { size } = await plane.request({ kind: "cover.make", source: place, to: path });
      if (size === null) return "none";
      const image = `image ${createHash("sha256")
        .update(await readFile(path))
        .digest("hex")}`;
      const known = this.#store.get(image);
      if (known && known !== "none" && (await this.#isThere(known))) return known;
      const { clock } = this.#deps;
      if (clock.now() < this.#refusedUntilMs || !mayUpload()) return null;
      const cover: Cover = { mxc: await this.#upload(path), ...size };
      this.#there.set(cover.mxc, true);
      this.#store.put(image, cover);
      return cover;
    } finally {
      await rm(path, { force: true });
    }
  }

  async #upload(path: string): Promise<string> {
    const { clock, upload } = this.#deps;
    const late = new AbortController();
    try {
      const signal = AbortSignal.any([this.#closing.signal, late.signal]);
      return await withTimeout(clock, UPLOAD_MS, "the upload", upload(path, signal));
    } catch (error) {
      // It is none of this picture's: the homeserver is not there, is full, or wants none of us.
      this.#refusedUntilMs = clock.now() + REFUSED_MS;
      const { code, message } = toBotError(error);
      throw new BotError(code, `not uploaded: ${message}`, { cause: error });
    } finally {
      late.abort();
    }
  }

  /** Asked once in a run: homeservers forget what is old, if they are told to. */
  async #isThere({ mxc }: Cover): Promise<boolean> {
    if (this.#there.get(mxc)) return true;
    const isThere = await this.#deps.has(mxc, this.#closing.signal);
    if (isThere) this.#there.set(mxc, true);
    else this.#store.forget(mxc);
    return isThere;
  }
}

async function keyOf(place: PicturePlace): Promise<string> {
  if ("path" in place) return `file ${await contentKey(place.path)}`;
  return `url ${createHash("sha256").update(place.url).digest("hex")}`;
}
