// The bot as an operator runs it: dist/cli.js as a process, configured by environment, judged by its log lines.
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProc, type Proc, type ProcExit, type ProcLine } from "./proc.ts";
import type { SynapseUser } from "./synapse.ts";

const root = new URL("../../", import.meta.url).pathname;
const cli = join(root, "dist/cli.js");

export interface BotOptions {
  readonly user: SynapseUser;
  /** Kept over restarts. Default: a temporary folder, removed by `discard`. */
  readonly dataDir?: string;
  readonly mediaDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Where it finds its homeserver, when that is not the user's `baseUrl`. */
  readonly homeserverUrl?: string;
  /** Network namespace to run in. */
  readonly netns?: string;
  /** Called for every line that it prints, e.g. to keep them in a file. */
  readonly onLine?: (line: ProcLine) => void;
  /** What to start instead of this Node with dist/cli.js, e.g. the bot in a container. It runs the bot as a descendant. */
  readonly command?: readonly [string, ...string[]];
}

/** A bot that can be started, killed and started again on the same data. */
export class Bot {
  readonly dataDir: string;
  readonly #options: BotOptions;
  #proc: Proc | null = null;

  private constructor(options: BotOptions, dataDir: string) {
    this.#options = options;
    this.dataDir = dataDir;
  }

  /** Starts the bot and waits until it says `ready`. */
  static async start(options: BotOptions): Promise<Bot> {
    if (options.command === undefined && !existsSync(cli))
      throw new Error("There is no build yet: run `npm run build` first.");
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "voicebot-data-")));
    const bot = new Bot(options, dataDir);
    await bot.startAgain();
    return bot;
  }

  get proc(): Proc {
    if (this.#proc === null) throw new Error("the bot was never started");
    return this.#proc;
  }

  /** @param more environment, over that of the first start */
  async startAgain(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const { user, mediaDir, env, onLine, netns, homeserverUrl } = this.#options;
    const [command, ...args] = this.#options.command ?? [process.execPath, cli, "run"];
    this.#proc = await startProc({
      name: "bot",
      command,
      args,
      ...(onLine === undefined ? {} : { onLine }),
      ...(netns === undefined ? {} : { netns }),
      env: {
        VOICEBOT_HOMESERVER_URL: homeserverUrl ?? user.baseUrl,
        VOICEBOT_ACCESS_TOKEN: user.accessToken,
        VOICEBOT_DATA_DIR: this.dataDir,
        VOICEBOT_MEDIA_DIR: mediaDir ?? join(root, "audio"),
        VOICEBOT_ICE_ALLOW_PRIVATE: "true",
        VOICEBOT_LOG_LEVEL: "debug",
        NODE_OPTIONS: undefined,
        OPUS_FORCE_WASM: undefined,
        ...env,
        ...more,
      },
    });
    await this.event("ready", {}, 20_000);
  }

  /** The next log line with this event whose fields have these values. */
  event(
    event: string,
    fields: Readonly<Record<string, unknown>> = {},
    timeoutMs = 15_000,
    after = 0,
  ): Promise<Readonly<Record<string, unknown>>> {
    return this.proc.waitForJson(
      (line) =>
        line["event"] === event && Object.entries(fields).every(([key, value]) => line[key] === value),
      timeoutMs,
      after,
    );
  }

  /** Process id of the bot itself, from the kernel: also where something else starts it. */
  get pid(): number {
    if (this.#options.command === undefined) return this.proc.pid;
    const find = (pid: number): number | undefined =>
      /^\S*node \S*(cli\.js|matrix-voice-bot) run/.test(commandLine(pid))
        ? pid
        : childrenOf(pid)
            .map(find)
            .find((found) => found !== undefined);
    return find(this.proc.pid) ?? this.proc.pid;
  }

  /** Process ids of the running media children, from the kernel. */
  mediaChildren(): number[] {
    return childrenOf(this.pid).filter((pid) => commandLine(pid).includes("media/child"));
  }

  /** Resident memory of a process in MB. */
  static rssMb(pid: number): number {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(match?.[1] ?? 0) / 1024;
  }

  async kill(): Promise<ProcExit> {
    this.proc.signal("SIGKILL");
    return this.proc.exited;
  }

  async stop(): Promise<ProcExit> {
    return this.proc.stop(12_000);
  }

  /** Stops it and removes its data. */
  async discard(): Promise<void> {
    await this.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

/** Process ids of the children of a process that runs. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
