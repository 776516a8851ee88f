// The far side of a bench: members in one process, joined by the subject's answers.
import { Helper } from "./calls.ts";

export interface MemberState {
  readonly name: string;
  /** Wall clock, ms with fractions. */
  readonly connectedAtMs: number | null;
  readonly firstAtMs: number | null;
  readonly received: number;
  readonly sent: number;
}

/** What can be joined: the bot's media plane, or a baseline. */
export interface Subject {
  readonly name: string;
  /** Processes whose work is counted, with the programs that they start. */
  pids(): readonly number[];
  answer(room: string, member: string, offer: string): Promise<string>;
  play(room: string, file: string): Promise<void>;
  record(room: string, directory: string): Promise<void>;
  close(): Promise<void>;
}

const CONNECT_MS = 10_000;
/** A bare library begins before its answer is there, and now and then that costs it the connection: offered anew, as in a channel. */
const ATTEMPTS = 3;

export class Members {
  readonly #helper = new Helper(new URL("./far.ts", import.meta.url));
  #count = 0;

  get size(): number {
    return this.#count;
  }

  /** Some more offer and are answered, all at once. @returns ms from the offers to the connection of each */
  async join(subject: Subject, room: string, count: number): Promise<number[]> {
    const names = Array.from({ length: count }, () => `member ${this.#count++}`);
    const offers = await Promise.all(names.map((name) => this.#helper.call<string>("offer", name)));
    const fromMs = performance.timeOrigin + performance.now();
    await Promise.all(
      names.map(async (name, index) => {
        let offer = offers[index] ?? "";
        for (let attempt = 1; ; attempt++) {
          const answer = await subject.answer(room, name, offer);
          try {
            return await this.#helper.call("accept", name, answer);
          } catch (error) {
            if (attempt === ATTEMPTS) throw error;
          }
          await this.#helper.call("leave", name);
          offer = await this.#helper.call<string>("offer", name);
        }
      }),
    );
    for (const deadline = Date.now() + CONNECT_MS; Date.now() < deadline;) {
      const states = (await this.state()).filter(({ name }) => names.includes(name));
      const times = states.map(({ connectedAtMs }) => connectedAtMs).filter((atMs) => atMs !== null);
      if (times.length === count) return times.map((atMs) => atMs - fromMs);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`${subject.name}: not all of ${count} members were connected within ${CONNECT_MS} ms`);
  }

  speak(): Promise<void> {
    return this.#helper.call("speak", true);
  }

  state(): Promise<MemberState[]> {
    return this.#helper.call<MemberState[]>("state");
  }

  end(): Promise<void> {
    return this.#helper.end();
  }
}
