import { oneLine } from "../../base/messages/catalogue.ts";
import { MAX_ITEMS, MAX_LOCATION, type PlaylistItem, type RawPlaylist } from "./item.ts";

const MAX_TITLE = 300;
/** A week: what is longer is no length of a track. */
const MAX_DURATION_MS = 7 * 86_400_000;

/** What one entry says of itself, in text. */
export interface Entry {
  location: string;
  title: string | null;
  durationMs: number | null;
}

/** Takes entries as they come, keeps those that fit, counts all. */
export class Collected {
  title: string | null = null;
  readonly #items: PlaylistItem[] = [];
  #count = 0;

  add({ location, title, durationMs }: Entry): void {
    const url = location.trim();
    if (url === "") return;
    this.#count++;
    if (this.#items.length >= MAX_ITEMS) return;
    // One character too many says that it was cut, and would be another address.
    this.#items.push({
      url: url.slice(0, MAX_LOCATION + 1),
      title: titleOf(title),
      durationMs: durationOf(durationMs),
    });
  }

  result(): RawPlaylist {
    return { title: titleOf(this.title), items: this.#items, count: this.#count };
  }
}

function titleOf(title: string | null): string | null {
  const line = title === null ? "" : oneLine(title.slice(0, 4 * MAX_TITLE)).slice(0, MAX_TITLE);
  return line === "" ? null : line;
}

const durationOf = (ms: number | null): number | null =>
  ms !== null && Number.isFinite(ms) && ms > 0 && ms <= MAX_DURATION_MS ? Math.round(ms) : null;
