/**
 * Real browsers as members: Chromium without a window, one isolated context per member, each on the page in
 * test/support/page that speaks the web client's dialect by the letter. Nothing here knows the bot.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { firstSoundMs, type Pcm } from "./measure.ts";
import type { Session } from "./people.ts";

const pageFolder = fileURLToPath(new URL("./page/", import.meta.url));
const audioFolder = fileURLToPath(new URL("../../audio/", import.meta.url));

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mp3": "audio/mpeg",
  ".flac": "audio/flac",
  ".ogg": "audio/ogg",
  ".wav": "audio/wav",
};

const flags = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  ...["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"],
  "--disable-features=WebRtcHideLocalIpsWithMdns",
  // Works without a network, too; and audio needs no click of a person.
  ...["--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required"],
  // A page that is not in front runs like one that is.
  ...["--disable-background-timer-throttling", "--disable-renderer-backgrounding"],
  "--disable-backgrounding-occluded-windows",
];

/** What a member says. Levels: RMS in dBFS. `clip` is a file of audio/ or a path that was given to `serve`. */
export type Signal =
  | { readonly tone: number; readonly levelDb?: number }
  | { readonly clip: string; readonly gainDb?: number; readonly loop?: boolean };

export interface PageMemberOptions {
  readonly session: Session;
  readonly roomId: string;
  /** The state key: free text (the web client's way, default `Chrome`) or `<device>@<user>:<server>`. */
  readonly key?: string;
  /** Said from the start. Default: silence. */
  readonly signal?: Signal;
  readonly iceServers?: readonly { urls: string; username?: string; credential?: string }[];
  /** Default `all`; `relay`: nothing but what a TURN server relays. */
  readonly iceTransportPolicy?: "all" | "relay";
}

export interface PageState {
  readonly joined: boolean;
  /** Keys of the other members that the page shows. */
  readonly members: readonly string[];
  readonly peers: Readonly<Record<string, { connection: string; ice: string; signaling: string }>>;
}

export interface LogEntry {
  readonly atMs: number;
  readonly way: "in" | "out" | "state";
  /** offer, answer, icecandidate; or a connection state. */
  readonly type: string;
  readonly key: string;
}

/** Counters since the connection began; times in ms. From the browser's getStats. */
export interface PeerStats {
  readonly totalSamplesReceived: number;
  readonly concealedSamples: number;
  readonly silentConcealedSamples: number;
  readonly concealmentEvents: number;
  readonly insertedSamples: number;
  readonly removedSamples: number;
  /** Mean since the connection began. */
  readonly jitterBufferMs: number;
  /** The sum over all samples, and their number: the mean between two readings. */
  readonly jitterBufferDelayMs: number;
  readonly jitterBufferEmitted: number;
  readonly jitterMs: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly bytesReceived: number;
  readonly audioLevel: number;
  readonly codec: string | null;
  readonly packetsSent: number;
  readonly remotePacketsLost: number | null;
  readonly remoteFractionLost: number | null;
  readonly roundTripMs: number | null;
  readonly iceRoundTripMs: number | null;
}

/** Mono unless stereo was asked for; `startMs` is the wall-clock time of the first sample (±20 ms). */
export type Heard = Pcm & { readonly startMs: number };

/** Share of samples concealed between two readings, silent ones not counted (0..1). */
export function concealmentBetween(before: PeerStats, after: PeerStats): number {
  const total = after.totalSamplesReceived - before.totalSamplesReceived;
  const concealed = after.concealedSamples - before.concealedSamples;
  const silent = after.silentConcealedSamples - before.silentConcealedSamples;
  return total > 0 ? (concealed - silent) / total : 1;
}

/** One Chromium and the server of its page, both on loopback. */
export class TestBrowser {
  readonly #browser: Browser;
  readonly #server: Server;
  readonly #origin: string;
  readonly #served: Map<string, string>;

  private constructor(browser: Browser, server: Server, origin: string, served: Map<string, string>) {
    this.#browser = browser;
    this.#server = server;
    this.#origin = origin;
    this.#served = served;
  }

