import { SerialQueue, sleep } from "../base/async.ts";
import { BoundedMap } from "../base/collections.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { decodeSync, inviterOf } from "./events.ts";
import { apiPath, backoffMs, HomeserverError, retryDelayMs, type Homeserver } from "./homeserver.ts";

/** `*` in a pattern stands for any characters; everything else is taken by the letter. */
export function matchesUser(userId: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    // Greedy from left to right, without a regular expression that a pattern could make slow.
    const parts = pattern.split("*");
    const first = parts[0] ?? "";
    const last = parts.at(-1) ?? "";
    if (parts.length === 1) return userId === pattern;
    if (!userId.startsWith(first) || !userId.endsWith(last)) return false;
    const end = userId.length - last.length;
    let at = first.length;
    for (const part of parts.slice(1, -1)) {
      const found = userId.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= end;
  });
}

export interface InvitesOptions {
  homeserver: Homeserver;
  clock: Clock;
  log: Log;
  /** Patterns of user ids whose invitations are accepted. */
  allow: readonly string[];
  /** Whether an invitation is taken care of elsewhere, whoever it is from. */
  takesInvite?: (roomId: string) => boolean;
  signal: AbortSignal;
}

const ATTEMPTS = 8;
/** Joining a room of another homeserver takes time. */
const JOIN_TIMEOUT_MS = 120_000;
const MAX_PENDING = 200;

/** Accepts invitations of whom the policy allows, one at a time. */
export class Invites {
  readonly #options: InvitesOptions;
  readonly #pending = new Map<string, AbortController>();
  readonly #inviters = new BoundedMap<string, string>(MAX_PENDING);
  readonly #queue = new SerialQueue();

  constructor(options: InvitesOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.#stop(), { once: true });
  }

  /** A sync names an invitation. The joining goes on by itself. */
  take(roomId: string, inviter: string | null): void {
    const { allow, log, signal, takesInvite } = this.#options;
    if (takesInvite?.(roomId) === true) return;
    if (inviter === null || !matchesUser(inviter, allow)) {
      log.info("invite_ignored", { room: roomId, inviter, reason: "not allowed by VOICEBOT_INVITES_ALLOW" });
      return;
    }
    if (this.#pending.has(roomId) || signal.aborted) return;
    if (this.#pending.size >= MAX_PENDING) {
      log.warn("invite_ignored", { room: roomId, inviter, reason: "too many invitations at once" });
      return;
    }
    this.#inviters.set(roomId, inviter);
    const controller = new AbortController();
    this.#pending.set(roomId, controller);
    void this.#queue.run(async () => {
      if (!controller.signal.aborted) await this.#join(roomId, inviter, controller.signal);
      if (this.#pending.get(roomId) === controller) this.#pending.delete(roomId);
    });
  }

  /** A sync from a stored position does not name invitations of before; one from nowhere does. Never rejects. */
  async takeOld(ownUserId: string): Promise<void> {
    const { homeserver, log, signal } = this.#options;
    const none = { types: [] };
    const filter = {
      presence: none,
      account_data: none,
      room: { account_data: none, ephemeral: none, state: none, timeline: { limit: 1, types: [] } },
    };
    try {
      const body = await homeserver.request("GET", "/_matrix/client/v3/sync", {
        query: { filter: JSON.stringify(filter), timeout: 0, set_presence: "offline" },
        timeoutMs: 300_000,
        signal,
      });
      for (const [roomId, block] of Object.entries(decodeSync(body).rooms.invite)) {
        this.take(roomId, inviterOf(block, ownUserId));
      }
    } catch (error) {
      if (!signal.aborted) log.warn("invite_failed", { reason: "pending ones not readable", error });
    }
  }

  /** The invitation was taken back. */
  forget(roomId: string): void {
    this.#pending.get(roomId)?.abort();
    this.#pending.delete(roomId);
  }

  /** Who invited us to a room that we joined in this run; null when not known. */
  inviterOf(roomId: string): string | null {
    return this.#inviters.get(roomId) ?? null;
  }

  async #join(roomId: string, inviter: string, signal: AbortSignal): Promise<void> {
    const { homeserver, clock, log } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        await homeserver.request("POST", apiPath`/_matrix/client/v3/join/${roomId}`, {
          body: {},
          timeoutMs: JOIN_TIMEOUT_MS,
          signal,
        });
        return;
      } catch (error) {
        if (signal.aborted) return;
        const final = error instanceof HomeserverError && !error.retryable;
        if (final || attempt === ATTEMPTS) {
          log.warn("invite_failed", { room: roomId, inviter, error });
          return;
        }
        const delayMs = retryDelayMs(error, backoffMs(attempt, 2000, 60_000, Math.random));
        log.debug("invite_failed", { room: roomId, inviter, retryInMs: delayMs, error });
        const goOn = await sleep(clock, delayMs, signal).then(
          () => true,
          () => false,
        );
        if (!goOn) return;
      }
    }
  }

  #stop(): void {
    for (const controller of this.#pending.values()) controller.abort();
    this.#pending.clear();
  }
}
