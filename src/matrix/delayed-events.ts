import { z } from "zod";
import type { Clock, Timer } from "../base/clock.ts";
import { messageOf, toBotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { apiPath, HomeserverError, retryDelayMs, type Homeserver, type HttpMethod } from "./homeserver.ts";
import type { Outbox } from "./outbox.ts";
import type { Outgoing } from "./outgoing.ts";

/*
 * State events that the homeserver posts for us if it does not hear of us any more: MSC4140, under its unstable prefix.
 *
 *   hold() ─► scheduling ── taken ──► armed ─┐ restart, 8 s after the last one
 *                ▲  │                  │  ▲  └──┘
 *                │  └ not taken ► waiting │
 *                └──────── 404: posted, or cancelled because somebody else wrote that state
 *
 * To schedule one costs what sending it does (Synapse: rc_message), so that goes through the outbox behind everything else.
 * To restart and to cancel have a limit of their own (rc_delayed_event_mgmt: one a second, burst 5), so they go one at a
 * time. Synapse cancels a delayed state event when another user sends that state; ours neither cancels nor replaces it.
 */

/** How long after the last sign of life the event is posted. The web client forgets a member after 20 to 40 s. */
export const DELAY_MS = 24_000;
/** Restarts within that time: two that fail in a row do no harm. */
const RESTARTS = 3;
/** Between two requests, so that the limit of one a second is never met. */
const PACE_MS = 1_000;
/** What that pace can keep alive with one failure each. */
const MAX_HELD = 12;
const ANSWER_MS = 5_000;
const RETRY_MS = 2_000;
const SCHEDULE_AGAIN_MS = 30_000;
const ASK_AGAIN_MS = 60_000;
/** How long `release` waits for the homeserver. */
const CANCEL_MS = 2_000;

const FEATURE = "org.matrix.msc4140";
const EVENTS = `/_matrix/client/unstable/${FEATURE}/delayed_events`;

const featuresSchema = z.record(z.string(), z.unknown()).default({}).catch({});
const versionsSchema = z.object({ unstable_features: featuresSchema });
const scheduledSchema = z.object({ delayed_events: z.array(z.unknown()).default([]) });
const scheduledEventSchema = z.object({
  delay_id: z.string().min(1).max(255),
  room_id: z.string(),
  type: z.string(),
  state_key: z.string(),
});

export interface DelayedState {
  roomId: string;
  type: string;
  stateKey: string;
  content: Readonly<Record<string, unknown>>;
}

export interface DelayedEventsOptions {
  homeserver: Homeserver;
  outbox: Pick<Outbox, "send">;
  /** Default `DELAY_MS`. */
  delayMs?: number;
  clock: Clock;
  log: Log;
}

type Phase =
  | { is: "scheduling"; takeBack: AbortController }
  | { is: "armed"; delayId: string; restartAtMs: number }
  | { is: "waiting"; scheduleAtMs: number };

interface Held {
  readonly state: DelayedState;
  phase: Phase;
  lostMs: number;
}

/** Keeps delayed state events of ours from being posted for as long as we live. Silent where the homeserver has none. */
export class DelayedEvents {
  readonly #options: DelayedEventsOptions;
  readonly #delayMs: number;
  readonly #restartEveryMs: number;
  readonly #held = new Map<string, Held>();
  /** Those of earlier runs, by what they would write. */
  readonly #leftBehind = new Map<string, string[]>();
  readonly #cancelling = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  #closed = false;
  #offered = false;
  #restartForm: "path" | "body" = "path";
  #busy = false;
  #notBeforeMs = -Infinity;
  #timer: Timer | null = null;

  constructor(options: DelayedEventsOptions) {
    this.#options = options;
    this.#delayMs = options.delayMs ?? DELAY_MS;
    this.#restartEveryMs = this.#delayMs / RESTARTS;
  }

  /**
   * Asks the homeserver whether it offers this, and what an earlier run has left there: that is kept alive for the time
   * that joining takes, and taken over by `hold`. Never rejects; a homeserver that does not answer is asked again.
   */
  async start(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      const answer = await this.#request("GET", "/_matrix/client/versions");
      if (versionsSchema.parse(answer).unstable_features[FEATURE] !== true) return;
      await this.#findLeftBehind();
      this.#offered = true;
      this.#pump();
    } catch (error) {
      if (this.#closed) return;
      log.debug("delayed_leave", { what: "not known", reason: messageOf(error) });
      this.#timer = clock.timer(ASK_AGAIN_MS, () => void this.start());
    }
  }

  /** From now on, if we fall silent, this state is posted after the delay. Idempotent. */
  hold(state: DelayedState): void {
    const key = keyOf(state.roomId, state.type, state.stateKey);
    if (this.#held.has(key) || this.#closed || this.#held.size >= MAX_HELD) return;
    const phase: Phase = { is: "waiting", scheduleAtMs: this.#options.clock.now() };
    this.#held.set(key, { state, phase, lostMs: -Infinity });
    this.#pump();
  }

  /**
   * We write that state ourselves: taken back once the homeserver has ours, and left to it if ours does not get there.
   * @param written resolves when the homeserver has taken ours
   */
  release({ roomId, type, stateKey }: Omit<DelayedState, "content">, written: Promise<unknown>): void {
    const key = keyOf(roomId, type, stateKey);
    const phase = this.#held.get(key)?.phase;
    this.#held.delete(key);
    if (phase?.is === "scheduling") phase.takeBack.abort();
    if (phase?.is !== "armed") return;
    const { delayId } = phase;
    const cancelled: Promise<void> = written.then(
      () => this.#cancel(delayId, key),
      () => undefined,
    );
    this.#cancelling.add(cancelled);
    void cancelled.finally(() => this.#cancelling.delete(cancelled));
  }

  /** What is still held is posted later. Resolves when what was released is taken back, 2 s after its write at most. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    for (const { phase } of this.#held.values()) if (phase.is === "scheduling") phase.takeBack.abort();
    this.#held.clear();
    await Promise.all(this.#cancelling);
    this.#abort.abort();
  }

  async #findLeftBehind(): Promise<void> {
    const answer = await this.#request("GET", EVENTS).catch((error: unknown) => {
      // Not every homeserver that has them can list them; then they fire, and are noticed.
      if (error instanceof HomeserverError && !error.retryable) return {};
      throw error;
    });
    const ids: string[] = [];
    for (const raw of scheduledSchema.parse(answer).delayed_events) {
      const event = scheduledEventSchema.safeParse(raw).data;
      if (!event) continue;
      const key = keyOf(event.room_id, event.type, event.state_key);
      this.#leftBehind.set(key, [...(this.#leftBehind.get(key) ?? []), event.delay_id]);
      ids.push(event.delay_id);
    }
    // What the limit leaves after the list.
    for (const id of ids.slice(0, 3)) await this.#restart(id).catch(() => {});
  }

  /** The one loop: one request at a time, the most urgent first. */
  #pump(): void {
    const { clock } = this.#options;
    if (!this.#offered || this.#busy || this.#closed) return;
    this.#timer?.cancel();
    this.#timer = null;
    let first: { held: Held; atMs: number } | null = null;
    for (const held of this.#held.values()) {
      const { phase } = held;
      if (phase.is === "scheduling") continue;
      const atMs = phase.is === "armed" ? phase.restartAtMs : phase.scheduleAtMs;
      if (first === null || atMs < first.atMs) first = { held, atMs };
    }
    if (first === null) return;
    const { held } = first;
    const atMs = Math.max(first.atMs, this.#notBeforeMs);
    if (atMs > clock.now()) {
      this.#timer = clock.timer(atMs - clock.now(), () => this.#pump());
      return;
    }
    if (held.phase.is === "armed") void this.#keepAlive(held, held.phase);
    else if (!this.#takeOver(held)) void this.#schedule(held);
    this.#pump();
  }

  /** One that an earlier run, or an earlier stay, has left is as good as a new one, and costs nothing. */
  #takeOver(held: Held): boolean {
    const { roomId, type, stateKey } = held.state;
    const key = keyOf(roomId, type, stateKey);
    const [delayId, ...others] = this.#leftBehind.get(key) ?? [];
    this.#leftBehind.delete(key);
    if (delayId === undefined) return false;
    for (const other of others) void this.#cancel(other);
    held.phase = { is: "armed", delayId, restartAtMs: this.#options.clock.now() };
    return true;
  }

  async #schedule(held: Held): Promise<void> {
    const { clock, log, outbox } = this.#options;
    const { roomId, type, stateKey, content } = held.state;
    const takeBack = new AbortController();
    held.phase = { is: "scheduling", takeBack };
    const outgoing: Outgoing = { kind: "delayed-state", type, stateKey, content, delayMs: this.#delayMs };
    try {
      const delayId = await outbox.send(roomId, outgoing, { priority: "card", signal: takeBack.signal });
      if (takeBack.signal.aborted) return await this.#cancel(delayId);
      held.phase = { is: "armed", delayId, restartAtMs: clock.now() + this.#restartEveryMs };
      log.debug("delayed_leave", { room: roomId, what: "armed", delayMs: this.#delayMs });
    } catch (thrown) {
      if (takeBack.signal.aborted) return;
      const error = toBotError(thrown);
      held.phase = { is: "waiting", scheduleAtMs: clock.now() + SCHEDULE_AGAIN_MS };
      // A homeserver that refuses will do so again: it allows less time, or has switched it off.
      if (error instanceof HomeserverError ? !error.retryable : error.code === "internal")
        this.#offered = false;
      log.debug("delayed_leave", { room: roomId, what: "not taken", error });
    }
    this.#pump();
  }

  async #keepAlive(held: Held, armed: Extract<Phase, { is: "armed" }>): Promise<void> {
    const { clock, log } = this.#options;
    this.#busy = true;
    let phase: Phase;
    try {
      await this.#restart(armed.delayId);
      phase = { ...armed, restartAtMs: clock.now() + this.#restartEveryMs };
      this.#notBeforeMs = clock.now() + PACE_MS;
    } catch (error) {
      const nowMs = clock.now();
      if (isGone(error)) {
        const again = nowMs - held.lostMs < SCHEDULE_AGAIN_MS;
        held.lostMs = nowMs;
        phase = { is: "waiting", scheduleAtMs: again ? nowMs + SCHEDULE_AGAIN_MS : nowMs };
        log.info("delayed_leave", { room: held.state.roomId, what: "lost" });
      } else {
        phase = { ...armed, restartAtMs: nowMs };
        this.#notBeforeMs = nowMs + retryDelayMs(error, RETRY_MS);
      }
    } finally {
      this.#busy = false;
    }
    if (held.phase === armed) held.phase = phase;
    this.#pump();
  }

  async #restart(delayId: string): Promise<void> {
    if (this.#restartForm === "path") {
      try {
        await this.#request("POST", `${EVENTS}/${apiPath`${delayId}`}/restart`, {});
        return;
      } catch (error) {
        const unknown = error instanceof HomeserverError && (error.status === 404 || error.status === 405);
        if (!unknown || isGone(error)) throw error;
        // An earlier form of the proposal.
        this.#restartForm = "body";
      }
    }
    await this.#request("POST", `${EVENTS}/${apiPath`${delayId}`}`, { action: "restart" });
  }

  /** @param key under which it is remembered if the homeserver does not answer, to be taken over by the next `hold` */
  async #cancel(delayId: string, key?: string): Promise<void> {
    try {
      // The form that every version of the proposal's servers has known.
      await this.#request("POST", `${EVENTS}/${apiPath`${delayId}`}`, { action: "cancel" }, CANCEL_MS);
    } catch (error) {
      if (key !== undefined && !isGone(error)) this.#leftBehind.set(key, [delayId]);
    }
  }

  #request(method: HttpMethod, path: string, body?: object, timeoutMs = ANSWER_MS): Promise<unknown> {
    const { signal } = this.#abort;
    return this.#options.homeserver.request(method, path, { timeoutMs, signal, ...(body ? { body } : {}) });
  }
}

function keyOf(roomId: string, type: string, stateKey: string): string {
  return `${roomId}\0${type}\0${stateKey}`;
}

/** The delayed event is not there any more, as against a path that the homeserver does not know. */
function isGone(error: unknown): boolean {
  return error instanceof HomeserverError && error.errcode === "M_NOT_FOUND";
}
