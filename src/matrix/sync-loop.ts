import { SerialQueue, sleep } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { BotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { decodeSync, type SyncResponse } from "./events.ts";
import { backoffMs, HomeserverError, isTokenRejected, retryDelayMs, type Homeserver } from "./homeserver.ts";
import { OutageNews } from "./outage-news.ts";
import { Patience } from "./patience.ts";
import type { SyncMode, SyncRooms } from "./sync-rooms.ts";
import type { SyncStore } from "./sync-store.ts";

export interface SyncLoopOptions {
  homeserver: Homeserver;
  rooms: SyncRooms;
  store: SyncStore;
  /**
   * An answer is there, and is handled next. `afterFailure`: what the homeserver knows did not reach us for a while before
   * it.
   */
  onSynced(afterFailure: boolean): void;
  clock: Clock;
  log: Log;
  random: () => number;
  /** Ends the loop, its request included. */
  signal: AbortSignal;
}

/** The homeserver caps a timeline at 100 events whatever we ask. Nothing but rooms is of use to us. */
export const SYNC_FILTER = {
  presence: { types: [] },
  account_data: { types: [] },
  room: {
    account_data: { types: [] },
    ephemeral: { types: [] },
    timeline: { limit: 100 },
    state: { lazy_load_members: false },
  },
} as const;

const POLL_MS = 20_000;
/** Beyond the time that the homeserver was told to wait. */
const LATE_MS = 15_000;
const MAX_LATE_MS = 60_000;
/** The first response has the state of every room, which takes big accounts their time. */
const FIRST_TIMEOUT_MS = 60_000;
const MAX_FIRST_TIMEOUT_MS = 300_000;
/** A newcomer's offer waits for this, once the homeserver is back. */
export const MAX_SYNC_PAUSE_MS = 6_000;
/** Empty answers in a row that may come at once. */
const MAX_EMPTY = 3;
/** What handlers are waited for before the position is stored all the same. */
const HANDLERS_MS = 60_000;

/**
 * Long-polls /sync. After each response everything in it is handled, then its position is stored; the next poll does not
 * wait for that, so that a slow handler delays no signalling.
 */
export class SyncLoop {
  readonly #options: SyncLoopOptions;
  readonly #commits = new SerialQueue();
  /** Stopped while handlers were running: what they handled is not done. */
  #abandoned = false;
  /**
   * Synapse answers a repeated /sync (same position, filter and time-out) from a cache for two minutes: a restart must
   * not get the answer of the run before.
   */
  readonly #pollMs: number;
  readonly #late: Patience;
  readonly #first: Patience;
  /** Handlers take longer than they are waited for, and the operator was told. */
  #handlersLate = false;
  #answeredAtMs: number | null = null;
  #turnedAtMs: number | null = null;

  constructor(options: SyncLoopOptions) {
    this.#options = options;
    this.#pollMs = POLL_MS - Math.floor(options.random() * 5000);
    this.#late = new Patience(options.clock, LATE_MS, MAX_LATE_MS);
    this.#first = new Patience(options.clock, FIRST_TIMEOUT_MS, MAX_FIRST_TIMEOUT_MS);
  }

  /** In ms: since the last answer, and since anything was done at all; null before. */
  get ages(): { ageMs: number | null; turnMs: number | null } {
    const now = this.#options.clock.now();
    const since = (atMs: number | null): number | null => (atMs === null ? null : now - atMs);
    return { ageMs: since(this.#answeredAtMs), turnMs: since(this.#turnedAtMs) };
  }

  /**
   * Runs until the signal aborts.
   * @param onFirst called when the first response is handled, with how it was taken
   * @throws BotError `forbidden` when the access token is not accepted any more
   */
  async run(onFirst: (mode: SyncMode) => void): Promise<void> {
    const { clock, store, rooms, signal, log, random } = this.#options;
    const news = new OutageNews(clock, log);
    let since = await store.read();
    let mode: SyncMode = since === null ? "initial" : "resumed";
    let first = true;
    let failures = 0;
    let empty = 0;
    while (!signal.aborted) {
      const startedMs = clock.now();
      this.#turnedAtMs = startedMs;
      try {
        const response = await this.#poll(since, mode);
        this.#answeredAtMs = clock.now();
        const tookMs = this.#answeredAtMs - startedMs;
        this.#options.onSynced(failures > 0 || tookMs > this.#pollMs + LATE_MS / 2);
        news.back();
        const running = await rooms.handle(response, mode, since);
        this.#commit(response.next_batch, running);
        empty = tookMs < 1000 && isEmpty(response) ? empty + 1 : 0;
        since = response.next_batch;
        if (first) onFirst(mode);
        first = false;
        mode = "incremental";
        failures = 0;
        // A homeserver that does not hold the request open must not make us spin.
        if (empty > MAX_EMPTY) await sleep(clock, 1000, signal);
      } catch (error) {
        if (signal.aborted) break;
        if (isTokenRejected(error)) throw tokenRejected(error);
        failures += 1;
        if (since !== null && isPositionRefused(error)) {
          log.warn("sync_gap", { reason: "the homeserver does not know the stored position", error });
          since = null;
          mode = "initial";
          continue;
        }
        const pauseMs = backoffMs(failures, 1000, MAX_SYNC_PAUSE_MS, random);
        const retryInMs = Math.round(retryDelayMs(error, pauseMs));
        news.failed(error, failures, retryInMs);
        await sleep(clock, retryInMs, signal).catch(() => {});
      }
    }
  }

  /** Resolves when every position is stored whose handlers are done; after an abort, at once. */
  async settled(): Promise<void> {
    await this.#commits.idle();
  }

  async #poll(since: string | null, mode: SyncMode): Promise<SyncResponse> {
    const patience = mode === "incremental" ? this.#late : this.#first;
    const patienceMs = patience.ms;
    try {
      return await this.#ask(since, mode, patienceMs);
    } catch (error) {
      if (error instanceof BotError && error.code === "timeout") patience.tooShort(patienceMs);
      throw error;
    }
  }

  async #ask(since: string | null, mode: SyncMode, patienceMs: number): Promise<SyncResponse> {
    const body = await this.#options.homeserver.request("GET", "/_matrix/client/v3/sync", {
      query: {
        filter: JSON.stringify(SYNC_FILTER),
        set_presence: "offline",
        timeout: this.#pollMs,
        ...(since === null ? {} : { since }),
        // After a restart we know nothing of our rooms.
        ...(mode === "resumed" ? { full_state: true } : {}),
      },
      timeoutMs: mode === "incremental" ? this.#pollMs + patienceMs : patienceMs,
      signal: this.#options.signal,
    });
    return decodeSync(body);
  }

  #commit(nextBatch: string, running: readonly Promise<void>[]): void {
    const { log, store } = this.#options;
    const handled = this.#handled(running);
    void this.#commits.run(async () => {
      const outcome = await handled;
      if (outcome === "stopped") this.#abandoned = true;
      if (outcome === "late" && !this.#handlersLate) {
        log.warn("handler_failed", {
          reason: `not done after ${HANDLERS_MS} ms, maybe because replies wait`,
        });
      }
      this.#handlersLate = outcome === "late";
      // From here on the next start has to repeat everything.
      if (!this.#abandoned) await store.write(nextBatch);
    });
  }

  async #handled(running: readonly Promise<void>[]): Promise<"done" | "late" | "stopped"> {
    if (running.length === 0) return "done";
    const { clock, signal } = this.#options;
    const { promise: cut, resolve } = Promise.withResolvers<"late" | "stopped">();
    const onAbort = (): void => resolve("stopped");
    const timer = clock.timer(HANDLERS_MS, () => resolve("late"));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      return await Promise.race([Promise.all(running).then(() => "done" as const), cut]);
    } finally {
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
    }
  }
}

/** A gateway's 400 says nothing about the position. */
function isPositionRefused(error: unknown): boolean {
  return error instanceof HomeserverError && error.status === 400 && error.errcode !== "";
}

function isEmpty({ rooms }: SyncResponse): boolean {
  return [rooms.join, rooms.leave, rooms.invite].every((blocks) => Object.keys(blocks).length === 0);
}

/** @returns the error that tells the operator what to do */
export function tokenRejected(cause: unknown): BotError {
  const what =
    "the homeserver does not accept the bot's access token (any more): put a new one into VOICEBOT_ACCESS_TOKEN, or let the " +
    "bot log in by itself with VOICEBOT_USER_ID and VOICEBOT_PASSWORD, and start the bot again";
  return new BotError("forbidden", what, { cause });
}
