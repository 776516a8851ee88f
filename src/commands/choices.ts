import type { Clock } from "../base/clock.ts";
import { BoundedMap } from "../base/collections.ts";
import type { Choice } from "../player/resolver/resolver.ts";

/** How long a number is an answer. */
export const CHOICE_MS = 120_000;
const REMEMBERED_PEOPLE = 200;

interface Offer {
  readonly choices: readonly Choice[];
  readonly atMs: number;
  /** A number alone was an answer to it already: from then on it is talk. */
  isAnswered: boolean;
}

/** What was offered to people lately, each their own, so that a number says which of it. */
export class Choices {
  readonly #clock: Clock;
  readonly #offers = new BoundedMap<string, Offer>(REMEMBERED_PEOPLE);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** In the place of what was offered before. */
  offer(userId: string, choices: readonly Choice[]): void {
    if (choices.length > 0) this.#offers.set(userId, { choices, atMs: this.#clock.now(), isAnswered: false });
  }

  /** @param number from 1 */
  get(userId: string, number: number): Choice | null {
    return this.#recent(userId)?.choices[number - 1] ?? null;
  }

  /** Whether a number alone is an answer: once for each offer. */
  answers(userId: string, number: number): boolean {
    const offer = this.#recent(userId);
    if (!offer || offer.isAnswered || !offer.choices[number - 1]) return false;
    offer.isAnswered = true;
    return true;
  }

  #recent(userId: string): Offer | null {
    const offer = this.#offers.get(userId);
    return offer && this.#clock.now() - offer.atMs <= CHOICE_MS ? offer : null;
  }
}
