import type { IncomingMessage } from "node:http";
import type { Clock } from "../base/clock.ts";
import { networkError, tooLargeToFetch, tooSlow } from "./failures.ts";
import type { Ending } from "./ending.ts";

export interface BodyBounds {
  maxBytes: number | null;
  idleMs: number;
  minBytesPerSecond: number;
  host: string;
  ending: Ending;
  clock: Clock;
}

/** The bytes of an answer within their bounds. Only time that the reader waits counts: a reader may be slow, a server not. */
export async function* boundedBody(
  response: IncomingMessage,
  bounds: BodyBounds,
): AsyncGenerator<Uint8Array> {
  const { maxBytes, idleMs, minBytesPerSecond, host, ending, clock } = bounds;
  const stalled = (): ReturnType<typeof tooSlow> => tooSlow(`nothing for ${idleMs} ms`, host);
  const pieces = (response as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  let total = 0;
  let waitedMs = 0;
  let arrived = 0;
  try {
    for (;;) {
      const sinceMs = clock.now();
      const piece = await ending.within(idleMs, stalled, pieces.next());
      if (piece.done) return;
      total += piece.value.length;
      if (maxBytes !== null && total > maxBytes) throw tooLargeToFetch(maxBytes);
      arrived += piece.value.length;
      waitedMs += clock.now() - sinceMs;
      if (waitedMs >= idleMs) {
        if (arrived < (minBytesPerSecond * waitedMs) / 1000) {
          throw tooSlow(`${arrived} bytes in ${Math.round(waitedMs)} ms`, host);
        }
        waitedMs = 0;
        arrived = 0;
      }
      yield piece.value;
    }
  } catch (error) {
    throw ending.error ?? networkError(error, host);
  } finally {
    ending.close();
    response.destroy();
  }
}
