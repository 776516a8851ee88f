import type { Clock, Timer } from "../base/clock.ts";
import { Emitter } from "../base/emitter.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { PUBLIC_HTTPS, type FetchPolicy } from "../fetch/url.ts";
import { MediaChild } from "./child-process.ts";
import { enginesFor } from "./engine-choice.ts";
import { planeRequestSchema } from "./messages.ts";
import { planeDown, planeError } from "./plane-error.ts";
import type {
  MediaPlane,
  PlaneEvent,
  PlaneRequest,
  PlaneRequestKind,
  PlaneResult,
  PlaneState,
} from "./plane.ts";

/*
 * The media child under supervision. States (`state` of the port in brackets):
 *
 *             request                ready
 *   dormant ───────────► starting ───────────► running ─── no channel, nothing pending for lingerMs ──► dormant
 *    [up] ▲              [as before]            [up]                                        (child ends by itself)
 *         │                  │ exit               │ exit, or stalled and killed
 *         │                  ▼                    ▼
 *         └── delay over, ── waiting [down] ◄─────┘
 *             nothing was     │ delay over, channels were open
 *             open            └───────────► starting
 *   any ── close() ──► closed [closed]
 *
 * A dormant plane is `up`: it takes requests, the first starts a child.
 */
type State =
  | { kind: "dormant" }
  | { kind: "starting"; child: MediaChild; ready: PromiseWithResolvers<void> }
  | { kind: "running"; child: MediaChild; linger: Timer | null }
  | { kind: "waiting"; timer: Timer }
  | { kind: "closed" };

export interface SupervisorOptions {
  clock: Clock;
  log: Log;
  /** As configured; null looks for it. */
  ffmpegPath: string | null;
  /** Where people may send it; default: the public Internet, over https. */
  fetchPolicy?: FetchPolicy;
  /** Modules of engines, see `enginesFor`: the first that loads is used. */
  engines?: readonly URL[];
  /** How long a child without channels stays. */
  lingerMs?: number;
  heartbeatMs?: number;
  stallMs?: number;
  /** Delays before the next child after one has died, by the number of deaths in a row. */
  backOffMs?: readonly number[];
}

const DEFAULTS = {
  fetchPolicy: PUBLIC_HTTPS,
  lingerMs: 60_000,
  heartbeatMs: 500,
  stallMs: 3_000,
  backOffMs: [100, 500, 1_000, 2_000, 5_000, 10_000, 30_000],
};
/** A child that lived this long makes the deaths before it forgotten. */
const STABLE_MS = 60_000;
const CLOSE_GRACE_MS = 2_500;

