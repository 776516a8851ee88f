import { z } from "zod";
import type { Clock, Timer } from "../base/clock.ts";
import { toBotError, type BotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { RoomSettings } from "../settings/room-settings.ts";
import type { RoomDocuments } from "../store/store.ts";
import {
  decideAuto,
  newGathering,
  type AutoEvent,
  type AutoFacts,
  type AutoMemory,
} from "./auto-decision.ts";

export interface AutoRecordDeps {
  settings: Pick<RoomSettings, "get" | "onChange">;
  documents: Pick<RoomDocuments, "read" | "write" | "remove">;
  /** Nothing is ever done here. */
  isOff: () => boolean;
  /** For now nothing is decided: what went on before the start may still go on again. */
  isHeld: () => boolean;
  /** Persons in the channel besides the bot, whether the bot is in it or not. */
  people: () => number;
  channel: {
    readonly joined: boolean;
    /** @throws BotError what keeps the bot out */
    join(): Promise<void>;
    leave(): Promise<void>;
  };
  /** Something plays, so that the bot is not there for the recording alone. */
  isPlaying: () => boolean;
  recording: () => AutoFacts["recording"];
  /** Starts recording and tells the room why. @throws BotError */
  start: (people: number) => Promise<void>;
  /** Ends the recording because everybody has left, and tells the room. @throws BotError */
  end: () => Promise<void>;
  /** Must not throw. */
  tell: (problem: BotError) => void;
  clock: Clock;
  log: Log;
}

/** Document: wall time at which somebody ended what is recorded by itself, so that a restart does not begin it anew. */
const SPENT = "auto-record-spent";
/** Longer than people stay; who comes the day after is another gathering even if nobody saw the first one end. */
const SPENT_MS = 12 * 3_600_000;

const LOOK_AGAIN_MS = 2_000;
const OVERTAKEN: readonly string[] = ["already_recording", "not_recording", "cancelled"];

/** Comes and records by itself, as far as the room is set so (`record.auto`). What it decides is in `auto-decision.ts`. */
export class AutoRecord {
  readonly #deps: AutoRecordDeps;
  readonly #unsubscribe: () => void;
  #memory: AutoMemory = newGathering;
  #timer: Timer | null = null;
  #begun = false;
  #closed = false;
  /** It brought the bot into the channel, and takes it out again. */
  #came = false;

  constructor(deps: AutoRecordDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.settings.onChange(({ name }) => {
      if (name !== "record.auto") return;
      // Somebody says so here and now, or the room has taken the place of one that was set so.
      this.#begun = true;
      this.#take({ kind: "set" });
    });
  }

  /** It is known who is in the channel, and what went on before the start goes on again. Idempotent. */
  begin(): void {
    if (!this.#begun) {
      this.#begun = true;
      const { documents, clock } = this.#deps;
      const spentMs = documents.read(SPENT, z.number());
      const spent = spentMs !== null && clock.wall() - spentMs < SPENT_MS;
      this.#memory = { ...this.#memory, spent };
    }
    this.check();
  }

  /** Call it on each change of who is in the channel, and whether the bot is. */
  check(): void {
    this.#take({ kind: "look" });
  }

  /** A recording is over. */
  ended(): void {
    this.#take({ kind: "ended" });
  }

  /** Somebody does not want the bot in the channel. */
  sentAway(): void {
    this.#take({ kind: "sent away" });
  }

  /** The bot is out of the channel, and was not on its way in for us. */
  out(): void {
    this.#came = false;
    this.#take({ kind: this.#memory.acting ? "look" : "sent away" });
  }

  close(): void {
    this.#closed = true;
    this.#unsubscribe();
    this.#timer?.cancel();
  }

  #take(event: AutoEvent): void {
    const { clock, documents } = this.#deps;
    if (this.#closed || !this.#begun) return;
    this.#timer?.cancel();
    this.#timer = null;
    const before = this.#memory;
    const { memory, act, lookAtMs } = decideAuto(before, event, this.#facts());
    this.#memory = memory;
    const isHeld = this.#isHeld();
    if (memory.spent !== before.spent) {
      if (memory.spent && this.#facts().from !== null) documents.write(SPENT, clock.wall());
      else documents.remove(SPENT);
    }
    if (isHeld || lookAtMs !== null) {
      const waitMs = Math.max(0, (lookAtMs ?? Infinity) - clock.now());
      this.#timer = clock.timer(isHeld ? LOOK_AGAIN_MS : waitMs, () => this.check());
    }
    if (act === "start") void this.#act(() => this.#start());
    if (act === "end") void this.#act(() => this.#end());
  }

  #isHeld(): boolean {
    const { isOff, isHeld, settings } = this.#deps;
    return !isOff() && settings.get("record.auto") !== "off" && isHeld();
  }

  #facts(): AutoFacts {
    const { clock, settings, people, recording, isOff } = this.#deps;
    const from = settings.get("record.auto");
    return {
      ...{ nowMs: clock.now(), from: from === "off" || isOff() || this.#isHeld() ? null : from },
      ...{ people: people(), recording: recording() },
    };
  }

  async #act(run: () => Promise<void>): Promise<void> {
    try {
      await run();
      this.#take({ kind: "done" });
    } catch (thrown) {
      const error = toBotError(thrown);
      this.#deps.log.warn("recording_failed", { what: "automatic", error });
      // Somebody was faster, or does not want it.
      if (OVERTAKEN.includes(error.code)) return this.#take({ kind: "done" });
      this.#take({ kind: "failed", mayPass: error.retryable });
      if (this.#memory.spent && !this.#closed) this.#deps.tell(error);
    }
  }

  async #start(): Promise<void> {
    const { channel, start } = this.#deps;
    if (!channel.joined) {
      await channel.join();
      this.#came = true;
    }
    // The way in may have taken a while.
    const { from, people, recording } = this.#facts();
    if (this.#closed || from === null || people < from || recording !== null || this.#memory.spent) return;
    await start(people);
  }

  async #end(): Promise<void> {
    const { channel, end, isPlaying } = this.#deps;
    await end();
    if (this.#came && channel.joined && !isPlaying()) await channel.leave();
    this.#came = false;
  }
}
