import type { WriteStream } from "node:tty";

/**
 * One line at the bottom of a terminal that says what is going on; nothing where the output is no terminal. Clear it before
 * anything else is written.
 */
export class Progress {
  readonly #stream: Pick<WriteStream, "isTTY" | "write">;

  constructor(stream: Pick<WriteStream, "isTTY" | "write">) {
    this.#stream = stream;
  }

  show(text: string): void {
    if (this.#stream.isTTY) this.#stream.write(`\r\x1b[K${text}`);
  }

  clear(): void {
    if (this.#stream.isTTY) this.#stream.write("\r\x1b[K");
  }
}
