import { z } from "zod";
import { sleep } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { decodeEvent, decodeMessages, type RoomEvent } from "./events.ts";
import { apiPath, HomeserverError, retryDelayMs, type Homeserver } from "./homeserver.ts";

const MAX_PAGES = 3;
const PAGE_EVENTS = 100;
const ATTEMPTS = 3;

export interface GapReader {
  homeserver: Homeserver;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/** The whole current state of a room; null when the homeserver does not give it (logged). */
export async function readState(reader: GapReader, roomId: string): Promise<RoomEvent[] | null> {
  try {
    const body = await persistently(reader, apiPath`/_matrix/client/v3/rooms/${roomId}/state`, {});
    return decodeAll(z.array(z.unknown()).parse(body), roomId, "state");
  } catch (error) {
    if (reader.signal.aborted) throw error;
    reader.log.warn("sync_gap", { room: roomId, reason: `state not readable: ${messageOf(error)}` });
    return null;
  }
}

/**
 * The events between two sync positions, oldest first: what a limited timeline left out. Bounded to the newest 300; what
 * is older, or cannot be read, is lost and logged.
 */
export async function readMissed(
  reader: GapReader,
  roomId: string,
  fromBatch: string,
  toBatch: string,
): Promise<RoomEvent[]> {
  const newestFirst: RoomEvent[] = [];
  let from: string | undefined = fromBatch;
  let reason = "";
  try {
    for (let page = 0; page < MAX_PAGES && from !== undefined; page++) {
      const query: Record<string, string> = { dir: "b", limit: String(PAGE_EVENTS), from, to: toBatch };
      const body = await persistently(reader, apiPath`/_matrix/client/v3/rooms/${roomId}/messages`, query);
      const answer = decodeMessages(body);
      newestFirst.push(...decodeAll(answer.chunk, roomId, "live"));
      from = answer.chunk.length === 0 ? undefined : answer.end;
    }
    if (from !== undefined) reason = "more was missed than is read back";
  } catch (error) {
    if (reader.signal.aborted) throw error;
    reason = `not readable: ${messageOf(error)}`;
  }
  if (reason === "") reader.log.info("sync_gap", { room: roomId, readBack: newestFirst.length });
  else reader.log.warn("sync_gap", { room: roomId, readBack: newestFirst.length, reason });
  return newestFirst.toReversed();
}

/** Decodes what is well-formed; the caller has counted the rest already when it was in a sync. */
function decodeAll(raw: readonly unknown[], roomId: string, origin: RoomEvent["origin"]): RoomEvent[] {
  return raw.map((event) => decodeEvent(event, roomId, origin)).filter((event) => event !== null);
}

async function persistently(
  reader: GapReader,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<unknown> {
  const { homeserver, clock, signal } = reader;
  for (let attempt = 1; ; attempt++) {
    try {
      return await homeserver.request("GET", path, { query, signal, timeoutMs: 60_000 });
    } catch (error) {
      const final = error instanceof HomeserverError && !error.retryable;
      if (signal.aborted || final || attempt === ATTEMPTS) throw error;
      await sleep(clock, Math.min(retryDelayMs(error, 1000), 10_000), signal);
    }
  }
}
