import { z } from "zod";
import { sleep } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { BotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { backoffMs } from "./homeserver.ts";
import { transport, type TransportResponse } from "./transport.ts";

/** What stands behind a homeserver's URL: one that answers, none for now, or something else. `reason` completes "it …". */
export type Reach =
  | { kind: "there"; versions: readonly string[] }
  | { kind: "away"; reason: string; hint: string }
  | { kind: "wrong"; reason: string; hint: string };

const VERSIONS_PATH = "/_matrix/client/versions";
const TIMEOUT_MS = 10_000;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 15_000;
const SAY_EVERY_MS = 60_000;

const versionsSchema = z.object({ versions: z.array(z.string().max(100)).max(1000) });
const wellKnownSchema = z.object({ "m.homeserver": z.object({ base_url: z.url().max(1000) }) });

/** Asks once for the versions of the client-server API. @throws BotError `cancelled` */
export async function reachHomeserver(baseUrl: string, signal?: AbortSignal): Promise<Reach> {
  let answer: TransportResponse;
  try {
    answer = await get(baseUrl + VERSIONS_PATH, signal);
  } catch (error) {
    if (error instanceof BotError && error.code === "cancelled") throw error;
    if (!(error instanceof BotError) || !error.retryable) {
      return { kind: "wrong", reason: "gives an answer that cannot be read", hint: CHECK_URL };
    }
    const why = systemCode(error) ?? error.message;
    return { kind: "away", reason: `does not answer (${why})`, hint: hintFor(why) };
  }
  const { statusCode, body } = answer;
  const versions = versionsSchema.safeParse(body);
  if (statusCode === 200 && versions.success) return { kind: "there", versions: versions.data.versions };
  if (statusCode === 429 || statusCode >= 500) {
    const hint = "The homeserver, or a proxy before it, is starting or overloaded; its own log says more.";
    return { kind: "away", reason: `answers HTTP ${statusCode}`, hint };
  }
  const reason = `answers ${describeAnswer(answer)} where ${VERSIONS_PATH} should be`;
  return { kind: "wrong", reason, hint: (await rightUrl(baseUrl, signal)) ?? CHECK_URL };
}

/**
 * Waits until a homeserver answers at `baseUrl`, with a growing delay. Says in the log what is wrong and what to check: at
 * once, when it changes, and once a minute. What answers wrongly is asked again as well: a proxy does that while the
 * homeserver behind it starts.
 * @throws BotError `cancelled` when `signal` aborts
 */
export async function waitForHomeserver(
  baseUrl: string,
  { clock, log, signal, random = Math.random }: ReachDeps,
): Promise<void> {
  const sinceMs = clock.now();
  let said = { reason: "", atMs: -Infinity };
  for (let attempt = 1; ; attempt++) {
    const reach = await reachHomeserver(baseUrl, signal);
    const nowMs = clock.now();
    const awayMs = Math.round(nowMs - sinceMs);
    if (reach.kind === "there") {
      if (attempt > 1) log.info("homeserver_back", { awayMs });
      return;
    }
    const { reason, hint } = reach;
    if (reason !== said.reason || nowMs - said.atMs >= SAY_EVERY_MS) {
      said = { reason, atMs: nowMs };
      log.warn("homeserver_unreachable", { reason: `${baseUrl} ${reason}`, hint, waiting: true, awayMs });
    }
    await sleep(clock, backoffMs(attempt, FIRST_DELAY_MS, LONGEST_DELAY_MS, random), signal);
  }
}

export interface ReachDeps {
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  random?: () => number;
}

const CHECK_URL = "Check VOICEBOT_HOMESERVER_URL: it is the address that clients use, without /_matrix.";

function get(uri: string, signal: AbortSignal | undefined): Promise<TransportResponse> {
  return transport({ uri, method: "GET", headers: {} }, { timeoutMs: TIMEOUT_MS, signal });
}

function describeAnswer({ statusCode, headers, body }: TransportResponse): string {
  const location = headers["location"];
  if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
    return `with a redirect to ${JSON.stringify(location.slice(0, 200))}`;
  }
  const page =
    /html/i.test(headers["content-type"] ?? "") || (typeof body === "string" && /^\s*</.test(body));
  return `${page ? "with a web page" : "something else than a homeserver"} (HTTP ${statusCode})`;
}

/** What the system or OpenSSL calls it, e.g. ECONNREFUSED: fetch hides it under "fetch failed". */
function systemCode(error: unknown): string | null {
  for (let at = error, depth = 0; depth < 4 && typeof at === "object" && at !== null; depth++) {
    const { code, cause } = at as { code?: unknown; cause?: unknown };
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]{3,60}$/.test(code)) return code;
    at = cause;
  }
  return null;
}

function hintFor(why: string): string {
  if (/^(ENOTFOUND|EAI_)/.test(why)) return "Check the name in VOICEBOT_HOMESERVER_URL, and DNS.";
  if (/CERT|SIGNATURE|^ERR_(TLS|SSL)|^EPROTO/.test(why)) {
    return "Check the certificate, and http or https in VOICEBOT_HOMESERVER_URL; NODE_EXTRA_CA_CERTS names a CA of your own.";
  }
  return "Check that it runs, and host and port in VOICEBOT_HOMESERVER_URL.";
}

/** The URL that the server's own well-known file names, for who wrote the server's name instead. */
async function rightUrl(baseUrl: string, signal: AbortSignal | undefined): Promise<string | null> {
  try {
    const { statusCode, body } = await get(new URL("/.well-known/matrix/client", baseUrl).href, signal);
    const named = wellKnownSchema.safeParse(body);
    if (statusCode !== 200 || !named.success) return null;
    const url = named.data["m.homeserver"].base_url.replace(/\/+$/, "");
    return url === baseUrl ? null : `Set VOICEBOT_HOMESERVER_URL to ${url}, as its well-known file says.`;
  } catch (error) {
    if (error instanceof BotError && error.code === "cancelled") throw error;
    return null;
  }
}
