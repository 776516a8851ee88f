import { clockTime } from "../../base/duration.ts";
import {
  escapeHtml,
  render,
  type Language,
  type Rendered,
  type Sentence,
} from "../../base/messages/catalogue.ts";
import { filtersText } from "../../commands/filters.ts";
import { nowName, trackLine } from "../../commands/format.ts";
import type { SkipTally } from "../../commands/skip-votes.ts";
import { MAX_COVER_PX } from "../../media/messages.ts";
import type { Cover } from "../../player/cover/covers.ts";
import { filtersOf } from "../../player/filters.ts";
import type { QueueState, StoredSource } from "../../player/queue.ts";

export interface CardFacts {
  state: Pick<QueueState, "now" | "upcoming" | "loop" | "volume" | "filters">;
  votes: SkipTally | null;
  /** Of what is on; null: none is shown. */
  cover: Cover | null;
  /** How somebody is called in the room. */
  nameOf: (userId: string) => string;
  language: Language;
}

/** What the card says, and what of it is told apart. */
export interface CardView {
  /** Id of what is on; null: nothing is. */
  track: string | null;
  playing: boolean;
  /** How far it was heard, and how far that goes in a millisecond; `hasBar`: that is shown. */
  positionMs: number;
  speed: number;
  hasBar: boolean;
  /** All that it says but for how far: another means another text. */
  fixed: string;
  /** The picture below it; null: none. */
  cover: string | null;
  message: Rendered;
}

/** Of its longer side; it has twice as many, for screens that are fine. */
const COVER_PX = MAX_COVER_PX / 2;
const CELLS = 16;
/** What is longer is nothing to look at in a card. */
const MAX_LINK = 300;

export function cardView(facts: CardFacts): CardView {
  const { state, language } = facts;
  const { now } = state;
  if (!now) {
    const message = render({ key: "card.nothing" }, language);
    return {
      track: null,
      playing: false,
      positionMs: 0,
      speed: 1,
      hasBar: false,
      fixed: message.text,
      cover: null,
      message,
    };
  }
  const { track, phase, positionMs } = now;
  return {
    ...{ track: track.id, playing: phase === "playing", positionMs },
    speed: filtersOf(state.filters, track).speed,
    hasBar: track.durationMs !== null,
    fixed: textOf(facts, now, null).text,
    cover: facts.cover?.mxc ?? null,
    message: withCover(textOf(facts, now, positionMs), facts.cover),
  };
}

/** Behind the text: who does not show pictures misses nothing, and the first line stays what it is. */
function withCover({ text, html }: Rendered, cover: Cover | null): Rendered {
  if (!cover) return { text, html };
  const { mxc, width, height } = cover;
  const scale = Math.min(1, COVER_PX / Math.max(width, height));
  const px = (side: number): number => Math.max(1, Math.round(side * scale));
  const image = `<img src="${escapeHtml(mxc)}" alt="" width="${px(width)}" height="${px(height)}">`;
  return { text, html: `${html}<br>${image}` };
}

/** @param positionMs null: without it */
function textOf(facts: CardFacts, now: NonNullable<QueueState["now"]>, positionMs: number | null): Rendered {
  const { state, votes, nameOf, language } = facts;
  const { track, phase } = now;
  const said = (sentence: Sentence): string => render(sentence, language).text;
  const { upcoming, loop, volume, filters } = state;
  const [next] = upcoming;
  const lines = [
    linkOf(track.source),
    track.durationMs === null
      ? track.source.kind === "stream" && said({ key: "card.live" })
      : positionMs === null
        ? clockTime(track.durationMs)
        : `${bar(positionMs / track.durationMs)} ${clockTime(Math.min(positionMs, track.durationMs))} / ${clockTime(track.durationMs)}`,
    said({ key: "card.details", params: { requester: nameOf(track.requester), volume } }),
    filtersText(filtersOf(filters, track), language) || false,
    loop !== "off" && said({ key: `loop.${loop}` }),
    next &&
      said({
        key: upcoming.length > 1 ? "card.next_more" : "card.next",
        params: { title: trackLine(next), count: upcoming.length - 1 },
      }),
    votes && said({ key: "card.votes", params: { ...votes } }),
  ].filter((line) => typeof line === "string");
  const key = phase === "playing" ? "card.playing" : "card.paused";
  return render({ key, params: { title: nowName(now), list: lines.join("\n") } }, language);
}

function bar(share: number): string {
  const at = Math.min(CELLS - 1, Math.max(0, Math.floor(share * CELLS)));
  return "━".repeat(at) + "●" + "─".repeat(CELLS - 1 - at);
}

/** Where it is on the web, as plain text and without what may be secret in it; null for what is not. */
function linkOf(source: StoredSource): string | null {
  if (!("url" in source) || source.url.length > MAX_LINK || !URL.canParse(source.url)) return null;
  const url = new URL(source.url);
  if (url.protocol !== "https:" && url.protocol !== "http:") return null;
  return url.username === "" && url.password === "" ? url.href : null;
}

/** One text below another. */
export const following = (first: Rendered, then: Rendered): Rendered => ({
  text: `${first.text}\n${then.text}`,
  html: `${first.html}<br>${then.html}`,
});
