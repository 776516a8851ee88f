import type { Sentence } from "../../base/messages/catalogue.ts";

/** The answers that say what is on now, as the card does. */
const ANNOUNCING: readonly Sentence["key"][] = ["play.now", "player.previous"];
/** The same of those that also say something else, and what is left of them. */
const SHORTER: Partial<Record<Sentence["key"], Sentence["key"]>> = {
  "player.skipped_now": "player.skipped",
  "player.skipped_many_now": "player.skipped_many",
  "vote.skipped_now": "vote.skipped",
};

/** What is answered: a sentence, or the card, with what else there is to say before it. */
export type BesideCard = { say: Sentence } | { card: true; lead: Sentence | null };

/**
 * What is answered to a command where the card says what is on, so that nothing is said twice.
 * @param moves the card would be posted anew for another track; `lags`: it cannot be brought up to date now
 */
export function answerBeside(
  sentence: Sentence,
  { moves, lags }: { moves: boolean; lags: boolean },
): BesideCard {
  if (ANNOUNCING.includes(sentence.key)) return { card: true, lead: null };
  const shorter = SHORTER[sentence.key];
  if (!shorter) return { say: sentence };
  const rest = { ...sentence, key: shorter };
  if (moves) return { card: true, lead: rest };
  return { say: lags ? sentence : rest };
}
