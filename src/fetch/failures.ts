import { BotError, messageOf } from "../base/errors.ts";
import type { MessageKey } from "../base/messages/catalogue.ts";

const NAMES = new Set(["ENOTFOUND", "EAI_AGAIN", "EAI_NODATA", "EAI_NONAME", "EAI_FAIL"]);
const CERTIFICATE =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS|ERR_SSL|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$)/;
const UNREACHABLE =
  /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ETIMEDOUT|EADDRNOTAVAIL|EINVAL|EACCES)$/;

/** What Node says of a connection, as the error for who asked. */
export function networkError(error: unknown, host: string): BotError {
  if (error instanceof BotError) return error;
  const code = codeOf(error);
  const { key, retryable } = kindOf(code);
  return new BotError("fetch_failed", `${host}: ${code || messageOf(error)}`, {
    retryable,
    say: { key, params: { host } },
    cause: error,
  });
}

function kindOf(code: string): { key: MessageKey; retryable: boolean } {
  if (NAMES.has(code)) return { key: "fetch.no_host", retryable: code === "EAI_AGAIN" };
  if (CERTIFICATE.test(code)) return { key: "fetch.certificate", retryable: false };
  if (UNREACHABLE.test(code)) return { key: "fetch.unreachable", retryable: true };
  if (code.startsWith("HPE_")) return { key: "fetch.no_http", retryable: false };
  return { key: "fetch.broken_off", retryable: true };
}

/** The code of an error; of the first one when several addresses were tried. */
function codeOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = (first as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** An answer that is not what was asked for. */
export function answered(status: number, host: string): BotError {
  return new BotError("fetch_failed", `${host} answered ${status}`, {
    retryable: status >= 500 || status === 429,
    say: { key: "fetch.status", params: { host, status } },
  });
}

export function tooSlow(what: string, host: string): BotError {
  return new BotError("timeout", `${host}: ${what}`, {
    retryable: true,
    say: { key: "fetch.slow", params: { host } },
  });
}

export function tooLargeToFetch(limitBytes: number): BotError {
  const limit = Math.max(1, Math.round(limitBytes / 1e6));
  return new BotError("media_too_large", `over ${limitBytes} bytes`, {
    say: { key: "fetch.too_large", params: { limit } },
  });
}
