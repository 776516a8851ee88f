// Child programs of tests and of the demo: captured output, waiting for a line, a bounded stop by process id.
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

export interface ProcOptions {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** Network namespace to run in (`ip netns`); needs root. */
  readonly netns?: string;
  /** Added to the environment of this process; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Shown in error messages. Default: the command. */
  readonly name?: string;
  /** Called for every line as it comes, e.g. to print it. */
  readonly onLine?: (line: ProcLine) => void;
}

export interface ProcLine {
  readonly from: "stdout" | "stderr";
  readonly text: string;
  /** The line's number since the start; goes on counting when old lines have been dropped. */
  readonly number: number;
}

export interface ProcExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

type JsonObject = Readonly<Record<string, unknown>>;
type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const maxLines = 10_000;
const tailLines = 30;
// The kernel kills the child when we die, however we die. It is an exec, so the process id stays the child's.
const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path));

/** A running child program. Its output is kept in a ring of the newest 10 000 lines. */
export class Proc {
  readonly name: string;
  readonly pid: number;
  /** Settles when the program has ended and its output was read to the end. Never rejects. */
  readonly exited: Promise<ProcExit>;
  readonly #child: Child;
  readonly #lines: ProcLine[] = [];
  readonly #waiters = new Set<(line: ProcLine | null) => void>();
  #count = 0;
  #exit: ProcExit | null = null;

  constructor(child: Child, options: ProcOptions) {
    if (child.pid === undefined) throw new Error(`${options.command} did not start`);
    this.name = options.name ?? options.command;
    this.pid = child.pid;
    this.#child = child;
    for (const from of ["stdout", "stderr"] as const) {
      createInterface({ input: child[from], crlfDelay: Infinity }).on("line", (text) => {
        const line = { from, text, number: this.#count++ };
        this.#lines.push(line);
        if (this.#lines.length > maxLines) this.#lines.shift();
        options.onLine?.(line);
        for (const waiter of this.#waiters) waiter(line);
      });
    }
    child.stdin.on("error", () => {}); // The program may close its stdin whenever it likes.
    this.exited = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.#exit = { code, signal };
        for (const waiter of this.#waiters) waiter(null);
        resolve(this.#exit);
      });
    });
  }

  /** Null while it runs. */
  get exit(): ProcExit | null {
    return this.#exit;
  }

  /** Captured lines, oldest first. */
  get lines(): readonly ProcLine[] {
    return this.#lines;
  }

  /** Number of the next line; hand it to a wait as `after` to ignore everything up to now. */
  get position(): number {
    return this.#count;
  }

  get output(): string {
    return this.#lines.map((line) => line.text).join("\n");
  }

  writeStdin(text: string): void {
    this.#child.stdin.write(text);
  }

  /**
   * The first line, from number `after` on, that matches. Lines already captured count.
   * Rejects after `timeoutMs` or when the program ends first, with the end of its output.
   */
  async waitForLine(
    match: RegExp | ((line: ProcLine) => boolean),
    timeoutMs = 20_000,
    after = 0,
  ): Promise<ProcLine> {
    const matches = typeof match === "function" ? match : (line: ProcLine) => match.test(line.text);
    const known = this.#lines.find((line) => line.number >= after && matches(line));
    if (known) return known;
    if (this.#exit) throw this.#failure("ended");
    return new Promise((resolve, reject) => {
      const settle = (result: ProcLine | Error): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        if (result instanceof Error) reject(result);
        else resolve(result);
      };
      const waiter = (line: ProcLine | null): void => {
        if (line === null) settle(this.#failure("ended"));
        else if (line.number >= after && matches(line)) settle(line);
      };
      const timer = setTimeout(
        () => settle(this.#failure(`printed no line like ${String(match)} within ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.#waiters.add(waiter);
    });
  }

  /** As `waitForLine`, over the lines that are JSON objects (log lines). */
  async waitForJson(
    match: (object: JsonObject) => boolean,
    timeoutMs = 20_000,
    after = 0,
  ): Promise<JsonObject> {
    const line = await this.waitForLine(
      (candidate) => {
        const object = parseObject(candidate.text);
        return object !== null && match(object);
      },
      timeoutMs,
      after,
    );
    return parseObject(line.text) ?? {};
  }

  /** All captured lines that are JSON objects. */
  jsonLines(): readonly JsonObject[] {
    return this.#lines.map((line) => parseObject(line.text)).filter((object) => object !== null);
  }

  /** Sends a signal by process id; false when it has already ended. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#exit === null && this.#child.kill(signal);
  }

  /** SIGTERM, after `graceMs` SIGKILL; settles when the program is gone. Can be called again. */
  async stop(graceMs = 10_000): Promise<ProcExit> {
    if (this.#exit) return this.#exit;
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), graceMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  #failure(what: string): Error {
    const ended = this.#exit ? ` (exit ${this.#exit.code ?? this.#exit.signal})` : "";
    const tail = this.#lines.slice(-tailLines).map((line) => `  ${line.text}`);
    return new Error(`${this.name} ${what}${ended}. Its last lines:\n${tail.join("\n")}`);
  }
}

/** Starts a program. It dies with this process (on Linux); the caller stops it otherwise. */
export async function startProc(options: ProcOptions): Promise<Proc> {
  // Also an exec.
  const inside = options.netns === undefined ? [] : ["ip", "netns", "exec", options.netns];
  const [own = "", ...args] = [...inside, options.command, ...(options.args ?? [])];
  const [command, argv] = setpriv ? [setpriv, ["--pdeathsig", "KILL", "--", own, ...args]] : [own, args];
  const child = spawn(command, argv, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  return new Proc(child, options);
}

function parseObject(text: string): JsonObject | null {
  if (!text.startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}
