import type { z } from "zod";
import type { LogLevel } from "../base/log.ts";
import type { IceServerSetting } from "./ice-settings.ts";

/** `auto`: private addresses of own subnets only; `true`: all (tests); `false`: none. Text, as the media plane takes it. See docs/PROTOCOL.md "Trust". */
export type AllowPrivate = "auto" | "true" | "false";

/** As `ENGINE_POLICIES` of the media plane. */
export type EnginePolicy = "auto" | "libdatachannel" | "wrtc";

/** `auto`: text at a terminal, JSON lines elsewhere. */
export type LogFormat = "auto" | "json" | "text";

/** Host (without brackets) and TCP port. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** What the program runs with. Paths are as given, relative to the working directory. */
export interface Config {
  /** Without a slash at its end. */
  homeserverUrl: string;
  /** Secret. null: `userId` logs in. Whoever needs a token asks `openAccount`. */
  accessToken: string | null;
  /** Who logs in when there is no access token. */
  userId: string | null;
  /** Secret. Of `userId`; null when the token of an earlier login has to do. */
  password: string | null;
  /** Secret. Of a server administrator, for what the bot's account may not do itself; null: there is none. */
  adminToken: string | null;
  /** First part of our state key; null: made from the Matrix device id (`deviceNameFrom`). */
  deviceName: string | null;
  dataDir: string;
  mediaDir: string;
  /** null: looked for in the usual places. */
  ffmpegPath: string | null;
  /** Radio stations by name. */
  radioStations: readonly { readonly name: string; readonly url: string }[];
  /** Whether people may have files fetched over http, besides https. */
  fetchHttp: boolean;
  /** Addresses, subnets and host names that people may have fetched from although they are not public. */
  fetchAllow: readonly string[];
  /** What one file of the network, or uploaded, may have in bytes. */
  fetchMaxBytes: number;
  /** What all of them may take on the disk, in bytes. */
  cacheMaxBytes: number;
  /** The program yt-dlp; null: the one on PATH, if any; `off`: none. */
  ytdlpPath: string | null;
  /** Where `!search` looks besides the media folder, as yt-dlp calls it; `off`: nowhere. */
  ytdlpSearch: string;
  commandPrefix: string;
  /** Patterns of user ids; null: everyone of the bot's own homeserver. */
  invitesAllow: readonly string[] | null;
  /** How many days recordings are kept after they were delivered; 0: for ever. */
  recordingsKeepDays: number;
  /** How much all recordings may take on the disk, in bytes. */
  recordingsMaxBytes: number;
  iceAllowPrivate: AllowPrivate;
  /** Besides those of the homeserver. */
  iceServers: readonly IceServerSetting[];
  /** Secret. Makes credentials for the TURN servers of `iceServers` that have none; null: there is none. */
  iceTurnSecret: string | null;
  /** UDP ports, inclusive; null: the system chooses. */
  icePorts: readonly [number, number] | null;
  /** Addresses at which others reach us, instead of those of our interfaces. */
  iceAnnounce: readonly string[];
  /** Subnets in CIDR notation that count as own under `auto`. */
  iceLocalSubnets: readonly string[];
  /** Which WebRTC library carries the sound; `auto`: the first that loads on this machine. */
  engine: EnginePolicy;
  /** Media children at most, from 1; null: one per core. */
  mediaChildren: number | null;
  /** Of a core, in percent: what measuring the media folder in the background may take; 0: it is not done. */
  loudnessScanPercent: number;
  logLevel: LogLevel;
  logFormat: LogFormat;
  /** Where health and metrics are served; null: nowhere. Port 0: any free one. */
  healthListen: ListenAddress | null;
}

/** Headings of help and reference, in their order. */
export const GROUPS = {
  account: "Homeserver and account",
  folders: "Folders and programs",
  fetch: "Files of the network",
  rooms: "Rooms",
  recordings: "Recordings",
  ice: "Ways to the members",
  operation: "Log and health",
} as const;

/** One setting: everything that program, documentation and error texts say about it. */
export interface Setting<T> {
  /** Its path in the YAML file; the environment variable and the flag are made of it (`envName`, `flagName`). */
  readonly name: string;
  readonly group: keyof typeof GROUPS;
  /** What it is for, as a sentence for operators. */
  readonly meaning: string;
  /** Unit or form of the value. */
  readonly unit: string;
  /** A value that passes the schema, as one would write it. */
  readonly example: string;
  /** Value when nothing is set; `undefined`: it must be set. */
  readonly fallback: T | undefined;
  /** How the default reads in documentation. */
  readonly fallbackText: string;
  /** Parts separated by commas; a list in the YAML file. */
  readonly list?: true;
  /**
   * Secrets never appear in a problem, a log line or on a command line, which everybody on the machine can read. They can
   * also be named by a file that holds them (`secretFileName`).
   */
  readonly secret?: true;
  /** Text to value. Its issues' messages complete "KEY …", e.g. "must be a URL", and never quote the value. */
  readonly schema: z.ZodType<T, string>;
}

/** `ice.allow_private` → `VOICEBOT_ICE_ALLOW_PRIVATE`. */
export function envName(name: string): string {
  return `VOICEBOT_${name.replaceAll(".", "_").toUpperCase()}`;
}

/** `ice.allow_private` → `--ice-allow-private`. */
export function flagName(name: string): string {
  return `--${name.replaceAll(/[._]/g, "-")}`;
}

/** Name under which the file that holds a secret is given: `access_token` → `access_token_file`. */
export function secretFileName(name: string): string {
  return `${name}_file`;
}
