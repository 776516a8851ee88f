import { clockTime } from "../base/duration.ts";
import { BotError, type ErrorCode } from "../base/errors.ts";
import { isMessageKey, render, type Language, type Sentence } from "../base/messages/catalogue.ts";
import type { PlaneEventOf } from "../media/plane.ts";
import type { QueueEffect, QueueRules, QueueState, Refusal } from "./queue.ts";
import { reasonOf } from "./reason.ts";
import { MAX_STALLED, type StallCause } from "./watchdog.ts";

export const nothingPlaying = (): BotError =>
  new BotError("nothing_playing", "nothing is playing", { say: { key: "player.nothing" } });

/** What the queue refused, for whoever asked; null when it did not. */
export function refusalIn(
  effects: readonly QueueEffect[],
  about: { state: QueueState; rules: QueueRules; nothing?: Sentence },
): BotError | null {
  const refusal = effects.find((effect) => effect.kind === "refused");
  if (!refusal) return null;
  const { code, say } = SAID[refusal.why](about);
  return new BotError(code, `refused: ${refusal.why}`, { say });
}

type About = Parameters<typeof refusalIn>[1];

const SAID: Readonly<Record<Refusal, (about: About) => { code: ErrorCode; say: Sentence }>> = {
  full: () => ({ code: "queue_full", say: { key: "player.queue_full" } }),
  nothing: ({ nothing }) => ({ code: "nothing_playing", say: nothing ?? { key: "player.nothing" } }),
  limit: ({ rules }) => ({
    code: "queue_full",
    say: { key: "player.limit", params: { limit: rules.maxPerPerson } },
  }),
  no_history: () => ({ code: "nothing_playing", say: { key: "player.no_history" } }),
  live: () => ({ code: "media_unsupported", say: { key: "player.no_length" } }),
  beyond: ({ state }) => ({
    code: "bad_command",
    say: { key: "player.beyond", params: { length: clockTime(state.now?.track.durationMs ?? 0) } },
  }),
};

/** Why the media plane has ended a track. */
export function endError({ detail, say }: PlaneEventOf<"track.ended">): BotError {
  const told: Sentence | null =
    say && isMessageKey(say.key) ? { key: say.key, ...(say.params && { params: say.params }) } : null;
  return new BotError("media_unreadable", detail ?? "unreadable", { ...(told && { say: told }) });
}

/** The sentence says less than the error's message does: which file, what about it. */
export const isBare = (say: Sentence): boolean =>
  say.key === "error.internal" || say.key === "error.media_unreadable";

/** Why a track failed, as part of a sentence. */
export function reasonFor(error: BotError, language: Language): string {
  // A sentence of its own becomes a part of another.
  const say = isBare(error.say) ? reasonOf(error.message) : error.say;
  return render(say, language).text.replace(/\.$/, "");
}

/** Why a track that was tried twice is passed over. */
export function stallError(cause: StallCause): BotError {
  return new BotError("timeout", `stalled twice: ${cause}`, { say: { key: `stall.${cause}` } });
}

/** What is on is held, because another track would not help. */
export function heldFor(cause: StallCause, prefix: string): Sentence {
  if (cause === "unsent") return { key: "stall.held_unsent", params: { prefix } };
  return { key: "stall.held", params: { count: MAX_STALLED, prefix } };
}
