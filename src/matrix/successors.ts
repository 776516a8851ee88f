import { sleep } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { toBotError, type BotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { apiPath, backoffMs, retryDelayMs, type Homeserver } from "./homeserver.ts";
import type { Replacement } from "./succession.ts";

export interface SuccessorsOptions {
  homeserver: Homeserver;
  clock: Clock;
  log: Log;
  /** The new room does not let us in: it needs an invitation. Told once for each. */
  onRefused: (from: string) => void;
}

/** Joining a room of another homeserver takes time. */
const JOIN_TIMEOUT_MS = 120_000;
const UNREACHABLE_MS = { first: 2_000, most: 60_000 };
/** A room that is invited to by hand, or opened, some time after the upgrade. */
const REFUSED_MS = { first: 15_000, most: 30 * 60_000 };
const GIVE_UP_MS = 24 * 3_600_000;
const LEAVE_ATTEMPTS = 6;
/** Upgrades at once; more are nobody's doing but an attacker's. */
const MAX_AWAITED = 50;

interface Awaited {
  readonly from: string;
  readonly to: Replacement;
  /** Ends the wait before the next attempt; new after each. */
  hurry: AbortController;
  attempts: number;
  refusals: number;
}

/**
 * Gets us into the rooms that took the place of ours, and out of those that are over. Whether such a room really took the
 * place is to be asked once we are in it: only then can its m.room.create be read.
 */
export class Successors {
  readonly #options: SuccessorsOptions;
  readonly #awaited = new Map<string, Awaited>();
  readonly #closing = new AbortController();

  constructor(options: SuccessorsOptions) {
    this.#options = options;
  }

  /** Joins `to`, again and again with growing pauses, for a day. Idempotent. */
  follow(from: string, to: Replacement): void {
    if (this.#closing.signal.aborted || this.#awaited.has(to.roomId)) return;
    if (this.#awaited.size >= MAX_AWAITED) {
      this.#options.log.warn("room_upgrade", {
        what: "failed",
        room: from,
        to: to.roomId,
        reason: "too many at once",
      });
      return;
    }
    const awaited: Awaited = { from, to, hurry: new AbortController(), attempts: 0, refusals: 0 };
    this.#awaited.set(to.roomId, awaited);
    void this.#join(awaited);
  }

  /** The old room of one that we are about to join because of it; null for others. */
  awaitedFor(roomId: string): string | null {
    return this.#awaited.get(roomId)?.from ?? null;
  }

  /** An invitation has come. @returns whether it is to a room that we wait to get into: then that is tried now */
  invited(roomId: string): boolean {
    const awaited = this.#awaited.get(roomId);
    awaited?.hurry.abort();
    return awaited !== undefined;
  }

  /** We are in, or do not want to be any more. */
  forget(roomId: string): void {
    const awaited = this.#awaited.get(roomId);
    this.#awaited.delete(roomId);
    awaited?.hurry.abort();
  }

  /** Leaves a room. Never rejects: what does not succeed is tried again by the next start. */
  async leave(roomId: string): Promise<void> {
    const { homeserver, log } = this.#options;
    const { signal } = this.#closing;
    for (let attempt = 1; attempt <= LEAVE_ATTEMPTS && !signal.aborted; attempt++) {
      try {
        await homeserver.request("POST", apiPath`/_matrix/client/v3/rooms/${roomId}/leave`, {
          body: {},
          signal,
        });
        return;
      } catch (thrown) {
        const error = toBotError(thrown);
        if (!error.retryable || attempt === LEAVE_ATTEMPTS)
          log.warn("room_upgrade", { what: "not left", room: roomId, error });
        if (!error.retryable) return;
        await this.#pause(retryDelayMs(error, backoffMs(attempt, 2_000, 60_000, Math.random)), signal);
      }
    }
  }

  /** Ends every attempt. Idempotent. */
  close(): void {
    this.#closing.abort();
    for (const roomId of [...this.#awaited.keys()]) this.forget(roomId);
  }

  async #join(awaited: Awaited): Promise<void> {
    const { homeserver, clock, log } = this.#options;
    const { from, to } = awaited;
    const path = apiPath`/_matrix/client/v3/join/${to.roomId}` + viaOf(from, to);
    const giveUpMs = clock.now() + GIVE_UP_MS;
    const fields = { what: "failed", room: from, to: to.roomId };
    while (this.#awaited.get(to.roomId) === awaited) {
      try {
        const options = { body: {}, timeoutMs: JOIN_TIMEOUT_MS, signal: this.#closing.signal };
        await homeserver.request("POST", path, options);
        // The sync brings it, and then `forget` is called.
        log.info("room_upgrade", { what: "let in", room: from, to: to.roomId });
        return;
      } catch (thrown) {
        if (this.#closing.signal.aborted || this.#awaited.get(to.roomId) !== awaited) return;
        const delayMs = this.#setback(awaited, toBotError(thrown));
        if (clock.now() + delayMs > giveUpMs) {
          log.warn("room_upgrade", { ...fields, reason: "given up; an invitation still counts" });
          await this.#pause(Infinity, awaited.hurry.signal);
        } else await this.#pause(delayMs, awaited.hurry.signal);
        awaited.hurry = new AbortController();
      }
    }
  }

  /** @returns how long to wait before the next attempt */
  #setback(awaited: Awaited, error: BotError): number {
    const { log, onRefused } = this.#options;
    const { from, to } = awaited;
    const fields = { what: "refused", room: from, to: to.roomId, error };
    if (error.retryable) {
      awaited.attempts++;
      const pause = backoffMs(awaited.attempts, UNREACHABLE_MS.first, UNREACHABLE_MS.most, Math.random);
      const retryInMs = retryDelayMs(error, pause);
      log.debug("room_upgrade", { ...fields, retryInMs });
      return retryInMs;
    }
    awaited.refusals++;
    const retryInMs = backoffMs(awaited.refusals, REFUSED_MS.first, REFUSED_MS.most, Math.random);
    if (awaited.refusals === 1) {
      log.warn("room_upgrade", { ...fields, retryInMs });
      onRefused(from);
    } else log.debug("room_upgrade", { ...fields, retryInMs });
    return retryInMs;
  }

  /** Ends early when `signal` aborts, or we close; for ever takes until then. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    if (either.aborted) return;
    if (ms === Infinity) {
      await new Promise<void>((resolve) => either.addEventListener("abort", () => resolve(), { once: true }));
    } else await sleep(this.#options.clock, ms, either).catch(() => undefined);
  }
}

/** Who may know the new room: whoever sent us there, and the homeserver that the room's id names, if it does. */
function viaOf(from: string, { roomId, by }: Replacement): string {
  const servers = new Set([by, roomId, from].map(serverOf).filter((server) => server !== null));
  // `server_name` is what homeservers before Matrix 1.12 know.
  const query = [...servers].flatMap((server) => [`via=${server}`, `server_name=${server}`]);
  return query.length === 0 ? "" : `?${query.join("&")}`;
}

function serverOf(id: string): string | null {
  const colon = id.indexOf(":");
  return colon < 0 ? null : encodeURIComponent(id.slice(colon + 1));
}
