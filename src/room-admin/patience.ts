import { sleep } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { HomeserverError, retryDelayMs, type Homeserver, type HttpMethod } from "../matrix/homeserver.ts";
import type { RequestOptions } from "../matrix/homeserver.ts";

export interface PatienceOptions {
  clock: Clock;
  /** Told before each wait, in seconds. */
  onWait(seconds: number): void;
}

/** Of all waits for one call. Synapse's limits for invitations and new rooms let one through every few seconds. */
const MAX_WAIT_MS = 120_000;

/** A homeserver whose calls wait as long as a rate limit asks for, two minutes at most; other errors pass. */
export function patient(homeserver: Homeserver, options: PatienceOptions): Homeserver {
  const { clock } = options;
  return {
    baseUrl: homeserver.baseUrl,
    async request(method: HttpMethod, path: string, request: RequestOptions = {}): Promise<unknown> {
      const startedMs = clock.now();
      for (;;) {
        try {
          return await homeserver.request(method, path, request);
        } catch (error) {
          if (!(error instanceof HomeserverError) || error.status !== 429) throw error;
          const delayMs = retryDelayMs(error, 0);
          if (clock.now() - startedMs + delayMs > MAX_WAIT_MS) throw error;
          options.onWait(Math.ceil(delayMs / 1000));
          await sleep(clock, delayMs, request.signal);
        }
      }
    },
  };
}
