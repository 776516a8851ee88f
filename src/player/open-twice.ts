import { sleep } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { toBotError, type ErrorCode } from "../base/errors.ts";

/** What another attempt may bring: a server that stalls, breaks off or is not there for a moment. */
const MAY_PASS: ReadonlySet<ErrorCode> = new Set(["timeout", "fetch_failed", "homeserver"]);
const AGAIN_MS = 1_000;
/** What took longer was waited for enough. */
const LONG_MS = 30_000;

/** As `open`, once more if it failed by what may have passed. @throws what the last attempt throws */
export async function openTwice<T>(
  open: () => Promise<T>,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<T> {
  const startMs = clock.now();
  try {
    return await open();
  } catch (thrown) {
    const { retryable, code } = toBotError(thrown);
    if (!retryable || !MAY_PASS.has(code) || clock.now() - startMs >= LONG_MS || signal.aborted) throw thrown;
  }
  await sleep(clock, AGAIN_MS, signal);
  return open();
}
