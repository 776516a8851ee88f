import type { Clock } from "../base/clock.ts";
import { BotError, messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Language, Sentence } from "../base/messages/catalogue.ts";
import { heldFor, reasonFor, stallError } from "./failure.ts";
import { playName, type QueueEffect, type QueueEvent, type QueueState } from "./queue.ts";
import type { Starting } from "./starting.ts";
import { cleanDetail } from "./text.ts";
import type { Verdict } from "./watchdog.ts";

export interface MishapsDeps {
  state: () => QueueState;
  dispatch: (event: QueueEvent) => readonly QueueEffect[];
  /** The media plane has nothing (any more) of what has this name. */
  onEnded: (play: string) => void;
  starting: Starting;
  tell: (sentence: Sentence) => void;
  language: () => Language;
  prefix: string;
  clock: Clock;
  log: Log;
  /** The room is closed: nothing is wrong any more. */
  signal: AbortSignal;
}

/** How often the room is told that nothing comes of the same stream. */
const INTERRUPTED_EVERY_MS = 10 * 60_000;

/** What goes wrong with what is on: the queue goes on, and who asked or the room is told. */
export class Mishaps {
  readonly #deps: MishapsDeps;
  /** The play of which was told last that it is interrupted. */
  #interrupted: { id: string; atMs: number } | null = null;

  constructor(deps: MishapsDeps) {
    this.#deps = deps;
  }

  /** What has this name cannot be played, or not any further. */
  failed(id: string, error: BotError): void {
    const { dispatch, starting, language, tell, log, onEnded, signal } = this.#deps;
    if (signal.aborted) return;
    const reason = reasonFor(error, language());
    log.warn("track_failed", { track: id, code: error.code, reason: cleanDetail(messageOf(error)) });
    onEnded(id);
    const effects = dispatch({ kind: "failed", id, reason });
    const failed = effects.find((effect) => effect.kind === "failed");
    if (!failed) return;
    const say: Sentence = { key: "player.failed", params: { title: failed.track.title, reason } };
    // Who is waiting for an answer gets it as the answer; everybody else is told.
    if (starting.isWaitedFor(id))
      starting.fail(new BotError(error.code, error.message, { say, cause: error }));
    else tell(say);
    const gaveUp = effects.find((effect) => effect.kind === "gave-up");
    if (!gaveUp) return;
    const { failures, waiting } = gaveUp;
    tell({ key: "player.gave_up", params: { failures, waiting } });
  }

  /** What is on does not sound, and this is to be done about it. */
  stalled({ act, cause }: Verdict): void {
    const { state, dispatch, tell, prefix } = this.#deps;
    const id = playName(state());
    if (id === null) return;
    if (act === "skip") return this.failed(id, stallError(cause));
    dispatch({ kind: "retry", id, hold: act === "hold" });
    if (act === "hold") tell(heldFor(cause, prefix));
  }

  /** Nothing comes of the stream with this name, and it is tried again. */
  interrupted(id: string): void {
    const { state, clock, tell } = this.#deps;
    const { now } = state();
    const nowMs = clock.now();
    if (!now || playName(state()) !== id || now.phase === "paused") return;
    // One that comes and goes is not told each time.
    const again = this.#interrupted;
    if (again?.id === id && nowMs - again.atMs < INTERRUPTED_EVERY_MS) return;
    this.#interrupted = { id, atMs: nowMs };
    tell({ key: "player.interrupted", params: { title: now.track.title } });
  }
}
