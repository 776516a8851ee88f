import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { sleep } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import { BotError } from "../base/errors.ts";
import { silentLog, type Log } from "../base/log.ts";
import { systemClock } from "../base/system-clock.ts";
import type { Config } from "../config/config.ts";
import { backoffMs, isTokenRejected, retryDelayMs } from "../matrix/homeserver.ts";
import { keepLogin, keptLogin, logIn, type Login } from "../matrix/login.ts";
import { waitForHomeserver } from "../matrix/reach.ts";
import { openHomeserver } from "../matrix/sdk-client.ts";

/** The token that speaks for the bot's account. */
export interface Account {
  /** Secret. */
  readonly accessToken: string;
}

/** The settings that decide about the account. */
export type AccountConfig = Pick<Config, "homeserverUrl" | "accessToken" | "userId" | "password" | "dataDir">;

export interface AccountOptions {
  /** Waits for a homeserver that is not there, or asks to come later; without it such errors are thrown. */
  readonly wait?: boolean;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly signal?: AbortSignal;
}

/**
 * The account that the configuration names: by its token, by the token of an earlier login in the data folder, or by
 * logging in, which is kept there. Commands that need a token take it from here, never from the configuration.
 * @throws BotError `forbidden` (wrong password, none is set and none was kept), `cancelled`; without `wait` also
 * `homeserver`, `timeout`, `rate_limited`
 */
export async function openAccount(config: AccountConfig, options: AccountOptions = {}): Promise<Account> {
  const deps = {
    clock: options.clock ?? systemClock,
    log: options.log ?? silentLog,
    signal: options.signal ?? new AbortController().signal,
  };
  if (options.wait) await waitForHomeserver(config.homeserverUrl, deps);
  if (config.accessToken !== null) return { accessToken: config.accessToken };
  if (config.userId === null) throw new BotError("internal", "no account is configured");
  return patiently(deps, options.wait ?? false, () => loggedIn(config, config.userId ?? "", deps));
}

interface Deps {
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

async function loggedIn(config: AccountConfig, userId: string, { log, signal }: Deps): Promise<Login> {
  const { homeserverUrl, password } = config;
  const dataDir = resolve(config.dataDir);
  const owner = { homeserverUrl, userId };
  const kept = await keptLogin(dataDir, owner);
  if (kept !== null && (await isGood(homeserverUrl, kept.accessToken, signal))) return kept;
  if (password === null) {
    throw new BotError(
      "forbidden",
      kept === null
        ? "VOICEBOT_PASSWORD is not set, and the data folder has no token of an earlier login; set it once"
        : "the token of the earlier login is not accepted any more, and VOICEBOT_PASSWORD is not set; set it once",
    );
  }
  const homeserver = await openHomeserver(homeserverUrl, null);
  const login = await logIn(homeserver, { userId, password, deviceId: kept?.deviceId ?? null }, signal);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await keepLogin(dataDir, owner, login);
  log.info("logged_in", {
    user: login.userId,
    deviceId: login.deviceId,
    reason: kept === null ? "first login" : "the token kept from the last login was not accepted any more",
  });
  return login;
}

async function isGood(homeserverUrl: string, accessToken: string, signal: AbortSignal): Promise<boolean> {
  const homeserver = await openHomeserver(homeserverUrl, accessToken);
  try {
    await homeserver.request("GET", "/_matrix/client/v3/account/whoami", { signal });
    return true;
  } catch (error) {
    if (isTokenRejected(error)) return false;
    throw error;
  }
}

/** Repeats what the homeserver cannot do now: Synapse takes few logins of one address in a short time. */
async function patiently<T>({ clock, log, signal }: Deps, wait: boolean, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!wait || signal.aborted || !(error instanceof BotError) || !error.retryable) throw error;
      const retryInMs = Math.round(retryDelayMs(error, backoffMs(attempt, 1_000, 30_000, Math.random)));
      log.warn("login_delayed", { reason: error.message, retryInMs });
      await sleep(clock, retryInMs, signal);
    }
  }
}
