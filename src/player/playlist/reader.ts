import { withTimeout } from "../../base/async.ts";
import type { Clock } from "../../base/clock.ts";
import { BotError, toBotError } from "../../base/errors.ts";
import type { Sentence } from "../../base/messages/catalogue.ts";
import { inSlices } from "../../base/slices.ts";
import type { Asker } from "../../fetch/limits.ts";
import type { Ask, Found, FoundMany, Refused } from "../resolver/resolver.ts";
import { MAX_ITEMS, type PlaylistFormat, type PlaylistItem } from "./item.ts";
import { placeOf } from "./place.ts";
import { parsePlaylist } from "./playlist.ts";
import { Within } from "./within.ts";

export interface PlaylistReaderDeps {
  /** What an address is (Sources.resolve). */
  address: (ask: Ask, signal: AbortSignal, asker: Asker) => Promise<Found | FoundMany>;
  /** What is at a path of the media folder, exactly there: a file, a playlist within `within`; null when nothing is. */
  file: (path: string, signal: AbortSignal, on: On) => Promise<Found | FoundMany | null>;
  clock: Clock;
}

/** Where in others a playlist stands, and for whom it is read. */
export interface On {
  /** The playlists that it stands in; null: in none. */
  within: Within | null;
  asker: Asker;
}

/** A playlist's text, and what is known of it. */
export interface PlaylistText extends On {
  text: string;
  /** What it is called where it came from; its own title counts more. */
  name: string;
  format: PlaylistFormat | null;
  /** Where it came from: its address, its folder below the media folder, or nowhere that paths could start from. */
  from: { url: string } | { folder: string; roots: readonly string[] } | null;
}

/** Entries that are looked at at once. */
const AT_ONCE = 4;
const MAX_NAMED = 5;

/** Makes of a playlist what can be queued of it, by asking for each entry as a person would. */
export class PlaylistReader {
  readonly #deps: PlaylistReaderDeps;

  constructor(deps: PlaylistReaderDeps) {
    this.#deps = deps;
  }

  /**
   * At most 500 entries, a minute and two playlists deep, with all that hangs on it. What cannot be used is in `refused`.
   * @throws BotError when nothing of it can be used, `media_unreadable`, `media_unsupported`, `media_too_large`,
   * `cancelled`
   */
  async read(playlist: PlaylistText, signal: AbortSignal): Promise<FoundMany> {
    const { text, format, from, asker } = playlist;
    const within = (playlist.within ?? Within.nothing(this.#deps.clock.now())).inner();
    if (!within) {
      throw new BotError("media_unsupported", "too many playlists in one another", {
        say: { key: "playlist.why_deep" },
      });
    }
    const baseUrl = from !== null && "url" in from ? from.url : null;
    const parsed = await inSlices(this.#deps.clock, parsePlaylist(text, { format, baseUrl }));
    const title = parsed.title ?? playlist.name;
    if (parsed.items.length === 0) {
      throw new BotError("not_found", "an empty playlist", {
        say: { key: "playlist.empty", params: { title } },
      });
    }
    const place = from !== null && "folder" in from ? from : { folder: "", roots: [] };
    const outcomes = await this.#look(parsed.items, place, { within, asker }, signal);
    const items: Found[] = [];
    const refused: Refused[] = [];
    let left = parsed.left;
    for (const outcome of outcomes) {
      if (outcome === null) left++;
      else if ("why" in outcome) refused.push(outcome);
      else if ("items" in outcome) {
        items.push(...outcome.items);
        refused.push(...(outcome.refused ?? []));
        left += outcome.left ?? 0;
      } else items.push(outcome);
    }
    if (items.length === 0 && refused.length > 0) {
      throw new BotError("not_found", "nothing of the playlist can be used", {
        say: { key: "playlist.nothing", params: { title }, parts: { names: refusedLines(refused) } },
      });
    }
    left += Math.max(0, items.length - MAX_ITEMS);
    return { title, items: items.slice(0, MAX_ITEMS), refused, left };
  }

  /** In their order; null for those that nobody could look at any more. */
  async #look(
    items: readonly PlaylistItem[],
    place: { folder: string; roots: readonly string[] },
    on: On & { within: Within },
    signal: AbortSignal,
  ): Promise<(Found | FoundMany | Refused | null)[]> {
    const outcomes: (Found | FoundMany | Refused | null)[] = items.map(() => null);
    const entries = items.entries();
    const work = async (): Promise<void> => {
      for (const [index, item] of entries) {
        if (signal.aborted) throw new BotError("cancelled", "cancelled");
        if (on.within.take()) outcomes[index] = await this.#entry(item, place, on, signal);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return outcomes;
  }

  async #entry(
    item: PlaylistItem,
    { folder, roots }: { folder: string; roots: readonly string[] },
    on: On & { within: Within },
    signal: AbortSignal,
  ): Promise<Found | FoundMany | Refused> {
    const { within, asker } = on;
    const place = placeOf(item.url, { folder, roots });
    const name = item.title ?? nameOf(item.url);
    if (place.kind === "refused") return { name, why: place.why };
    const { clock, address, file } = this.#deps;
    const patienceMs = within.patienceMs(clock.now());
    if (patienceMs === 0) return { name, why: { key: "playlist.why_late" } };
    const enough = new AbortController();
    const either = AbortSignal.any([signal, enough.signal]);
    try {
      const asked =
        place.kind === "file"
          ? file(place.path, either, on)
          : address({ kind: "words", text: place.url, within }, either, asker);
      const found = await withTimeout(clock, patienceMs, "an entry of a playlist", asked);
      return found ? titled(found, item) : { name, why: { key: "playlist.why_missing" } };
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const late = within.patienceMs(clock.now()) === 0;
      return { name, why: late ? { key: "playlist.why_late" } : toBotError(thrown).say };
    } finally {
      enough.abort();
    }
  }
}

/** What was refused as lines, the first few by name. */
export function refusedLines(refused: readonly Refused[]): Sentence[] {
  const lines: Sentence[] = refused
    .slice(0, MAX_NAMED)
    .map(({ name, why }) => ({ key: "playlist.line", params: { name }, parts: { reason: [why] } }));
  const count = refused.length - lines.length;
  return count > 0 ? [...lines, { key: "playlist.more", params: { count } }] : lines;
}

/** What the playlist says counts where nobody has looked into the file. */
function titled(found: Found | FoundMany, { title, durationMs }: PlaylistItem): Found | FoundMany {
  if ("items" in found || found.isDescribed) return found;
  return { ...found, title: title ?? found.title, durationMs: found.durationMs ?? durationMs };
}

const nameOf = (location: string): string =>
  location.split(/[\\/]/).findLast((part) => part !== "") ?? location;
