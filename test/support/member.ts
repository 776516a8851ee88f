/**
 * A headless member of a voice channel in a process of its own, on libdatachannel: joins like anybody, speaks, hears,
 * and says what it heard. A crash of the native library does not touch who drives it.
 */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { toMono, type Pcm } from "./measure.ts";
import type {
  MemberCalls,
  MemberConfig,
  MemberPeerStats,
  MemberState,
  Reply,
  Request,
  SentPacket,
  Spoken,
  Utterance,
} from "./member/types.ts";

const program = fileURLToPath(new URL("./member/main.ts", import.meta.url));
const CALL_MS = 30_000;

export type { MemberPeerStats, MemberState, Utterance } from "./member/types.ts";

/** Share of packets between two readings that were lost or more than 60 ms late (0..1; 1 when none was sent). */
export function lossBetween(before: MemberPeerStats, after: MemberPeerStats): number {
  const expected = after.packetsExpected - before.packetsExpected;
  const missed = after.packetsLost + after.packetsLate - before.packetsLost - before.packetsLate;
  return expected > 0 ? Math.max(0, missed) / expected : 1;
}

/** Where a member is. */
export interface MemberPlace {
  /** Network namespace. */
  readonly netns?: string;
  /** As libdatachannel takes them: `stun:host:port`, `turn:user:password@host:port`. */
  readonly iceServers?: readonly string[];
}

/** Keys are the state keys of other members; times are the wall clock's, in ms. */
export class Member {
  readonly key: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  readonly #exited: Promise<void>;
  #next = 0;
  #gone: string | null = null;
  #complaint = "";

  private constructor(child: ChildProcess, key: string) {
    this.#child = child;
    this.key = key;
    child.on("message", (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.ok) waiting?.resolve(reply.value);
      else waiting?.reject(new Error(`member ${key}: ${reply.error}`));
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-4_000);
    });
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#gone = `member ${key} ended (${code ?? signal}) ${this.#complaint}`;
        for (const { reject } of this.#waiting.values()) reject(new Error(this.#gone));
        this.#waiting.clear();
        resolve();
      });
    });
    child.on("error", (error) => {
      this.#complaint += String(error);
    });
  }

  /** Starts the process; it gets to know the room, and has not joined the channel. Key: default `member@<user id>`. */
  static async start(
    config: Pick<MemberConfig, "session" | "roomId"> & Partial<MemberConfig>,
    { netns, iceServers = [] }: MemberPlace = {},
  ): Promise<Member> {
    const key = config.key ?? `member${config.session.userId}`;
    const inside = netns === undefined ? [] : ["netns", "exec", netns, process.execPath];
    const { NODE_OPTIONS: _, ...env } = process.env;
    const child = fork(program, [], {
      serialization: "advanced",
      ...(netns === undefined ? {} : { execPath: "ip" }),
      execArgv: [...inside, "--disable-warning=ExperimentalWarning"],
      env: { ...env, VOICE_MEMBER_ICE_SERVERS: JSON.stringify(iceServers) },
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    const member = new Member(child, key);
    try {
      await member.#call("start", { dialect: "well-behaved", timestamps: "string", ...config, key });
      return member;
    } catch (error) {
      await member.kill();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** JOINED, seen in sync, then offers to every fresh member. Resolves when the offers are sent. */
  async join(): Promise<void> {
    await this.#call("join");
  }

  async leave(): Promise<void> {
    await this.#call("leave");
  }

  /** Begins to speak, instead of what it said before. */
  async speak(utterance: Utterance): Promise<Spoken> {
    return (await this.#call("speak", utterance)) as Spoken;
  }

  /** Says a whole file and resolves 200 ms after its end. */
  async speakToEnd(file: string): Promise<{ startedAtMs: number; endsAtMs: number }> {
    const { startedAtMs, endsAtMs } = await this.speak({ file });
    if (endsAtMs === null) throw new Error("it has no end");
    await sleep(endsAtMs - Date.now() + 200);
    return { startedAtMs, endsAtMs };
  }

  async silence(): Promise<void> {
    await this.#call("silence");
  }

  /** The packets of what it said since a time, as they left. */
  async sent(sinceMs = 0): Promise<readonly SentPacket[]> {
    return (await this.#call("sent", sinceMs)) as SentPacket[];
  }

  async state(): Promise<MemberState> {
    return (await this.#call("state")) as MemberState;
  }

  /** Null when there is no connection to that member. */
  async stats(key: string): Promise<MemberPeerStats | null> {
    return (await this.#call("stats", key)) as MemberPeerStats | null;
  }

  /** What was heard of a member since a time (the last 3 minutes at most), 48 kHz; mono unless stereo is asked for. */
  async heard(key: string, sinceMs = 0, channels: 1 | 2 = 1): Promise<Pcm & { readonly startMs: number }> {
    const { startMs, samples } = (await this.#call("heard", key, sinceMs)) as {
      startMs: number;
      samples: Float32Array;
    };
    const stereo = { sampleRate: 48_000, channels: 2, samples };
    return channels === 2
      ? { ...stereo, startMs }
      : { sampleRate: 48_000, channels: 1, samples: toMono(stereo), startMs };
  }

  /** Waits for the first packet since `sinceMs` that is louder than `thresholdDb` (dBFS); its time of arrival. */
  async firstAudio(key: string, sinceMs: number, timeoutMs = 10_000, thresholdDb = -60): Promise<number> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const atMs = (await this.#call("firstAudio", key, sinceMs, thresholdDb)) as number | null;
      if (atMs !== null) return atMs;
      if (performance.now() > deadline)
        throw new Error(await this.#describe(`no audio from ${key}`, timeoutMs));
      await sleep(20);
    }
  }

  async connected(key: string, timeoutMs = 15_000): Promise<void> {
    await this.until(`connection to ${key}`, (state) => state.peers[key] === "connected", timeoutMs);
  }

  async until(
    what: string,
    predicate: (state: MemberState) => boolean,
    timeoutMs = 15_000,
  ): Promise<MemberState> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const state = await this.state();
      if (predicate(state)) return state;
      if (performance.now() > deadline) throw new Error(await this.#describe(`no ${what}`, timeoutMs));
      await sleep(50);
    }
  }

  /** Ends the process at once, without LEFT. Can be called again. */
  async kill(): Promise<void> {
    if (this.#gone === null) this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** LEFT, if joined, then the end. Can be called again. */
  async stop(): Promise<void> {
    try {
      if (this.#gone === null) await this.leave();
    } finally {
      await this.kill();
    }
  }

  async #describe(what: string, timeoutMs: number): Promise<string> {
    return `${this.key}: ${what} within ${timeoutMs} ms: ${JSON.stringify(await this.state())}`;
  }

  async #call(method: keyof MemberCalls, ...args: unknown[]): Promise<unknown> {
    if (this.#gone !== null) throw new Error(this.#gone);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`member ${this.key}: no answer to ${method} within ${CALL_MS} ms`));
      }, CALL_MS);
      this.#waiting.set(id, {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      const request: Request = { id, method, args };
      this.#child.send(request);
    });
  }
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
