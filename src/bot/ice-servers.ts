import { createHmac } from "node:crypto";
import type { Clock, Timer } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { Homeserver } from "../matrix/homeserver.ts";
import { readTurnServers } from "../matrix/turn.ts";
import type { IceSettings } from "../media/plane.ts";

export type IceConfig = Pick<
  Config,
  "iceAllowPrivate" | "iceServers" | "iceTurnSecret" | "icePorts" | "iceAnnounce" | "iceLocalSubnets"
>;

export interface IceServersDeps {
  homeserver: Homeserver;
  config: IceConfig;
  clock: Clock;
  log: Log;
  /** There are new credentials. */
  onRenewed: () => void;
}

/** Renewed at this share of their life. */
const RENEW_AT = 0.8;
const RETRY_MS = 60_000;
const FIRST_ANSWER_MS = 1_000;
/** A homeserver that hands out credentials of a second must not be asked without end. */
const MIN_RENEW_MS = 5_000;
const MAX_TIMER_MS = 24 * 3_600_000;
/** Life of credentials that we make of the shared secret. */
const OWN_CREDENTIALS_MS = 12 * 3_600_000;

/**
 * How connections are made: the servers of the configuration and, after them, the TURN servers that the homeserver
 * offers. Keeps credentials fresh: those of the homeserver, and those made of the configured secret.
 */
export class IceServers {
  readonly #deps: IceServersDeps;
  readonly #closing = new AbortController();
  #offered: IceSettings["servers"] = [];
  #failing = false;
  #timer: Timer | null = null;
  #ownTimer: Timer | null = null;

  constructor(deps: IceServersDeps) {
    this.#deps = deps;
  }

  /** For connections made from now on; good for some time, until `onRenewed`. */
  settings(): IceSettings {
    const { config, clock } = this.#deps;
    const { iceAllowPrivate, iceAnnounce, iceLocalSubnets, icePorts } = config;
    return {
      servers: [...configuredServers(config, clock.wall()), ...this.#offered],
      allowPrivate: iceAllowPrivate,
      announce: [...iceAnnounce],
      localSubnets: [...iceLocalSubnets],
      ...(icePorts ? { portRange: [icePorts[0], icePorts[1]] } : {}),
    };
  }

  /** Resolves when the homeserver has answered, or after a second: most have no TURN, and a slow one must not hold us. */
  start(): Promise<void> {
    if (this.#deps.config.iceServers.some((server) => needsCredentials(server))) this.#renewOwnLater();
    return new Promise((resolve) => {
      const limit = this.#deps.clock.timer(FIRST_ANSWER_MS, resolve);
      void this.#read().finally(() => {
        limit.cancel();
        resolve();
      });
    });
  }

  /** Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#timer?.cancel();
    this.#ownTimer?.cancel();
  }

  #renewOwnLater(): void {
    this.#ownTimer = this.#deps.clock.timer(OWN_CREDENTIALS_MS * RENEW_AT, () => {
      this.#renewOwnLater();
      this.#deps.onRenewed();
    });
  }

  async #read(): Promise<void> {
    const { homeserver, log, clock, onRenewed } = this.#deps;
    let nextMs = RETRY_MS;
    try {
      const { servers, ttlMs } = await readTurnServers(homeserver, this.#closing.signal);
      nextMs = Math.max(ttlMs * RENEW_AT, MIN_RENEW_MS);
      this.#failing = false;
      if (servers.length > 0 || this.#offered.length > 0) {
        this.#offered = servers;
        log.info("turn_renewed", { servers: servers.map(({ uri }) => uri), ttlMs });
        onRenewed();
      }
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      // Once, not every minute; what we have may still be good.
      if (!this.#failing) log.warn("turn_unavailable", { reason: messageOf(error) });
      this.#failing = true;
    }
    if (this.#closing.signal.aborted) return;
    this.#timer = clock.timer(Math.min(nextMs, MAX_TIMER_MS), () => void this.#read());
  }
}

/** The servers of the configuration, those that share a secret with us with credentials from now on. @param wallMs now */
export function configuredServers(
  { iceServers, iceTurnSecret }: Pick<IceConfig, "iceServers" | "iceTurnSecret">,
  wallMs: number,
): IceSettings["servers"] {
  return iceServers.map((server) =>
    iceTurnSecret !== null && needsCredentials(server)
      ? { ...server, ...turnCredentials(iceTurnSecret, wallMs + OWN_CREDENTIALS_MS) }
      : { ...server },
  );
}

function needsCredentials({ uri, username }: IceConfig["iceServers"][number]): boolean {
  return uri.startsWith("turn") && username === undefined;
}

/**
 * Credentials of a TURN server that shares a secret with us: "A REST API For Access To TURN Services"
 * (draft-uberti-behave-turn-rest-00 section 2.2), as coturn's use-auth-secret and Synapse's turn_shared_secret.
 */
export function turnCredentials(secret: string, expiresAtMs: number): { username: string; password: string } {
  const username = `${Math.floor(expiresAtMs / 1000)}:voicebot`;
  return { username, password: createHmac("sha1", secret).update(username).digest("base64") };
}
