import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Language } from "../../base/messages/catalogue.ts";
import type { MediaPlane } from "../../media/plane.ts";

/** Somebody in the channel; `connected`: they hear us. */
export interface Hearer {
  userId: string;
  connected: boolean;
}

export interface SpokenNoticeDeps {
  /** The media plane's name of the room's channel. */
  channel: string;
  plane: Pick<MediaPlane, "request">;
  people: { list(): readonly Hearer[]; onChange(listener: () => void): () => void };
  language: () => Language;
  clock: Clock;
  log: Log;
}

/** From one to the next: a crowd that comes hears it together. */
export const SPOKEN_EVERY_MS = 10_000;
/** A player needs a moment from the first packet to the first sound. */
const SETTLE_MS = 700;
/** People that are remembered; of more, somebody makes them up, and nothing is said for them. */
const MAX_HEARERS = 1_000;

/**
 * Says in the channel that it is recorded: once to everybody who can hear it, at the start and when they come later. Never
 * to nobody, nor more often than every 10 s.
 */
export class SpokenNotice {
  readonly #deps: SpokenNoticeDeps;
  readonly #heard = new Set<string>();
  readonly #unsubscribe: () => void;
  #running = false;
  #timer: Timer | null = null;
  #lastMs = -Infinity;

  constructor(deps: SpokenNoticeDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.people.onChange(() => this.#look());
  }

  /** Sound is being recorded from now on (again): everybody hears it. Idempotent while it is. */
  began(): void {
    if (this.#running) return;
    this.#running = true;
    this.#heard.clear();
    this.#look(0);
  }

  /** Nothing is recorded any more. Idempotent. */
  ended(): void {
    this.#running = false;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Idempotent. */
  close(): void {
    this.ended();
    this.#unsubscribe();
  }

  #look(settleMs = SETTLE_MS): void {
    if (!this.#running || this.#timer !== null || this.#newcomers().length === 0) return;
    const { clock } = this.#deps;
    const waitMs = Math.max(settleMs, this.#lastMs + SPOKEN_EVERY_MS - clock.now());
    this.#timer = clock.timer(waitMs, () => {
      this.#timer = null;
      void this.#speak();
    });
  }

  #newcomers(): string[] {
    const hearing = this.#deps.people.list().filter(({ connected }) => connected);
    return hearing.map(({ userId }) => userId).filter((userId) => !this.#heard.has(userId));
  }

  async #speak(): Promise<void> {
    const { plane, channel, language, clock, log } = this.#deps;
    const people = this.#newcomers();
    if (people.length === 0) return;
    this.#lastMs = clock.now();
    for (const userId of people) if (this.#heard.size < MAX_HEARERS) this.#heard.add(userId);
    try {
      await plane.request({ kind: "announce.play", channel, source: { path: noticeClip(language()) } });
    } catch (error) {
      log.warn("send_failed", { what: "spoken notice", reason: messageOf(error) });
      for (const userId of people) this.#heard.delete(userId);
      this.#look();
    }
  }
}

/** The clip that says it, in one of our languages: the same place from sources and from dist/. */
export function noticeClip(language: Language): string {
  const path = fileURLToPath(new URL(`../../../audio/recording-notice-${language}.ogg`, import.meta.url));
  return existsSync(path)
    ? path
    : fileURLToPath(new URL("../../../audio/recording-notice-en.ogg", import.meta.url));
}
