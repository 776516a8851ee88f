import { open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { sleep } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { BotError, messageOf } from "../base/errors.ts";
import type { Fetched, GuardedFetch } from "./guarded-fetch.ts";
import { headerText } from "./header-text.ts";
import { sniff, SNIFF_BYTES, type Sniffed } from "./sniff.ts";

export interface DownloadOptions {
  /** Made, mode 600; it must not be there. Removed again unless the result is `audio` or `text`. */
  path: string;
  maxBytes: number;
  signal: AbortSignal;
  clock: Clock;
  bounds?: Partial<DownloadBounds>;
}

export interface DownloadBounds {
  idleMs: number;
  totalMs: number;
  minBytesPerSecond: number;
  /** Faster than this it is not taken in: whoever fetches also plays. */
  maxBytesPerSecond: number;
  /** Sound of no known length that is not over by then is a stream. */
  endlessMs: number;
}

/** What is at a URL. `stream`: sound that goes on; nothing of it was kept. */
export interface Downloaded {
  what: "audio" | "text" | "stream";
  /** After redirects. */
  url: string;
  /** As the server claims. */
  contentType: string | null;
  /** In the file. */
  bytes: number;
  /** What a stream calls itself. */
  name: string | null;
}

const BOUNDS: DownloadBounds = {
  ...{ idleMs: 10_000, totalMs: 600_000, endlessMs: 10_000 },
  // Sound of 128 kbit/s would not keep up with less.
  ...{ minBytesPerSecond: 16_000, maxBytesPerSecond: 8e6 },
};
/** Lists and pages; what is longer is no list. */
const MAX_TEXT_BYTES = 1_000_000;

/**
 * Brings what is at `url` into a file, and says what it is by its bytes.
 * @throws BotError as `GuardedFetch.open`, and `media_unsupported` for what is neither sound nor text, `disk_full`
 */
export async function download(
  guard: GuardedFetch,
  url: string,
  options: DownloadOptions,
): Promise<Downloaded> {
  const bounds = { ...BOUNDS, ...options.bounds };
  const { signal, maxBytes } = options;
  const fetched = await guard.open(url, {
    ...{ signal, maxBytes, headers: { "icy-metadata": "0" } },
    ...{ idleMs: bounds.idleMs, totalMs: bounds.totalMs, minBytesPerSecond: bounds.minBytesPerSecond },
  });
  try {
    return await take(fetched, { ...options, bounds });
  } finally {
    fetched.close();
  }
}

async function take(
  fetched: Fetched,
  options: DownloadOptions & { bounds: DownloadBounds },
): Promise<Downloaded> {
  const { path, clock, bounds, signal } = options;
  const { url, contentType, headers, lengthBytes } = fetched;
  const name = headerText(headers["icy-name"] ?? "").slice(0, 200) || null;
  const result = { url, contentType, name };
  const isStream = ["icy-name", "icy-br", "icy-metaint", "icy-url"].some((header) => header in headers);
  if (isStream && lengthBytes === null) return { ...result, what: "stream", bytes: 0 };
  const startMs = clock.now();
  const file = await onDisk(open(path, "wx", 0o600));
  let kept = false;
  try {
    const start: Uint8Array[] = [];
    let kind: Sniffed | null = null;
    let bytes = 0;
    for await (const piece of fetched.body) {
      bytes += piece.length;
      await write(file, piece);
      if (kind === null) {
        start.push(piece);
        if (bytes >= SNIFF_BYTES) kind = wanted(sniff(Buffer.concat(start)), bytes);
      }
      if (kind === "text" && bytes > MAX_TEXT_BYTES) throw notAudio();
      const elapsedMs = clock.now() - startMs;
      if (kind === "audio" && lengthBytes === null && elapsedMs > bounds.endlessMs)
        return { ...result, what: "stream", bytes: 0 };
      const aheadMs = (bytes / bounds.maxBytesPerSecond) * 1000 - elapsedMs;
      if (aheadMs > 20) await sleep(clock, aheadMs, signal);
    }
    kind ??= wanted(sniff(Buffer.concat(start)), bytes);
    kept = true;
    return { ...result, what: kind === "text" ? "text" : "audio", bytes };
  } finally {
    await file.close();
    if (!kept) await rm(path, { force: true });
  }
}

function wanted(kind: Sniffed, bytes: number): Sniffed {
  if (bytes === 0) {
    throw new BotError("media_unreadable", "an empty answer", { say: { key: "fetch.empty" } });
  }
  if (kind === "other") throw notAudio();
  return kind;
}

function notAudio(): BotError {
  return new BotError("media_unsupported", "neither sound nor a list", { say: { key: "fetch.not_audio" } });
}

async function write(file: FileHandle, piece: Uint8Array): Promise<void> {
  await onDisk(file.writeFile(piece));
}

/** Tells errors of our own disk from those of the connection. */
async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const isFull = ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");
    const message = `the cache: ${messageOf(error)}`;
    if (!isFull) throw new BotError("internal", message, { cause: error });
    throw new BotError("disk_full", message, { cause: error, say: { key: "fetch.disk_full" } });
  }
}
