// A helper process that answers calls over its IPC channel: the far side of a bench, or a baseline.
import { fork, type ChildProcess } from "node:child_process";

type Reply = { id: number; value: unknown } | { id: number; error: string };
type Handlers = Record<string, (...args: never[]) => unknown>;

const CALL_MS = 60_000;

/** Answers calls in a forked process, and ends with its parent. */
export function answerCalls(handlers: Handlers): void {
  process.on("message", ({ id, name, args }: { id: number; name: string; args: never[] }) => {
    void Promise.resolve()
      .then(() => handlers[name]?.(...args))
      .then(
        (value) => process.send?.({ id, value }),
        (error: unknown) =>
          process.send?.({ id, error: error instanceof Error ? error.stack : String(error) }),
      );
  });
  process.on("disconnect", () => process.exit(0));
  process.on("SIGINT", () => {});
}

/** The other end of `answerCalls`. */
export class Helper {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, (reply: Reply) => void>();
  readonly #exited: Promise<void>;
  #next = 0;

  constructor(program: URL, env: Readonly<Record<string, string>> = {}) {
    this.#child = fork(program, [], {
      serialization: "advanced",
      // As the media child is started.
      execArgv: ["--max-semi-space-size=1", ...(env["BENCH_EXEC_ARGV"]?.split(" ") ?? [])],
      env: { ...process.env, ...env },
    });
    if (this.#child.pid === undefined) throw new Error(`${program.pathname} did not start`);
    this.pid = this.#child.pid;
    this.#child.on("message", (reply: Reply) => {
      this.#pending.get(reply.id)?.(reply);
      this.#pending.delete(reply.id);
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => {
        for (const [id, settle] of this.#pending)
          settle({ id, error: `${program.pathname} ended (${code ?? signal})` });
        resolve();
      });
    });
  }

  call<T>(name: string, ...args: unknown[]): Promise<T> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${name}`)), CALL_MS);
      this.#pending.set(id, (reply) => {
        clearTimeout(timer);
        if ("error" in reply) reject(new Error(reply.error));
        else resolve(reply.value as T);
      });
      this.#child.send({ id, name, args });
    });
  }

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}
