import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { Clock, Timer } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log, LogEvent } from "../base/log.ts";
import { LOG_EVENTS } from "../base/log.ts";
import type { ChildOptions } from "./child.ts";
import { fromChildSchema } from "./envelope.ts";
import { planeResultSchemas } from "./messages.ts";
import type { PlaneEvent, PlaneRequest, PlaneRequestKind } from "./messages.ts";
import { fromWireError, planeDown, planeError } from "./plane-error.ts";

export interface MediaChildOptions {
  clock: Clock;
  log: Log;
  child: ChildOptions;
  heartbeatMs: number;
  /** A child that says nothing for this long is killed. */
  stallMs: number;
  onReady: (engine: string) => void;
  onEvent: (event: PlaneEvent) => void;
  /** Once: the process is gone, everything pending was rejected. */
  onExit: () => void;
}

/** Loading an engine takes 80 ms; a machine under load gets patience. */
const READY_WITHIN_MS = 15_000;
/** Describing a connection gathers candidates for up to 2 s, probing reads for up to 10 s, files are closed for seconds. */
const TIMEOUT_MS: Partial<Record<PlaneRequestKind, number>> = {
  "peer.offer": 8_000,
  "peer.answer": 8_000,
  "play.start": 12_000,
  "fetch.file": 620_000,
  probe: 15_000,
  "loudness.scan": 320_000,
  "cover.make": 40_000,
  "record.stop": 15_000,
  "record.erase": 15_000,
  "clip.write": 30_000,
  "announce.play": 12_000,
  "channel.close": 15_000,
};
const DEFAULT_TIMEOUT_MS = 5_000;
const MAX_PENDING = 10_000;

interface Pending {
  kind: PlaneRequestKind;
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
  timer: Timer;
}

/** One forked media child from fork to exit: requests and answers, its heartbeat, its end. */
export class MediaChild {
  readonly #options: MediaChildOptions;
  readonly #process: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  readonly #startedAtMs: number;
  #nextId = 1;
  #ready = false;
  #gone = false;
  #invalid = 0;
  #readyTimer: Timer | null;
  #heartbeat: Timer | null = null;
  #killTimer: Timer | null = null;
  #silentMs = 0;
  #lastWords = "";

