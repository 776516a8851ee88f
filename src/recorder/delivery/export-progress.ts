import type { Clock } from "../../base/clock.ts";
import type { Sentence } from "../../base/messages/catalogue.ts";
import type { DeliveryRoom } from "./room.ts";

/** Work that is over sooner needs no words. */
const SAY_AFTER_MS = 30_000;
const STEPS = [25, 50, 75];
/** Every edit takes one event of the account's rate. */
const EDIT_EVERY_MS = 30_000;

/** Says once how far a long export is, and keeps that message up to date, sparingly. It is no loss when that fails. */
export class ExportProgress {
  readonly #room: DeliveryRoom | null;
  readonly #id: string;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #message: Promise<string | null> | null = null;
  #saidMs = 0;
  #step = 0;

  constructor({ room, id, clock }: { room: DeliveryRoom | null; id: string; clock: Clock }) {
    this.#room = room;
    this.#id = id;
    this.#clock = clock;
    this.#startedMs = clock.now();
  }

  update(percent: number): void {
    const nowMs = this.#clock.now();
    const step = STEPS.findLast((each) => percent >= each) ?? 0;
    if (this.#room === null || nowMs - this.#startedMs < SAY_AFTER_MS) return;
    if (this.#message === null) this.#say(step, nowMs, percent);
    else if (step > this.#step && nowMs - this.#saidMs >= EDIT_EVERY_MS) this.#edit(step, nowMs, percent);
  }

  #say(step: number, nowMs: number, percent: number): void {
    this.#step = step;
    this.#saidMs = nowMs;
    this.#message = this.#room?.say(sentence(percent), `${this.#id}-progress`).catch(() => null) ?? null;
  }

  #edit(step: number, nowMs: number, percent: number): void {
    this.#step = step;
    this.#saidMs = nowMs;
    this.#message = (async (): Promise<string | null> => {
      const eventId = (await this.#message) ?? null;
      if (eventId !== null) await this.#room?.edit(eventId, sentence(percent)).catch(() => undefined);
      return eventId;
    })();
  }
}

const sentence = (percent: number): Sentence => ({
  key: "record.exporting",
  params: { percent: Math.round(percent) },
});
