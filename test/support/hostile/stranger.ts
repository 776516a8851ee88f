/** A hostile WebRTC peer, driven from a test; see flooder.ts. */
import { fork, type ChildProcess } from "node:child_process";
import type { Flood, Order } from "./flooder.ts";

const program = new URL("./flooder.ts", import.meta.url).pathname;

export class Stranger {
  readonly #child: ChildProcess;

  constructor() {
    const { NODE_OPTIONS: _, ...env } = process.env;
    this.#child = fork(program, [], { env, execArgv: ["--disable-warning=ExperimentalWarning"] });
  }

  offer(): Promise<string> {
    return this.#ask({ do: "offer" }) as Promise<string>;
  }

  /** @returns whether it connected within 10 s */
  async answered(sdp: string): Promise<boolean> {
    return (await this.#ask({ do: "answer", sdp })) as boolean;
  }

  /** @returns how many packets it could send; it ends early when the connection does */
  async flood(flood: Flood): Promise<number> {
    return (await this.#ask({ do: "flood", flood })) as number;
  }

  async hangUp(): Promise<void> {
    await this.#ask({ do: "close" });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await gone;
  }

  #ask(order: Order): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error("the hostile peer ended"));
      this.#child.once("exit", onExit);
      this.#child.once("message", (message: { result: unknown }) => {
        this.#child.off("exit", onExit);
        resolve(message.result);
      });
      this.#child.send(order);
    });
  }
}
