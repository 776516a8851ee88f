import { BotError } from "../../src/base/errors.ts";
import type { Fetched, OpenOptions } from "../../src/fetch/guarded-fetch.ts";
import type { StreamFetch } from "../../src/media/stream/stream-fetch.ts";

/** An answer that a test writes piece by piece. */
export class FakeAnswer {
  readonly headers: Record<string, string>;
  readonly #pieces: Uint8Array[] = [];
  #end: "open" | "done" | BotError = "open";
  #wake: () => void = () => undefined;
  /** Nobody reads it any more. */
  isClosed = false;

  constructor(headers: Record<string, string> = {}) {
    this.headers = headers;
  }

  send(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#wake();
  }

  /** It ends well, or breaks off. */
  end(error?: BotError): void {
    this.#end = error ?? "done";
    this.#wake();
  }

  /** Pieces that were not taken yet. */
  get waiting(): number {
    return this.#pieces.length;
  }

  fetched(url: string, { signal }: OpenOptions): Fetched {
    const { headers } = this;
    const contentType = headers["content-type"] ?? null;
    return {
      ...{ url, status: 200, headers, contentType, lengthBytes: null },
      body: this.#body(signal),
      close: () => (this.isClosed = true),
    };
  }

  async *#body(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (signal.aborted) throw new BotError("cancelled", "cancelled");
      if (piece) yield piece;
      else if (this.#end === "done") return;
      else if (this.#end !== "open") throw this.#end;
      else await this.#change(signal);
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

/** A network whose answers a test gives. */
export class FakeStreamFetch implements StreamFetch {
  /** What was asked for, in order. */
  readonly asked: string[] = [];
  answer: (url: string, attempt: number) => FakeAnswer | BotError;

  constructor(answer: (url: string, attempt: number) => FakeAnswer | BotError) {
    this.answer = answer;
  }

  open(url: string, options: OpenOptions): Promise<Fetched> {
    this.asked.push(url);
    const answer = this.answer(url, this.asked.length);
    if (answer instanceof BotError) return Promise.reject(answer);
    return Promise.resolve(answer.fetched(url, options));
  }
}
