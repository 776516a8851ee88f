import { fork, type ChildProcess } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock, Timer } from "../../base/clock.ts";
import { BotError } from "../../base/errors.ts";
import { NO_TAGS, type Tags } from "./entry.ts";
import { tagAnswerSchema, type TagRequest } from "./tag-messages.ts";

/** Reads what files say of themselves. */
export interface TagReader {
  /** One for each path, in their order. A file that cannot be read says nothing. @throws BotError when it is closed */
  read(root: string, paths: readonly string[]): Promise<Tags[]>;
  /** Nobody needs it for now. */
  rest(): void;
  close(): void;
}

/** A batch takes a second at its pace; an overloaded machine gets patience. */
const ANSWER_MS = 60_000;

/** Reads in a child of low priority that lives as long as there is something to read. */
export class ChildTagReader implements TagReader {
  readonly #clock: Clock;
  #child: ChildProcess | null = null;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async read(root: string, paths: readonly string[]): Promise<Tags[]> {
    try {
      return await this.#ask({ root, paths: [...paths] });
    } catch (error) {
      if (this.#closed) throw error;
      // One of them ended it. Alone they show which.
      if (paths.length === 1) return [NO_TAGS];
      const tags: Tags[] = [];
      for (const path of paths) tags.push(...(await this.read(root, [path])));
      return tags;
    }
  }

  rest(): void {
    this.#child?.kill("SIGKILL");
    this.#child = null;
  }

  close(): void {
    this.#closed = true;
    this.rest();
  }

  #ask(request: TagRequest): Promise<Tags[]> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new BotError("cancelled", "closed"));
        return;
      }
      const child = (this.#child ??= start());
      const over = (): void => {
        timer.cancel();
        child.removeAllListeners();
        // A process that is gone may still have an error to tell.
        child.on("error", () => undefined);
      };
      const fail = (reason: string): void => {
        over();
        child.kill("SIGKILL");
        if (this.#child === child) this.#child = null;
        reject(new BotError("internal", reason));
      };
      const timer: Timer = this.#clock.timer(ANSWER_MS, () => fail("reading tags hangs"));
      child.once("error", (error) => fail(error.message));
      child.once("exit", () => fail("the tag child ended"));
      child.once("message", (raw) => {
        const answer = tagAnswerSchema.safeParse(raw);
        if (!answer.success || answer.data.length !== request.paths.length) return fail("an unknown answer");
        over();
        resolve(answer.data);
      });
      child.send(request, () => undefined);
    });
  }
}

function start(): ChildProcess {
  // The same file from sources and from dist/.
  const ending = extname(fileURLToPath(import.meta.url));
  const entry = fileURLToPath(new URL(`./tag-child${ending}`, import.meta.url));
  const execArgv = ["--max-old-space-size=256", "--max-semi-space-size=1"];
  const child = fork(entry, [], { stdio: ["ignore", "ignore", "ignore", "ipc"], execArgv, env: {} });
  child.on("error", () => undefined);
  return child;
}
