import { z } from "zod";
import { BotError, messageOf } from "../base/errors.ts";
import { HomeserverError } from "./homeserver.ts";
import { boundedBy, readBounded } from "./transport.ts";

/** A transfer that moves nothing for so long is dead; so is one whose answer takes longer after the last byte. */
const STALL_MS = 60_000;
/** For a whole transfer: a gigabyte at 5 Mbit/s. */
const TOTAL_MS = 1_800_000;
/** Bytes per ms: half a Mbit/s. */
const SLOWEST_PER_MS = 64;

/**
 * Runs a transfer that ends when it stalls (no `alive` for a minute), takes too long, or is aborted.
 * @param bytes how much it is, if that is known: what moves all the time may take its time
 */
export async function watched<T>(
  signal: AbortSignal,
  bytes: number | null,
  transfer: (signal: AbortSignal, alive: () => void) => Promise<T>,
): Promise<T> {
  return boundedBy({ timeoutMs: Math.max(TOTAL_MS, (bytes ?? 0) / SLOWEST_PER_MS), signal }, (total) =>
    boundedBy({ timeoutMs: STALL_MS, signal: total }, transfer),
  );
}

export async function* chunksOf(
  file: AsyncIterable<Uint8Array> | [],
  alive: () => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of file) {
    alive();
    yield chunk;
  }
}

/** Tells errors of our own disk from those of the connection. */
export async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const kind = code === "ENOSPC" ? "disk_full" : code === "ENOENT" ? "not_found" : "internal";
    throw new BotError(kind, `a file of ours: ${messageOf(error)}`, { cause: error });
  }
}

export async function readJson(response: Response): Promise<unknown> {
  const text = await readBounded(response, 1_000_000);
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

const errorSchema = z.object({
  errcode: z.string().default(""),
  error: z.string().default(""),
  retry_after_ms: z.number().optional(),
});

export function errorOf(response: Response, body: unknown): HomeserverError {
  const error = errorSchema.safeParse(body).data ?? { errcode: "", error: "" };
  return new HomeserverError(
    response.status,
    error.errcode,
    error.error,
    "retry_after_ms" in error ? (error.retry_after_ms ?? null) : null,
  );
}

export function tooLarge(
  key: "media.upload_too_large" | "media.download_too_large",
  bytes: number,
  limit: number,
): BotError {
  const params = { size: megabytes(bytes), limit: megabytes(limit) };
  return new BotError("media_too_large", `${bytes} bytes, the limit is ${limit}`, { say: { key, params } });
}

/** Rounded so that a size just over its limit does not read like the limit. */
function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 2 : 1);
}