  static async start(): Promise<TestBrowser> {
    const served = new Map<string, string>();
    const server = createServer((request, response) => void answer(request, response, served));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the page has no port");
    try {
      const browser = await chromium.launch({
        executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
        args: flags,
        timeout: 30_000,
      });
      return new TestBrowser(browser, server, `http://127.0.0.1:${address.port}`, served);
    } catch (error) {
      server.close();
      throw error;
    }
  }

  /** Makes a file of the disk available as a clip; returns what to give to `speak`. */
  serve(path: string): string {
    this.#served.set(basename(path), path);
    return basename(path);
  }

  /** Opens a page for a member of the room; it knows the room and has not joined the channel. */
  async open(options: PageMemberOptions): Promise<PageMember> {
    const context = await this.#browser.newContext();
    const member = new PageMember(context, await context.newPage(), this.#origin, options);
    try {
      await member.load();
      return member;
    } catch (error) {
      await context.close();
      throw error;
    }
  }

  /** Closes all pages, the browser and the server. Can be called again. */
  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  served: ReadonlyMap<string, string>,
): Promise<void> {
  const name = basename(new URL(request.url ?? "/", "http://localhost").pathname) || "index.html";
  const path = served.get(name) ?? join(isPage(name) ? pageFolder : audioFolder, name);
  try {
    const bytes = await readFile(path);
    response.setHeader("content-type", types[extname(name)] ?? "application/octet-stream");
    response.end(bytes);
  } catch {
    response.statusCode = 404;
    response.end();
  }
}

function isPage(name: string): boolean {
  return [".html", ".js"].includes(extname(name));
}

/** A member in a browser. Keys are the state keys of other members. */
export class PageMember {
  readonly key: string;
  readonly userId: string;
  readonly #context: BrowserContext;
  readonly #page: Page;
  readonly #origin: string;
  readonly #options: PageMemberOptions;

  constructor(context: BrowserContext, page: Page, origin: string, options: PageMemberOptions) {
    this.#context = context;
    this.#page = page;
    this.#origin = origin;
    this.#options = options;
    this.key = options.key ?? "Chrome";
    this.userId = options.session.userId;
  }

