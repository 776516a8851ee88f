import type { Clock } from "../base/clock.ts";
import type { Config, ConfigProblem } from "../config/config.ts";
import type { Homeserver } from "../matrix/homeserver.ts";
import type { TurnServers } from "../matrix/turn.ts";
import type { IceSettings } from "../media/plane.ts";
import { Skipped } from "./skipped.ts";
import type { Versions } from "./versions.ts";

export interface Identity {
  userId: string;
  /** null: the token has no device. */
  deviceId: string | null;
}

/** What checks share. Each method does its work once, whoever asks, and throws `Skipped` when it cannot. */
export interface CheckContext {
  /** Every setting that is right, or has a default. */
  readonly config: Partial<Config>;
  readonly problems: readonly ConfigProblem[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** As anybody gets it, without a token. @throws BotError not reachable */
  versions(): Promise<Versions>;
  /** With the bot's token. @throws BotError when there is none to be had */
  homeserver(): Promise<Homeserver>;
  /** @throws HomeserverError when the token is not valid */
  identity(): Promise<Identity>;
  /** With an administrator's token; null: there is none. */
  admin(): Promise<Homeserver | null>;
  /** What connections are made with, but for the servers. @throws Skipped */
  ice(): Omit<IceSettings, "servers">;
  /** STUN and TURN servers of the configuration, with credentials. */
  configuredServers(): IceSettings["servers"];
  /** TURN servers that the homeserver offers. @throws BotError */
  offeredServers(): Promise<TurnServers["servers"]>;
  /** Whether a bot runs with this data folder. */
  running(): Promise<boolean>;
}

/** The setting, if it is right. @throws Skipped */
export function need<K extends keyof Config>({ config }: Pick<CheckContext, "config">, key: K): Config[K] {
  const value = config[key];
  if (value === undefined) throw new Skipped("its settings are wrong");
  return value;
}

/** Calls `make` once, and gives everybody the same outcome. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => (made ??= make());
}

/** As `work`, but a failure of it is somebody else's to tell. @throws Skipped */
export async function given<T>(work: Promise<T>, why: string): Promise<T> {
  try {
    return await work;
  } catch {
    throw new Skipped(why);
  }
}
