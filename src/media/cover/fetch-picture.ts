import type { GuardedFetch } from "../../fetch/guarded-fetch.ts";

/** Nobody waits for it. */
const BOUNDS = { idleMs: 5_000, totalMs: 15_000, minBytesPerSecond: 4_000 };

/** What is at `url`, a claim of somebody. @throws BotError as `GuardedFetch.open` */
export async function fetchPicture(
  url: string,
  maxBytes: number,
  { guard, signal }: { guard: GuardedFetch; signal: AbortSignal },
): Promise<Buffer> {
  const fetched = await guard.open(url, { ...BOUNDS, signal, maxBytes });
  try {
    const pieces: Uint8Array[] = [];
    for await (const piece of fetched.body) pieces.push(piece);
    return Buffer.concat(pieces);
  } finally {
    fetched.close();
  }
}
