import { randomUUID } from "node:crypto";
import type { Timer } from "../base/clock.ts";
import { BotError, toBotError } from "../base/errors.ts";
import {
  cancelled,
  encrypted,
  fieldsOf,
  waitingMs,
  type Entry,
  type OutboxOptions,
  type SendOptions,
} from "./outbox-entry.ts";
import { LimitNews } from "./outbox-log.ts";
import { budgetOf, decide, hasSpare, type Budget } from "./outbox-policy.ts";
import {
  emptyOutbox,
  enqueue,
  expire,
  isLimited,
  paused,
  refused,
  remove,
  returned,
  settled,
  started,
  taken,
  unpaused,
  type Item,
  type OutboxState,
} from "./outbox-state.ts";
import { Setbacks } from "./outbox-setbacks.ts";
import { bodyOf, coalesceKeyOf, decodeSent, pathOf, transactionId, type Outgoing } from "./outgoing.ts";
import { Patience } from "./patience.ts";

export type { SendOptions } from "./outbox-entry.ts";
export type { Outgoing } from "./outgoing.ts";

const ANSWER_WITHIN_MS = 20_000;
const SLOW_ANSWER_WITHIN_MS = 45_000;

/** Every event that leaves the bot goes through `send`. Decisions are in outbox-policy.ts. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #entries = new Map<number, Entry>();
  readonly #abort = new AbortController();
  readonly #idle = new Set<() => void>();
  readonly #news: LimitNews;
  readonly #setbacks: Setbacks;
  readonly #patience: Patience;
  #state: OutboxState;
  #timer: Timer | null = null;
  #nextId = 1;
  #mode: "open" | "draining" | "closed" = "open";

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#news = new LimitNews(options.clock, options.log, options.tally);
    this.#setbacks = new Setbacks(options.random ?? Math.random);
    this.#patience = new Patience(options.clock, ANSWER_WITHIN_MS, SLOW_ANSWER_WITHIN_MS);
    this.#state = emptyOutbox(options.clock.now());
  }

  /** Whether the homeserver's limit has been met lately, so that low priorities are held back. */
  get limited(): boolean {
    return isLimited(this.#state, this.#options.clock.now());
  }

  /** Whether a refresh may go before it has to. */
  get spare(): boolean {
    return hasSpare(this.#state, this.#options.clock.now());
  }

  /** What is left over for what would be of no use later. */
  get budget(): Budget {
    return budgetOf(this.#state, this.#options.clock.now());
  }

  /** How long the oldest event that has not been taken yet has been here, in ms; 0 when there is none. */
  get oldestMs(): number {
    return waitingMs(this.#entries.values(), this.#options.clock.now());
  }

  /** Events that wait or are on their way. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Sends one event when its turn comes, and repeats it until the homeserver has taken it.
   * @returns the event id
   * @throws BotError `forbidden`, `homeserver`, `room_encrypted`, `timeout` (waited for longer than it is worth),
   * `rate_limited` (too many waiting), `cancelled` (taken back, replaced by another kind of event, shut down)
   */
  send(roomId: string, outgoing: Outgoing, options: SendOptions): Promise<string> {
    return this.#send(roomId, outgoing, options, false);
  }

  /**
   * A plain notice that may go to an encrypted room in clear, once per room and day: that we cannot work there.
   * @throws BotError as `send`
   */
  sendClearNotice(roomId: string, content: Readonly<Record<string, unknown>>): Promise<string> {
    const outgoing = { kind: "message", type: "m.room.message", content } as const;
    return this.#send(roomId, outgoing, { priority: "reply", txnId: `clear-notice ${roomId}` }, true);
  }

  /**
   * Takes nothing new, and ends when what must be sent (LEFT, replies) is sent, or cannot be within `withinMs`; then
   * closes.
   */
  async drain(withinMs: number): Promise<void> {
    if (this.#mode !== "open") return this.close();
    this.#mode = "draining";
    const { clock } = this.#options;
    const deadlineMs = clock.now() + withinMs;
    for (const item of this.#state.waiting) {
      if (item.priority !== "leave" && item.priority !== "reply") this.#cancel(item.id, "shutting down");
    }
    const hopeless = (): boolean => {
      const decision = decide(this.#state, clock.now());
      return this.#state.inFlight.length === 0 && decision.kind === "wait" && decision.untilMs > deadlineMs;
    };
    while (this.#entries.size > 0 && clock.now() < deadlineMs && !hopeless()) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          timer.cancel();
          this.#idle.delete(done);
          resolve();
        };
        const timer = clock.timer(deadlineMs - clock.now(), done);
        this.#idle.add(done);
      });
    }
    this.close();
  }

  /** The homeserver was away and answers again: what waited for that need not wait any longer. */
  homeserverIsBack(): void {
    this.#setbacks.answered();
    this.#state = unpaused(this.#state);
    this.#pump();
  }

  /** Rejects everything that waits and aborts what is on its way. Idempotent. */
  close(): void {
    this.#mode = "closed";
    this.#timer?.cancel();
    this.#abort.abort();
    for (const id of [...this.#entries.keys()]) this.#cancel(id, "shut down");
  }

  #send(roomId: string, outgoing: Outgoing, options: SendOptions, clear: boolean): Promise<string> {
    if (this.#mode !== "open") return Promise.reject(cancelled("shutting down"));
    if (options.signal?.aborted) return Promise.reject(cancelled("taken back"));
    if (!clear && this.#options.isEncrypted(roomId)) return Promise.reject(encrypted(roomId));
    const id = this.#nextId++;
    const item: Item = {
      id,
      roomId,
      priority: options.priority,
      coalesceKey: coalesceKeyOf(roomId, outgoing, options.coalesceKey),
      enqueuedMs: this.#options.clock.now(),
    };
    const settle = Promise.withResolvers<string>();
    const onAbort = (): void => this.#takeBack(id);
    options.signal?.addEventListener("abort", onAbort, { once: true });
    const release = (): void => options.signal?.removeEventListener("abort", onAbort);
    const txnId = transactionId(options.txnId ?? randomUUID());
    this.#entries.set(id, { item, outgoing, txnId, refusals: 0, refusedMs: null, ...settle, release });
    const { state, replaced, overflow } = enqueue(this.#state, item);
    this.#state = state;
    if (replaced !== null) this.#follow(replaced, item);
    if (overflow !== null) {
      this.#fail(overflow.id, new BotError("rate_limited", `too many ${overflow.priority} events wait`));
    }
    this.#pump();
    return settle.promise;
  }

  /** A replaced event of the same kind is as good as sent when the new one is. */
  #follow(replaced: Item, by: Item): void {
    const entry = this.#take(replaced.id);
    const successor = this.#entries.get(by.id);
    if (entry === undefined) return;
    const sameKind = (replaced.priority === "leave") === (by.priority === "leave");
    if (successor !== undefined && sameKind) entry.resolve(successor.promise);
    else entry.reject(cancelled("replaced by a newer event"));
  }

  #takeBack(id: number): void {
    // What is on its way cannot be taken back.
    if (this.#state.waiting.some((item) => item.id === id)) this.#cancel(id, "taken back");
    this.#pump();
  }

  #cancel(id: number, why: string): void {
    this.#state = remove(this.#state, id);
    this.#fail(id, cancelled(why));
  }

  #fail(id: number, error: BotError): void {
    this.#take(id)?.reject(error);
  }

  #take(id: number): Entry | undefined {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    entry?.release();
    return entry;
  }

  #pump(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#mode === "closed") return;
    const { clock } = this.#options;
    for (;;) {
      const { state, expired } = expire(this.#state, clock.now());
      this.#state = state;
      for (const item of expired) {
        this.#fail(item.id, new BotError("timeout", `a ${item.priority} event waited for too long`));
      }
      const decision = decide(this.#state, clock.now());
      if (decision.kind === "wait") {
        this.#timer = clock.timer(Math.max(1, decision.untilMs - clock.now()), () => this.#pump());
      }
      if (decision.kind !== "send") break;
      this.#start(decision.item);
    }
    for (const wake of [...this.#idle]) wake();
  }

  #start(item: Item): void {
    const entry = this.#entries.get(item.id);
    this.#state = started(this.#state, item, this.#options.clock.now());
    if (entry === undefined) {
      this.#state = settled(this.#state, item.id);
      return;
    }
    void this.#attempt(entry);
  }

  async #attempt(entry: Entry): Promise<void> {
    const { clock } = this.#options;
    const startedMs = clock.now();
    const timeoutMs = this.#patience.ms;
    try {
      const eventId = await this.#put(entry, timeoutMs);
      this.#setbacks.taken(clock.now());
      this.#options.tally?.count("event_sent", entry.item.priority);
      this.#state = taken(this.#state, entry.item.id, startedMs, clock.now());
      this.#take(entry.item.id)?.resolve(eventId);
    } catch (error) {
      const failure = toBotError(error);
      if (failure.code === "timeout") this.#patience.tooShort(timeoutMs);
      this.#onError(entry, failure, startedMs);
    }
    this.#pump();
  }

  async #put(entry: Entry, timeoutMs: number): Promise<string> {
    const { homeserver } = this.#options;
    const { item, outgoing, txnId } = entry;
    const isClearNotice = txnId === transactionId(`clear-notice ${item.roomId}`);
    // The room may have been encrypted while the event waited.
    if (!isClearNotice && this.#options.isEncrypted(item.roomId)) throw encrypted(item.roomId);
    const answer = await homeserver.request("PUT", pathOf(item.roomId, outgoing, txnId), {
      body: bodyOf(outgoing, this.#options.clock),
      timeoutMs,
      signal: this.#abort.signal,
    });
    return decodeSent(outgoing, answer);
  }

  #onError(entry: Entry, error: BotError, startedMs: number): void {
    const { clock, log, onTokenRejected } = this.#options;
    const { item } = entry;
    if (this.#mode === "closed") return;
    const verdict = this.#setbacks.judge(entry, error, startedMs, clock.now());
    switch (verdict.kind) {
      case "token_rejected":
        this.close();
        return onTokenRejected?.(error);
      case "final":
        this.#state = settled(this.#state, item.id);
        if (error.code !== "cancelled") log.warn("send_failed", { ...fieldsOf(entry), error });
        return this.#fail(item.id, error);
      case "limited":
        this.#state = refused(this.#state, clock.now(), verdict.delayMs);
        this.#news.limited(verdict.delayMs, this.#state.waiting.length);
        break;
      case "paused":
        this.#state = paused(this.#state, clock.now(), verdict.delayMs);
        log.debug("send_failed", { ...fieldsOf(entry), retryInMs: verdict.delayMs, error });
    }
    const { state, replacedBy } = returned(this.#state, item.id);
    this.#state = state;
    if (replacedBy !== null) this.#follow(item, replacedBy);
  }
}
