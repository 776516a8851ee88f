import { BotError } from "../../base/errors.ts";
import type { Asker } from "../../fetch/limits.ts";
import { looksLikeUrl, parseFetchUrl, type FetchPolicy } from "../../fetch/url.ts";
import type { TrackSource } from "../../media/plane.ts";
import { fold } from "../library/fold.ts";
import type { StoredSource } from "../queue.ts";
import type { Ask, Found, FoundMany, Resolver } from "./resolver.ts";

/** A radio station that the operator has named. */
export interface Station {
  readonly name: string;
  readonly url: string;
}

export interface StationsDeps {
  stations: readonly Station[];
  policy: Pick<FetchPolicy, "allowHttp">;
  /** What is at an address. */
  address: (url: string, signal: AbortSignal, asker: Asker) => Promise<Found | FoundMany>;
}

/** Radio: stations by their names, and whatever is played as it comes. */
export class Stations implements Resolver {
  readonly kind = "stream";
  readonly #deps: StationsDeps;

  constructor(deps: StationsDeps) {
    this.#deps = deps;
  }

  get stations(): readonly string[] {
    return this.#deps.stations.map(({ name }) => name);
  }

  async resolve(ask: Ask, signal: AbortSignal, asker: Asker): Promise<Found | FoundMany | null> {
    if (ask.kind !== "words" || ask.within) return null;
    const { stations } = this.#deps;
    const station = stations.find(({ name }) => fold(name) === fold(ask.text));
    if (station)
      return { ...(await this.#at(station.url, signal, asker)), title: station.name, artist: null };
    if (!ask.radio) return null;
    if (looksLikeUrl(ask.text)) return this.#at(ask.text.trim(), signal, asker);
    const names = stations.map(({ name }) => name).join("\n");
    throw new BotError("not_found", "no such station", {
      say: names
        ? { key: "radio.unknown", params: { query: ask.text, names } }
        : { key: "radio.none_known", params: { query: ask.text } },
    });
  }

  /** A station may be in a list of its own, which is looked into: it is to be known as what it is. */
  async #at(url: string, signal: AbortSignal, asker: Asker): Promise<Found> {
    const { address } = this.#deps;
    const found = await address(url, signal, asker);
    if (!("items" in found)) return { ...found, isDescribed: true };
    const [first] = found.items;
    if (!first) throw new BotError("not_found", "an empty list", { say: { key: "stream.no_audio" } });
    const inner = first.source.kind === "url" ? await address(first.source.url, signal, asker) : first;
    const { source } = "items" in inner ? first : inner;
    return { ...first, source, isDescribed: true };
  }

  /** @throws BotError `fetch_refused` */
  open(source: StoredSource): Promise<TrackSource> {
    if (source.kind !== "stream") return Promise.reject(new BotError("internal", "no stream"));
    try {
      // What was allowed when it was queued may not be any more.
      const { href: url } = parseFetchUrl(source.url, this.#deps.policy);
      return Promise.resolve({ stream: { url, kind: source.format } });
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