/** The media plane in a child process of its own, which is started when needed and replaced when it dies. */
export class SupervisedPlane implements MediaPlane {
  readonly #options: Required<SupervisorOptions>;
  readonly #events = new Emitter<PlaneEvent>();
  readonly #states = new Emitter<PlaneState>();
  /** Channels that are open in the child, or were when it died. */
  readonly #channels = new Set<string>();
  /** Children that were told to end and have not yet. */
  readonly #ending = new Map<MediaChild, Promise<void>>();
  /** When each child's process has ended. */
  readonly #gone = new WeakMap<MediaChild, Promise<void>>();
  #state: State = { kind: "dormant" };
  #shown: PlaneState = "up";
  #deaths = 0;
  #startedAtMs = 0;
  #engine: string | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = { engines: enginesFor("auto"), ...DEFAULTS, ...options };
  }

  get state(): PlaneState {
    return this.#shown;
  }

  /** Process id of the child, for tests and diagnosis. */
  get childPid(): number | null {
    const state = this.#state;
    return state.kind === "starting" || state.kind === "running" ? (state.child.pid ?? null) : null;
  }

  /** Name of the engine of the last child that came up; null before the first. */
  get engine(): string | null {
    return this.#engine;
  }

  async request<K extends PlaneRequestKind>(
    request: Extract<PlaneRequest, { kind: K }>,
    signal?: AbortSignal,
  ): Promise<PlaneResult<K>> {
    const decoded = planeRequestSchema.parse(request);
    if (
      decoded.kind === "channel.close" &&
      (this.#state.kind === "dormant" || this.#state.kind === "waiting")
    ) {
      // It is gone with its child, and starting one to close nothing would be odd.
      this.#channels.delete(decoded.channel);
      return {} as PlaneResult<K>;
    }
    const child = await this.#child();
    if (decoded.kind === "channel.open") this.#channels.add(decoded.channel);
    if (decoded.kind === "channel.close") this.#channels.delete(decoded.channel);
    try {
      // The child's answer has passed the schema of this very kind.
      return (await child.request(decoded, signal)) as PlaneResult<K>;
    } finally {
      this.#considerLinger();
    }
  }

  onEvent(listener: (event: PlaneEvent) => void): () => void {
    return this.#events.on(listener);
  }

  onState(listener: (state: PlaneState) => void): () => void {
    return this.#states.on(listener);
  }

  async close(): Promise<void> {
    const state = this.#state;
    if (state.kind !== "closed") {
      this.#state = { kind: "closed" };
      if (state.kind === "starting") state.ready.reject(planeDown("the media plane is closed"));
      if (state.kind === "waiting") state.timer.cancel();
      if (state.kind === "running") state.linger?.cancel();
      if (state.kind === "starting" || state.kind === "running") this.#dismiss(state.child);
      this.#show("closed");
    }
    await Promise.all(this.#ending.values());
  }

  /** The child that takes requests, started if there is none. */
  async #child(): Promise<MediaChild> {
    if (this.#state.kind === "dormant") this.#start();
    const state = this.#state;
    switch (state.kind) {
      case "running":
        state.linger?.cancel();
        state.linger = null;
        return state.child;
      case "starting":
        await state.ready.promise;
        return state.child;
      case "closed":
        throw planeError("media_plane_down", "the media plane is closed", false);
      case "dormant":
      case "waiting":
        throw planeDown("the media child is being replaced");
    }
  }

  #start(): void {
    const { clock, log, ffmpegPath, fetchPolicy, engines, heartbeatMs, stallMs } = this.#options;
    this.#startedAtMs = clock.now();
    const ready = Promise.withResolvers<void>();
    // Nobody may be waiting for it.
    ready.promise.catch(() => undefined);
    const gone = Promise.withResolvers<void>();
    let child: MediaChild;
    try {
      child = new MediaChild({
        clock,
        log,
        child: { engines: engines.map(({ href }) => href), ffmpegPath, fetchPolicy },
        heartbeatMs,
        stallMs,
        onReady: (engine) => this.#ready(child, engine),
        onEvent: (event) => {
          if (this.#state.kind === "running" && this.#state.child === child) this.#events.emit(event);
        },
        onExit: () => {
          gone.resolve();
          this.#ending.delete(child);
          this.#died(child);
        },
      });
    } catch (error) {
      log.error("media_child_exited", { error: messageOf(error) });
      this.#wait();
      return;
    }
    this.#gone.set(child, gone.promise);
    this.#state = { kind: "starting", child, ready };
  }

  #ready(child: MediaChild, engine: string): void {
    const state = this.#state;
    if (state.kind !== "starting" || state.child !== child) return;
    this.#engine = engine;
    this.#state = { kind: "running", child, linger: null };
    // A new child is empty; whoever had a channel in the former one opens it again.
    this.#channels.clear();
    state.ready.resolve();
    this.#show("up");
    this.#considerLinger();
  }

  #died(child: MediaChild): void {
    const state = this.#state;
    if ((state.kind !== "starting" && state.kind !== "running") || state.child !== child) return;
    if (state.kind === "starting") state.ready.reject(planeDown("the media child did not start"));
    else state.linger?.cancel();
    this.#wait();
  }

  #wait(): void {
    const { clock, backOffMs } = this.#options;
    if (clock.now() - this.#startedAtMs >= STABLE_MS) this.#deaths = 0;
    const delayMs = backOffMs[Math.min(this.#deaths, backOffMs.length - 1)] ?? 0;
    this.#deaths++;
    this.#state = {
      kind: "waiting",
      timer: clock.timer(delayMs, () => {
        if (this.#channels.size > 0) {
          this.#start();
          return;
        }
        this.#state = { kind: "dormant" };
        this.#show("up");
      }),
    };
    this.#show("down");
  }

  #considerLinger(): void {
    const state = this.#state;
    if (state.kind !== "running" || state.linger || this.#channels.size > 0 || state.child.busy) return;
    state.linger = this.#options.clock.timer(this.#options.lingerMs, () => {
      state.linger = null;
      if (this.#channels.size > 0 || state.child.busy) return;
      this.#state = { kind: "dormant" };
      this.#dismiss(state.child);
    });
  }

  #dismiss(child: MediaChild): void {
    this.#ending.set(child, this.#gone.get(child) ?? Promise.resolve());
    child.end(CLOSE_GRACE_MS);
  }

  #show(shown: PlaneState): void {
    if (this.#shown === shown) return;
    this.#shown = shown;
    this.#states.emit(shown);
  }
}
