import { BotError } from "../base/errors.ts";
import { render, type Language, type Sentence } from "../base/messages/catalogue.ts";
import { cleanDetail } from "./text.ts";

export const nothingPlaying = (): BotError =>
  new BotError("nothing_playing", "nothing is playing", { say: { key: "player.nothing" } });

/** The sentence says less than the error's message does: which file, what about it. */
export const isBare = (say: Sentence): boolean =>
  say.key === "error.internal" || say.key === "error.media_unreadable";

/** Why a track failed, as part of a sentence. */
export function reasonFor(error: BotError, language: Language): string {
  return isBare(error.say) ? cleanDetail(error.message) : render(error.say, language).text;
}
