import { isIP } from "node:net";
import { BotError } from "../base/errors.ts";
import type { MessageKey, Sentence } from "../base/messages/catalogue.ts";

/** Where the operator lets people send the bot, besides the public Internet over https. */
export interface FetchPolicy {
  /** Whether http is taken as well. */
  allowHttp: boolean;
  /** Addresses, subnets in CIDR notation and host names that may be reached although they are not public. Dangerous. */
  allow: readonly string[];
}

/** What holds where the operator has set nothing. */
export const PUBLIC_HTTPS: FetchPolicy = { allowHttp: false, allow: [] };

const MAX_URL = 2048;
/** Below, apart from those of HTTP, live mail, names, shells and files, whom nobody shall talk to through us. */
const FIRST_FREE_PORT = 1024;

/**
 * A URL that may be fetched as far as it can be seen without a look at the network.
 * @throws BotError `fetch_refused`
 */
export function parseFetchUrl(text: string, policy: Pick<FetchPolicy, "allowHttp">): URL {
  const url = text.length <= MAX_URL && URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw refused("not a URL", { key: "fetch.bad_url" });
  if (url.username !== "" || url.password !== "") {
    throw refused("credentials in the URL", { key: "fetch.credentials" });
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && policy.allowHttp)) {
    const key: MessageKey = url.protocol === "http:" ? "fetch.http" : "fetch.scheme";
    throw refused(`scheme ${url.protocol}`, { key });
  }
  if (url.hostname === "") throw refused("no host", { key: "fetch.bad_url" });
  if (url.port !== "" && Number(url.port) < FIRST_FREE_PORT && url.port !== "80" && url.port !== "443") {
    throw refused(`port ${url.port}`, { key: "fetch.port", params: { port: url.port } });
  }
  url.hash = "";
  return url;
}

/** Whether this is meant as a URL rather than a name: it has a scheme and no blanks. */
export const looksLikeUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(text);

/** Scheme, host and path: what comes after a question mark may be a key to something. */
export function urlForLog(text: string): string {
  if (!URL.canParse(text)) return "no URL";
  const { protocol, host, pathname } = new URL(text);
  return `${protocol}//${host}${pathname}`.slice(0, 300);
}

/** Host name or address, without the brackets of IPv6. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, "$1");

export const isAddress = (host: string): boolean => isIP(host) !== 0;

export function refused(message: string, say: Sentence): BotError {
  return new BotError("fetch_refused", message, { say });
}