  constructor(options: MediaChildOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#startedAtMs = clock.now();
    // The child is the sibling of this file, compiled or as source.
    const file = new URL(import.meta.url.endsWith(".ts") ? "./child.ts" : "./child.js", import.meta.url);
    this.#process = fork(file, [JSON.stringify(options.child)], {
      serialization: "advanced",
      // A small young generation: shorter collections, and 8 MB less.
      execArgv: ["--max-semi-space-size=1"],
      env: childEnvironment(),
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#process.stderr?.on("data", (chunk: Buffer) => {
      this.#lastWords = (this.#lastWords + chunk.toString("utf8")).slice(-2_000);
    });
    this.#process.on("message", (raw) => this.#take(raw));
    this.#process.on("error", (error) => {
      this.#lastWords += messageOf(error);
      if (this.#process.pid === undefined) this.#exit(null, null);
    });
    this.#process.on("exit", (code, signal) => this.#exit(code, signal));
    this.#readyTimer = clock.timer(READY_WITHIN_MS, () => {
      log.warn("media_child_stalled", { pid: this.pid, waitingFor: "ready" });
      this.kill();
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Requests without an answer, pings aside. */
  get busy(): boolean {
    for (const { kind } of this.#pending.values()) if (kind !== "ping") return true;
    return false;
  }

  /** Rejects with `media_plane_down` when the child goes, with `timeout` when it does not answer; see `MediaPlane.request`. */
  request(request: PlaneRequest, signal?: AbortSignal): Promise<unknown> {
    if (this.#gone || !this.#process.connected) return Promise.reject(planeDown("the media child is gone"));
    if (this.#pending.size >= MAX_PENDING)
      return Promise.reject(planeDown("the media child does not keep up"));
    const id = this.#nextId++;
    const limitMs = TIMEOUT_MS[request.kind] ?? DEFAULT_TIMEOUT_MS;
    const cancel = (): void => {
      if (this.#pending.has(id) && this.#process.connected)
        this.#process.send({ id, cancel: true }, () => undefined);
    };
    const answer = new Promise((resolve, reject) => {
      const timer = this.#options.clock.timer(limitMs, () => {
        cancel();
        this.#pending.delete(id);
        reject(planeError("timeout", `${request.kind} took over ${limitMs} ms`, true));
      });
      this.#pending.set(id, { kind: request.kind, resolve, reject, timer });
      this.#process.send({ id, request }, (error) => {
        if (error) this.#settle(id)?.reject(planeDown(messageOf(error)));
      });
    });
    if (!signal) return answer;
    if (signal.aborted) cancel();
    else signal.addEventListener("abort", cancel, { once: true });
    return answer.finally(() => signal.removeEventListener("abort", cancel));
  }

  /** Lets it close its files and end; kills it when it has not within `graceMs`. Idempotent. */
  end(graceMs: number): void {
    if (this.#gone || this.#killTimer) return;
    this.#heartbeat?.cancel();
    this.#heartbeat = null;
    if (this.#process.connected) this.#process.disconnect();
    this.#killTimer = this.#options.clock.timer(graceMs, () => this.kill());
  }

  /** Ends it at once, even when it is stopped or stuck. */
  kill(): void {
    if (!this.#gone) this.#process.kill("SIGKILL");
  }

  #take(raw: unknown): void {
    this.#silentMs = 0;
    const { log, onEvent, onReady } = this.#options;
    const message = fromChildSchema.safeParse(raw);
    if (!message.success) {
      this.#reportInvalid("message");
      return;
    }
    const { data } = message;
    switch (data.type) {
      case "ready":
        if (this.#ready) return;
        this.#ready = true;
        this.#readyTimer?.cancel();
        this.#beat();
        log.info("media_child_started", {
          pid: this.pid,
          engine: data.engine,
          tookMs: Math.round(this.#options.clock.now() - this.#startedAtMs),
        });
        onReady(data.engine);
        return;
      case "result": {
        const pending = this.#settle(data.id);
        if (!pending) return;
        const result = planeResultSchemas[pending.kind].safeParse(data.result);
        if (result.success) pending.resolve(result.data);
        else {
          this.#reportInvalid(pending.kind);
          pending.reject(planeError("internal", `the result of ${pending.kind} is malformed`, false));
        }
        return;
      }
      case "error":
        this.#settle(data.id)?.reject(fromWireError(data));
        return;
      case "event":
        onEvent(data.event);
        return;
      case "log": {
        const event = LOG_EVENTS.find((known) => known === data.event);
        if (event) this.#relay(data.level, event, data.fields);
        else this.#reportInvalid("log");
        return;
      }
    }
  }

  #relay(level: "debug" | "info" | "warn" | "error", event: LogEvent, fields: object): void {
    this.#options.log[level](event, { ...fields, pid: this.pid });
  }

  #reportInvalid(what: string): void {
    this.#invalid++;
    // Powers of two: a flood of them is no flood of lines.
    if ((this.#invalid & (this.#invalid - 1)) === 0)
      this.#options.log.warn("media_message_invalid", { what, count: this.#invalid });
  }

  #settle(id: number): Pending | null {
    const pending = this.#pending.get(id);
    if (!pending) return null;
    this.#pending.delete(id);
    pending.timer.cancel();
    return pending;
  }

  /**
   * Asks for a sign of life each `heartbeatMs` and adds up the time without any message. A beat of ours that comes late
   * (this process was busy, or the machine asleep) says nothing about the child: the count starts anew.
   */
  #beat(): void {
    const { clock, heartbeatMs, stallMs, log } = this.#options;
    const expectedMs = clock.now() + heartbeatMs;
    this.#heartbeat = clock.timer(heartbeatMs, () => {
      const late = clock.now() - expectedMs > heartbeatMs / 2;
      this.#silentMs = late ? 0 : this.#silentMs + heartbeatMs;
      if (this.#silentMs >= stallMs) {
        log.warn("media_child_stalled", { pid: this.pid, silentMs: this.#silentMs });
        this.kill();
        return;
      }
      // The answer counts as any other message; a missing one is noticed here, not there.
      this.request({ kind: "ping" }).catch(() => undefined);
      this.#beat();
    });
  }

  #exit(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#gone) return;
    this.#gone = true;
    for (const timer of [this.#readyTimer, this.#heartbeat, this.#killTimer]) timer?.cancel();
    const expected = this.#killTimer !== null && code === 0;
    this.#options.log[expected ? "info" : "error"]("media_child_exited", {
      pid: this.pid,
      code,
      signal,
      ...(expected || this.#lastWords === "" ? {} : { lastWords: this.#lastWords }),
    });
    for (const id of [...this.#pending.keys()])
      this.#settle(id)?.reject(planeDown("the media child is gone"));
    this.#options.onExit();
  }
}

/** The environment without the bot's own settings: neither the engine nor ffmpeg needs the access token. */
function childEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VOICEBOT_")));
}
