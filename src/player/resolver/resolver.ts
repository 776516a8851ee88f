import { BotError } from "../../base/errors.ts";
import type { Sentence } from "../../base/messages/catalogue.ts";
import type { Asker } from "../../fetch/limits.ts";
import type { TrackSource } from "../../media/plane.ts";
import type { Within } from "../playlist/within.ts";
import { isNear, type StoredSource } from "../queue.ts";

/** An audio file that somebody put into the room, as its event claims; see upload.ts. */
export interface UploadClaim {
  mxc: string;
  fileName: string;
  /** Bytes; null when the event does not say. */
  size: number | null;
  mimeType: string | null;
  durationMs: number | null;
}

/**
 * What a person asked for. `within`: the playlists that these words stand in; `radio`: they mean a station and nothing
 * else.
 */
export type Ask =
  { kind: "words"; text: string; within?: Within; radio?: true } | { kind: "upload"; upload: UploadClaim };

/** Something that can be queued. Title and length are what is known without opening it. */
export interface Found {
  source: StoredSource;
  title: string;
  artist?: string | null;
  durationMs: number | null;
  /** Title, artist and length are what its file says: nobody needs to open it for them. */
  isDescribed?: boolean;
  /** Address of a picture of it, a claim of the source. */
  picture?: string | undefined;
}

/** Several at once: a folder, a playlist. At most as many as a queue takes, in their order. */
export interface FoundMany {
  /** Of the whole. */
  title: string;
  items: readonly Found[];
  /** What of it cannot be used. */
  refused?: readonly Refused[];
  /** How many more there are. */
  left?: number;
}

/** One of several, by its name, that cannot be used; `why` is part of a sentence, or one. */
export interface Refused {
  name: string;
  why: Sentence;
}

/** One of several that a person may choose from. */
export interface Choice {
  /** "Artist – Title (3:21)". */
  label: string;
  found: Found;
}

/** A refusal that offers what may have been meant, numbered from 1 in its sentence. */
export class Undecided extends BotError {
  readonly choices: readonly Choice[];

  constructor(code: "ambiguous" | "not_found", choices: readonly Choice[], say: Sentence) {
    super(code, `${choices.length} are near`, { say });
    this.choices = choices;
  }
}

/** Where it matters for whom, and nobody is known. */
export const NOBODY: Asker = { room: null, sender: null };

/** One kind of source. */
export interface Resolver {
  /** Of its sources; `playlist`: it has none of its own. */
  readonly kind: StoredSource["kind"] | "playlist";
  /**
   * Null when the ask is not of its kind.
   * @throws BotError `not_found`, `ambiguous`, `media_too_large`, `media_unsupported`, with a sentence for the person.
   */
  resolve(ask: Ask, signal: AbortSignal, asker: Asker): Promise<Found | FoundMany | null>;
  /** Names of what anybody may ask for, where there are few. */
  readonly stations?: readonly string[];
  /** What may be meant by some words, the best first, without playing it; `more`: there is more than `limit`. */
  search?(text: string, limit: number): Promise<{ choices: Choice[]; more: boolean }>;
  /** What the media plane plays of one of its sources: a confined file, checked (or fetched) now, or a stream. @throws BotError as above. */
  open(source: StoredSource, signal: AbortSignal, asker: Asker): Promise<TrackSource>;
  /** Whether the bytes of one of its sources are on this machine; without it: `isNear`. */
  isHere?(source: StoredSource): Promise<boolean>;
  /** Path of a picture that lies beside the file of one of its sources, confined as that is; null: there is none. @throws BotError */
  beside?(source: StoredSource): Promise<string | null>;
  /** Ends what it still does. Idempotent. */
  close?(): void;
}

/** All kinds behind one. The first resolver that knows the ask answers it. */
export class Sources {
  readonly #resolvers: readonly Resolver[];
  readonly #room: string | null;

  /** @param room for which one; null: for none of them */
  constructor(resolvers: readonly Resolver[], room: string | null = null) {
    this.#resolvers = resolvers;
    this.#room = room;
  }

  /** The same, for one room: what it may have is counted. */
  of(room: string): Sources {
    return new Sources(this.#resolvers, room);
  }

  /** Names of radio stations. */
  get stations(): readonly string[] {
    return this.#resolvers.flatMap(({ stations = [] }) => stations);
  }

  /** @param sender who asks */
  resolve(ask: Ask, signal: AbortSignal, sender: string | null = null): Promise<Found | FoundMany> {
    return this.resolveFor({ room: this.#room, sender }, ask, signal);
  }

  /** As `resolve`, on behalf of somebody who asks through one of the resolvers. */
  async resolveFor(asker: Asker, ask: Ask, signal: AbortSignal): Promise<Found | FoundMany> {
    for (const resolver of this.#resolvers) {
      const found = await resolver.resolve(ask, signal, asker);
      if (found) return found;
    }
    const text = ask.kind === "words" ? ask.text : ask.upload.fileName;
    throw new BotError("not_found", "no source for it", {
      say: { key: "play.not_found", params: { query: text } },
    });
  }

  /** As Resolver.search, of those that can. One that fails counts only where the others find nothing. */
  async search(text: string, limit: number): Promise<{ choices: Choice[]; more: boolean }> {
    const choices: Choice[] = [];
    let more = false;
    let failure: unknown = null;
    for (const resolver of this.#resolvers) {
      try {
        const found = await resolver.search?.(text, limit - choices.length);
        if (!found) continue;
        choices.push(...found.choices);
        more ||= found.more;
      } catch (error) {
        failure = error;
      }
    }
    if (failure !== null && choices.length === 0) throw failure;
    return { choices, more };
  }

  /** Ends what all of them still do. Idempotent. */
  close(): void {
    for (const resolver of this.#resolvers) resolver.close?.();
  }

  /** As Resolver.beside. */
  async beside(source: StoredSource): Promise<string | null> {
    return (await this.#of(source)?.beside?.(source)) ?? null;
  }

  async open(source: StoredSource, signal: AbortSignal): Promise<TrackSource> {
    const resolver = this.#of(source);
    if (!resolver) throw new BotError("not_found", `no resolver for ${source.kind}`);
    return resolver.open(source, signal, { room: this.#room, sender: null });
  }

  /** Whether `open` fetches nothing from the web for it. */
  async isHere(source: StoredSource): Promise<boolean> {
    return isNear(source) || ((await this.#of(source)?.isHere?.(source)) ?? false);
  }

  #of(source: StoredSource): Resolver | undefined {
    return this.#resolvers.find(({ kind }) => kind === source.kind);
  }
}
