/**
 * Many members of voice channels in one process of their own: the load of a crowd without its decoding. Each person is
 * an account of the homeserver and in the room; see crowd/light-member.ts for what they do and do not.
 */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { CrowdCalls, CrowdMemberState, CrowdState } from "./crowd/types.ts";
import { matrixRequest } from "./people.ts";
import { sleep } from "./stage.ts";
import type { Synapse, SynapseUser } from "./synapse.ts";

const program = fileURLToPath(new URL("./crowd/main.ts", import.meta.url));
const CALL_MS = 30_000;

export type { CrowdMemberState, CrowdState } from "./crowd/types.ts";

type Reply = { id: number; ok: true; value: unknown } | { id: number; ok: false; error: string };

/** Times are the wall clock's, in ms. */
export class Crowd {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #exited: Promise<void>;
  #next = 0;
  #complaint = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (reply: Reply) => {
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-4_000);
    });
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        const error = `the crowd ended (${code ?? signal}) ${this.#complaint}`;
        for (const [id, answer] of this.#waiting) answer({ id, ok: false, error });
        resolve();
      });
    });
  }

  /**
   * Makes `size` people for each room (open ones), brings them into it, and starts the process; nobody is in the channel
   * yet. Keys: `Light0`, `Light1`, … in each room.
   */
  static async start(options: {
    synapse: Synapse;
    /** Whoever is in all the rooms. */
    host: SynapseUser;
    rooms: readonly { roomId: string; size: number }[];
    botKeys: readonly string[];
  }): Promise<Crowd> {
    const { synapse, host, rooms, botKeys } = options;
    const name = `light${Date.now().toString(36)}`;
    const members: { session: SynapseUser; roomId: string; key: string }[] = [];
    for (const [index, { roomId, size }] of rooms.entries()) {
      for (let i = 0; i < size; i++) {
        const session = await synapse.createUser(`${name}-${index}-${i}`, { exempt: true });
        await matrixRequest(session, "POST", `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {});
        members.push({ session, roomId, key: `Light${i}` });
      }
    }
    const { NODE_OPTIONS: _, ...env } = process.env;
    const child = fork(program, [], {
      serialization: "advanced",
      execArgv: ["--disable-warning=ExperimentalWarning"],
      env,
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    const crowd = new Crowd(child);
    try {
      await crowd.#call("start", { observer: host, members, botKeys });
      return crowd;
    } catch (error) {
      await crowd.kill();
      throw error;
    }
  }

  /** One joins and offers to the bot, if it is there. */
  async join(roomId: string, index: number): Promise<void> {
    await this.#call("join", `Light${index}`, roomId);
  }

  /** The first `count` join, evenly spread over `overMs`. @returns when the first set off */
  async joinAll(roomId: string, count: number, overMs: number): Promise<number> {
    return this.joinLater(roomId, 0, count, overMs);
  }

  /** `count` join from number `first` on, evenly spread over `overMs`; who is in already stays. @returns as `joinAll` */
  async joinLater(roomId: string, first: number, count: number, overMs: number): Promise<number> {
    const startMs = Date.now();
    const joins: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      await sleep(startMs + (i * overMs) / Math.max(1, count - 1) - Date.now());
      joins.push(this.join(roomId, first + i));
    }
    await Promise.all(joins);
    return startMs;
  }

  async leave(roomId: string, index: number): Promise<void> {
    await this.#call("leave", `Light${index}`, roomId);
  }

  async state(): Promise<CrowdState> {
    return (await this.#call("state")) as CrowdState;
  }

  /** The members of one room. */
  async members(roomId: string): Promise<readonly CrowdMemberState[]> {
    return (await this.state()).members.filter((member) => member.roomId === roomId);
  }

  /** From now on longest gaps count anew. */
  async mark(): Promise<void> {
    await this.#call("mark");
  }

  /** Waits until the first `count` of a room hear the bot; throws saying what each has. */
  async allHear(roomId: string, count: number, timeoutMs: number): Promise<readonly CrowdMemberState[]> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const members = (await this.members(roomId)).slice(0, count);
      if (members.every(({ firstPacketAtMs }) => firstPacketAtMs !== null)) return members;
      if (performance.now() > deadline) {
        throw new Error(`not all hear the bot within ${timeoutMs} ms: ${JSON.stringify(await this.state())}`);
      }
      await sleep(100);
    }
  }

  /** Ends the process at once. Can be called again. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
    await this.#exited;
  }

  async #call(method: keyof CrowdCalls, ...args: unknown[]): Promise<unknown> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`no answer of the crowd to ${method} within ${CALL_MS} ms`));
      }, CALL_MS);
      this.#waiting.set(id, (reply) => {
        clearTimeout(timer);
        if (reply.ok) resolve(reply.value);
        else reject(new Error(`crowd: ${reply.error}`));
      });
      this.#child.send({ id, method, args });
    });
  }
}
