import { Allowance } from "../base/allowance.ts";
import { BoundedMap } from "../base/collections.ts";

/** A person's commands that are taken: so many at once (an album, track by track), then so many a minute. */
const AT_ONCE = 12;
const A_MINUTE = 6;
/** Of them under way at the same time: half of what a room may have, so that one person never takes all of it. */
const UNDER_WAY = 10;
const TOLD_EVERY_MS = 120_000;
const REMEMBERED = 1000;

interface Sender {
  readonly allowance: Allowance;
  underWay: number;
  toldMs: number;
}

/**
 * How much of a room's bot one person may have: the homeserver lets the bot say some twelve things a minute, to everybody
 * in all rooms together. Pure: times are passed in.
 */
export class SenderLimits {
  readonly #senders = new BoundedMap<string, Sender>(REMEMBERED);

  /** `told` once in a while instead of `dropped`: the person should hear why there is no answer. */
  admit(userId: string, nowMs: number): "taken" | "told" | "dropped" {
    const sender = this.#senders.get(userId) ?? {
      allowance: new Allowance(A_MINUTE / 60, AT_ONCE),
      underWay: 0,
      toldMs: -Infinity,
    };
    this.#senders.set(userId, sender);
    if (sender.underWay < UNDER_WAY && sender.allowance.take(nowMs)) {
      sender.underWay++;
      return "taken";
    }
    if (nowMs - sender.toldMs < TOLD_EVERY_MS) return "dropped";
    sender.toldMs = nowMs;
    return "told";
  }

  /** A command that was `taken` has ended. */
  done(userId: string): void {
    const sender = this.#senders.get(userId);
    if (sender && sender.underWay > 0) sender.underWay--;
  }
}