  async load(): Promise<void> {
    const { session, roomId, iceServers, iceTransportPolicy, signal } = this.#options;
    await this.#page.goto(this.#origin);
    await this.#page.waitForFunction(() => "voiceMember" in globalThis, undefined, { timeout: 10_000 });
    const { baseUrl, accessToken } = session;
    await this.#call("start", {
      baseUrl,
      accessToken,
      roomId,
      key: this.key,
      iceServers,
      iceTransportPolicy,
    });
    if (signal) await this.speak(signal);
  }

  /** JOINED, awaited, then an offer to every fresh member. Resolves when the offers are sent. */
  async join(): Promise<void> {
    await this.#call("join");
  }

  /**
   * Joins under another identity, too: the very same voice, over a connection of its own to everybody. Resolves when it is
   * connected to `to`.
   */
  async also({ baseUrl, accessToken }: Session, key: string, to: string, timeoutMs = 15_000): Promise<void> {
    await this.#call("also", { baseUrl, accessToken, roomId: this.#options.roomId, key });
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const state = (await this.#call("alsoState", key)) as PageState | null;
      if (state?.peers[to]?.connection === "connected") return;
      if (performance.now() > deadline) throw new Error(`${key}: not connected: ${JSON.stringify(state)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async leave(): Promise<void> {
    await this.#call("leave");
  }

  /** What a person's F5 does: no LEFT, everything is gone, the room is read anew. Call `join` to be back. */
  async reload(): Promise<void> {
    await this.load();
  }

  /** Begins to say something, instead of what it said before. Times are the wall clock's, in ms. */
  async speak(signal: Signal): Promise<{ startedAtMs: number; endsAtMs: number | null }> {
    return (await this.#call("speak", signal)) as { startedAtMs: number; endsAtMs: number | null };
  }

  /** Says a whole clip and resolves 200 ms after its end. */
  async speakToEnd(clip: string, gainDb = 0): Promise<{ startedAtMs: number; endsAtMs: number }> {
    const { startedAtMs, endsAtMs } = await this.speak({ clip, gainDb });
    if (endsAtMs === null) throw new Error("the clip has no end");
    await new Promise((resolve) => setTimeout(resolve, endsAtMs - Date.now() + 200));
    return { startedAtMs, endsAtMs };
  }

  async silence(): Promise<void> {
    await this.#call("silence");
  }

  async state(): Promise<PageState> {
    return (await this.#call("state")) as PageState;
  }

  /** What the web client would have thrown into its console. */
  async errors(): Promise<readonly string[]> {
    return (await this.#call("errors")) as string[];
  }

  /** Signalling and connection states since the page was loaded. */
  async log(): Promise<readonly LogEntry[]> {
    return (await this.#call("log")) as LogEntry[];
  }

  /** What was heard from a member since a wall-clock time (at most the last 3 minutes). */
  async heard(key: string, sinceMs = 0, channels: 1 | 2 = 1): Promise<Heard> {
    const heard = (await this.#call("heard", key, sinceMs, channels)) as {
      startMs: number;
      sampleRate: number;
      base64: string;
    } | null;
    if (!heard) return { startMs: sinceMs, sampleRate: 48_000, channels, samples: new Float32Array(0) };
    const bytes = Buffer.from(heard.base64, "base64");
    const samples = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    return { startMs: heard.startMs, sampleRate: heard.sampleRate, channels, samples };
  }

  /** Null when there is no connection to that member. */
  async stats(key: string): Promise<PeerStats | null> {
    return (await this.#call("stats", key)) as PeerStats | null;
  }

  async descriptions(key: string): Promise<{ local: string | null; remote: string | null } | null> {
    return (await this.#call("descriptions", key)) as { local: string | null; remote: string | null } | null;
  }

  /** Share of what a member sent that was concealed (0..1) while it sent all the time for `durationMs` from now on. */
  async concealment(key: string, durationMs: number): Promise<number> {
    const before = await this.stats(key);
    await new Promise((resolve) => setTimeout(resolve, durationMs));
    const after = await this.stats(key);
    if (!before || !after) throw new Error(`${this.key} lost its connection to ${key}`);
    return concealmentBetween(before, after);
  }

  /** Waits until the page is connected to a member. */
  async connected(key: string, timeoutMs = 15_000): Promise<void> {
    await this.until(
      `a connection to ${key}`,
      (state) => state.peers[key]?.connection === "connected",
      timeoutMs,
    );
  }

  /** Waits for a state of the page; the error shows the state and what went wrong in the page. */
  async until(
    what: string,
    predicate: (state: PageState) => boolean,
    timeoutMs = 15_000,
  ): Promise<PageState> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const state = await this.state();
      if (predicate(state)) return state;
      if (performance.now() > deadline) {
        const log = (await this.log()).slice(-15).map((entry) => `  ${entry.way} ${entry.type} ${entry.key}`);
        const errors = (await this.errors()).slice(-5).map((error) => `  ${error}`);
        throw new Error(
          [
            `${this.key}: no ${what} within ${timeoutMs} ms: ${JSON.stringify(state)}`,
            ...log,
            ...errors,
          ].join("\n"),
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Waits until sound comes from a member since `sinceMs`; returns its wall-clock time. */
  async firstSound(key: string, sinceMs: number, timeoutMs = 10_000, thresholdDb = -60): Promise<number> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const heard = await this.heard(key, sinceMs);
      const atMs = firstSoundMs(heard.samples, heard.sampleRate, thresholdDb);
      if (atMs !== undefined) return heard.startMs + atMs;
      if (performance.now() > deadline)
        throw new Error(`${this.key} heard nothing of ${key} in ${timeoutMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Closes the page as one closes a tab: no LEFT. */
  async close(): Promise<void> {
    await this.#context.close();
  }

  async #call(method: string, ...args: unknown[]): Promise<unknown> {
    return this.#page.evaluate(
      ([name, values]) => {
        const { voiceMember } = globalThis as unknown as {
          voiceMember: Record<string, (...args: unknown[]) => unknown>;
        };
        return voiceMember[name]!(...values);
      },
      [method, args] as const,
    );
  }
}
