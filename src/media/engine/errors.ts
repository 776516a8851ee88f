import { BotError, messageOf } from "../../base/errors.ts";

/** What a closed connection rejects with. */
export function cancelled(): BotError {
  return new BotError("cancelled", "the connection was closed during the negotiation");
}

/** The library found no port to take. */
export function noFreePort(): BotError {
  return new BotError("engine_failed", "no UDP port of the range is free", { retryable: true });
}

/** The library did not take what we had read and written anew. */
export function refused(what: "offer" | "answer", cause: unknown): BotError {
  if (cause instanceof BotError) return cause;
  return new BotError("bad_sdp", `the library refused the ${what}: ${messageOf(cause)}`, { cause });
}
