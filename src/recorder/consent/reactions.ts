import { withTimeout } from "../../base/async.ts";
import { BoundedMap } from "../../base/collections.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { RoomConsent } from "./consent.ts";

/** Reactions that refuse and agree, without variation selectors. The first of each is the one that is offered. */
export const REFUSING = ["🔇", "🚫", "⛔", "❌"] as const;
export const AGREEING = ["✅", "✔", "☑"] as const;

/** A reaction as the homeserver vouches for it; `key` is its sender's claim. */
export interface Reaction {
  eventId: string;
  sender: string;
  /** The event that it is about. */
  target: string;
  key: string;
}

export interface ConsentReactionsDeps {
  consent: Pick<RoomConsent, "recording" | "reacted" | "withdrew" | "agreed">;
  /** The recording that a message of ours is about; null when it is none of ours, or about none. @throws when nobody knows */
  recordingOf: (eventId: string) => Promise<string | null>;
  /** Somebody's word was taken, and holds. */
  onTaken: (userId: string, agreed: boolean) => void;
  clock: Clock;
  log: Log;
}

/** What a message is about that could not be looked at. */
const UNKNOWN = Symbol("unknown");
const MAX_KNOWN = 200;
const LOOK_UP_MS = 10_000;
/** Of one person at once. */
const MAX_LOOK_UPS = 3;

/**
 * Reactions to what the bot says of a recording that runs are words about it. Whether a message is such a one is asked once;
 * until it is known, and when it cannot be, a refusal holds and an agreement does not.
 */
export class ConsentReactions {
  readonly #deps: ConsentReactionsDeps;
  /** Ids of recordings by message; null: about none. */
  readonly #known = new BoundedMap<string, string | null>(MAX_KNOWN);
  readonly #lookUps = new Map<string, number>();

  constructor(deps: ConsentReactionsDeps) {
    this.#deps = deps;
  }

  /** A message of ours that is about a recording. */
  posted(eventId: string, recording: string): void {
    this.#known.set(eventId, recording);
  }

  /** Resolves when the word holds, is on disk, or is none. Never rejects. */
  async reacted({ eventId, sender, target, key }: Reaction): Promise<void> {
    const { consent } = this.#deps;
    const agreed = meaningOf(key);
    const recording = consent.recording?.id;
    if (agreed === null || recording === undefined) return;
    const known = this.#known.get(target);
    const about = known === undefined ? await this.#lookUp(target, sender, agreed) : known;
    if (consent.recording?.id !== recording) return;
    if (about !== recording && !(about === UNKNOWN && !agreed)) return;
    await this.#take(sender, () => consent.reacted(sender, agreed, eventId));
  }

  /** An event of the room was removed by `sender`: only who made a reaction takes back what it said. Never rejects. */
  async redacted(eventId: string, sender: string): Promise<void> {
    if (this.#deps.consent.recording === null) return;
    await this.#take(sender, () => this.#deps.consent.withdrew(sender, eventId));
  }

  async #take(userId: string, say: () => Promise<boolean>): Promise<void> {
    const { consent, onTaken, log } = this.#deps;
    const before = consent.agreed(userId);
    try {
      await say();
    } catch (error) {
      // It holds until a restart; who reacted sees no confirmation.
      log.error("handler_failed", { what: "consent by reaction", reason: messageOf(error) });
      return;
    }
    const now = consent.agreed(userId);
    if (now !== before) onTaken(userId, now);
  }

  async #lookUp(target: string, sender: string, agreed: boolean): Promise<string | null | typeof UNKNOWN> {
    const { recordingOf, clock, log } = this.#deps;
    const underWay = this.#lookUps.get(sender) ?? 0;
    if (underWay >= MAX_LOOK_UPS) return agreed ? null : UNKNOWN;
    this.#lookUps.set(sender, underWay + 1);
    try {
      const about = await withTimeout(clock, LOOK_UP_MS, "looking at a message", recordingOf(target));
      this.#known.set(target, about);
      return about;
    } catch (error) {
      log.warn("handler_failed", { what: "message of a reaction", reason: messageOf(error) });
      return UNKNOWN;
    } finally {
      const left = (this.#lookUps.get(sender) ?? 1) - 1;
      if (left > 0) this.#lookUps.set(sender, left);
      else this.#lookUps.delete(sender);
    }
  }
}

/** Whether a reaction agrees to be recorded; null: it says nothing about that. Skin tones and styles do not matter. */
export function meaningOf(key: string): boolean | null {
  const plain = key.replaceAll(/[\ufe0e\ufe0f]|[\u{1f3fb}-\u{1f3ff}]/gu, "");
  if (REFUSING.some((each) => each === plain)) return false;
  return AGREEING.some((each) => each === plain) ? true : null;
}
