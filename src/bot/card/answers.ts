import type { Sentence } from "../../base/messages/catalogue.ts";

/** The answers that say what is on now, as the card does. */
const ANNOUNCING: readonly Sentence["key"][] = ["play.now", "player.previous"];
/** The same of those that also say something else, and what is left of them. */
const SHORTER: Partial<Record<Sentence["key"], Sentence["key"]>> = {
  "player.skipped_now": "player.skipped",
  "player.skipped_many_now": "player.skipped_many",
  "vote.skipped_now": "vote.skipped",
};

/**
 * What is answered to a command where the card says what is on: the card itself, so that nothing is said twice, or what else
 * there is to say.
 * @param moves the card would be posted anew for another track; `lags`: it cannot be brought up to date now
 */
export function answerBeside(
  sentence: Sentence,
  { moves, lags }: { moves: boolean; lags: boolean },
): Sentence | "card" {
  const shorter = SHORTER[sentence.key];
  if (ANNOUNCING.includes(sentence.key) || (shorter && moves)) return "card";
  return shorter && !lags ? { ...sentence, key: shorter } : sentence;
}
