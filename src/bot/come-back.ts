import { sleep } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { toBotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";

const AGAIN_MS = 15_000;
/** What keeps us out today and may not in a minute: a homeserver that is limiting us, slow or away, a child that starts. */
const MAY_PASS: readonly string[] = ["timeout", "rate_limited", "homeserver", "media_plane_down"];

export interface ComeBackDeps {
  /** Rejects when the way in failed; we are out then. */
  join(): Promise<void>;
  /** `late`: not at the first attempt. */
  onIn(late: boolean): void;
  /** The first attempt failed, others follow. */
  onDelayed(): void;
  /** It is no use. */
  onRefused(late: boolean): void;
  clock: Clock;
  log: Log;
  /** Somebody decided otherwise. */
  signal: AbortSignal;
}

/**
 * Goes back into the channel in which the last run was, again and again while what keeps us out may pass. Resolves after the
 * first attempt; those that follow do not hold up the start.
 */
export async function comeBack(deps: ComeBackDeps): Promise<void> {
  if (await attempt(deps, false)) return;
  deps.onDelayed();
  void again(deps);
}

async function again(deps: ComeBackDeps): Promise<void> {
  const { clock, signal } = deps;
  do {
    const goOn = await sleep(clock, AGAIN_MS, signal).then(
      () => true,
      () => false,
    );
    if (!goOn) return;
  } while (!(await attempt(deps, true)));
}

/** @returns whether that was the last one */
async function attempt(deps: ComeBackDeps, late: boolean): Promise<boolean> {
  const { log, signal } = deps;
  try {
    await deps.join();
    if (!signal.aborted) deps.onIn(late);
    return true;
  } catch (cause) {
    if (signal.aborted) return true;
    const error = toBotError(cause);
    const final = !error.retryable && !MAY_PASS.includes(error.code);
    log.warn("handler_failed", { what: "rejoin", ...(final ? {} : { retryInMs: AGAIN_MS }), error });
    if (final) deps.onRefused(late);
    return final;
  }
}
