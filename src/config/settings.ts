import { isIPv6 } from "node:net";
import { z } from "zod";
import type { LogLevel } from "../base/log.ts";
import { iceAnnounceSchema, icePortsSchema, iceServersSchema, iceSubnetsSchema } from "./ice-settings.ts";
import type { IceServerSetting } from "./ice-settings.ts";

/** `auto`: private addresses of own subnets only; `true`: all (tests); `false`: none. Text, as the media plane takes it. See docs/PROTOCOL.md "Trust". */
export type AllowPrivate = "auto" | "true" | "false";

/** What the program runs with. Paths are as given, relative to the working directory. */
export interface Config {
  /** Without a slash at its end. */
  homeserverUrl: string;
  /** Secret. */
  accessToken: string;
  /** First part of our state key; null: made from the Matrix device id (`deviceNameFrom`). */
  deviceName: string | null;
  dataDir: string;
  mediaDir: string;
  commandPrefix: string;
  /** Patterns of user ids; null: everyone of the bot's own homeserver. */
  invitesAllow: readonly string[] | null;
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
  logLevel: LogLevel;
  /** null: looked for in the usual places. */
  ffmpegPath: string | null;
  /** Where health and metrics are served; null: nowhere. Port 0: any free one. */
  healthListen: ListenAddress | null;
}

/** Host (without brackets) and TCP port. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** One setting: everything that program, documentation and error texts say about it. */
export interface Setting<T> {
  /** Its path in the YAML file; the environment variable and the flag are made of it (`envName`, `flagName`). */
  readonly name: string;
  /** What it is for, as a sentence for operators. */
  readonly meaning: string;
  /** Unit or form of the value, with an example where that helps. */
  readonly unit: string;
  /** Value when nothing is set; `undefined`: it must be set. */
  readonly fallback: T | undefined;
  /** How the default reads in documentation. */
  readonly fallbackText: string;
  /** Secrets never appear in a problem, a log line or the documentation. */
  readonly secret: boolean;
  /** Text to value. Its issues' messages complete "KEY …", e.g. "must be a URL", and never quote the value. */
  readonly schema: z.ZodType<T, string>;
}

/** Makes a valid, stable device name of a Matrix device id (any text, or none for a token without a device). */
export function deviceNameFrom(deviceId: string | null): string {
  const name = (deviceId ?? "").replaceAll(/[^A-Za-z0-9._~-]/g, "-").slice(0, 64);
  return name === "" ? "voicebot" : name;
}

const path = z.string().refine((value) => !value.includes("\0"), "must not contain a NUL character");

const listenSchema: z.ZodType<ListenAddress | null, string> = z.string().transform((text, context) => {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3]);
  if (match && port <= 65_535 && (match[1] === undefined || isIPv6(host))) return { host, port };
  context.addIssue({ code: "custom", message: "must be host:port like 127.0.0.1:9090 or [::1]:9090" });
  return z.NEVER;
});

/** `ice.allow_private` → `VOICEBOT_ICE_ALLOW_PRIVATE`. */
export function envName(name: string): string {
  return `VOICEBOT_${name.replaceAll(".", "_").toUpperCase()}`;
}

/** `ice.allow_private` → `--ice-allow-private`. */
export function flagName(name: string): string {
  return `--${name.replaceAll(/[._]/g, "-")}`;
}

/** Every setting there is: flags, environment, file, their documentation and their checks all read this table. */
export const SETTINGS: { readonly [K in keyof Config]: Setting<Config[K]> } = {
  homeserverUrl: {
    name: "homeserver.url",
    meaning: "Where the client-server API of the bot's homeserver is.",
    unit: "URL with http or https, e.g. https://matrix.example.org",
    fallback: undefined,
    fallbackText: "none, required",
    secret: false,
    schema: z
      .string()
      .refine(
        (value) => isBaseUrl(value),
        "must be a URL like https://matrix.example.org (no user, no query)",
      )
      .transform((value) => value.replace(/\/+$/, "")),
  },
  accessToken: {
    name: "access_token",
    meaning: "Access token of the bot's account. Use a token of its own, which no other client uses.",
    unit: "text without spaces",
    fallback: undefined,
    fallbackText: "none, required",
    secret: true,
    schema: z
      .string()
      .regex(/^[\x21-\x7e]+$/, "must be one word of printable ASCII, as the homeserver gave it"),
  },
  deviceName: {
    name: "device_name",
    meaning:
      "Name of this installation in the voice channel; keep it stable, so that a restart leaves no ghost.",
    unit: "1 to 64 of A-Z a-z 0-9 . _ ~ -",
    fallback: null,
    fallbackText: "the Matrix device id",
    secret: false,
    schema: z
      .string()
      .regex(/^[A-Za-z0-9._~-]{1,64}$/, "must be 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -"),
  },
  dataDir: {
    name: "data_dir",
    meaning: "Folder for what must survive a restart: database, sync position, recordings, cache.",
    unit: "path",
    fallback: "./data",
    fallbackText: "./data",
    secret: false,
    schema: path,
  },
  mediaDir: {
    name: "media_dir",
    meaning: "Folder with the tracks that people may play by name; nothing outside of it is read.",
    unit: "path",
    fallback: "./media",
    fallbackText: "./media",
    secret: false,
    schema: path,
  },
  commandPrefix: {
    name: "command_prefix",
    meaning: "What a command starts with.",
    unit: "1 to 8 characters without spaces",
    fallback: "!",
    fallbackText: "!",
    secret: false,
    schema: z.string().regex(/^[^\s\p{C}]{1,8}$/u, "must be 1 to 8 characters without spaces"),
  },
  invitesAllow: {
    name: "invites.allow",
    meaning: "Whose invitations are accepted.",
    unit: "user ids with * for any characters, separated by commas, e.g. *:example.org,@ada:other.org",
    fallback: null,
    fallbackText: "*:<the bot's own server>",
    secret: false,
    schema: z
      .string()
      .transform((value) =>
        value
          .split(",")
          .map((part) => part.trim())
          .filter((part) => part !== ""),
      )
      .refine((parts) => parts.length > 0, "must name at least one user id or pattern")
      .refine(
        (parts) => parts.every((part) => part === "*" || /^[@*][^\s,:]*:[^\s,]+$/.test(part)),
        "must be user ids or patterns like *:example.org, separated by commas",
      ),
  },
  iceAllowPrivate: {
    name: "ice.allow_private",
    meaning: "Whether media may go to private addresses: auto allows the bot's own subnets only.",
    unit: "auto, true or false",
    fallback: "auto",
    fallbackText: "auto",
    secret: false,
    schema: z.enum(["auto", "true", "false"], "must be auto, true or false"),
  },
  iceServers: {
    name: "ice.servers",
    meaning:
      "STUN and TURN servers that help through NATs, besides the TURN servers that the homeserver offers. Special characters of a password are percent-encoded.",
    unit: "URIs separated by commas, e.g. stun:stun.example.org,turn:user:password@turn.example.org:3478",
    fallback: [],
    fallbackText: "those of the homeserver",
    secret: true,
    schema: iceServersSchema,
  },
  iceTurnSecret: {
    name: "ice.turn_secret",
    meaning:
      "The shared secret (coturn: static-auth-secret) of the TURN servers in VOICEBOT_ICE_SERVERS that have no user and password there.",
    unit: "text without spaces",
    fallback: null,
    fallbackText: "none",
    secret: true,
    schema: z.string().regex(/^[\x21-\x7e]+$/, "must be one word of printable ASCII"),
  },
  icePorts: {
    name: "ice.ports",
    meaning: "UDP ports for sound: one for each member of each channel, and some that are just being closed.",
    unit: "first-last, e.g. 50000-50100",
    fallback: null,
    fallbackText: "any free ports",
    secret: false,
    schema: icePortsSchema,
  },
  iceAnnounce: {
    name: "ice.announce",
    meaning:
      "Addresses at which members reach the bot when they are not those of its interfaces: behind a router that forwards the ports, or in a container.",
    unit: "IP addresses separated by commas, e.g. 203.0.113.7",
    fallback: [],
    fallbackText: "the bot's own addresses",
    secret: false,
    schema: iceAnnounceSchema,
  },
  iceLocalSubnets: {
    name: "ice.local_subnets",
    meaning: "Private subnets that count as the bot's own when VOICEBOT_ICE_ALLOW_PRIVATE is auto.",
    unit: "subnets separated by commas, e.g. 10.20.0.0/16",
    fallback: [],
    fallbackText: "those of its interfaces",
    secret: false,
    schema: iceSubnetsSchema,
  },
  logLevel: {
    name: "log.level",
    meaning: "The least important log lines that are written.",
    unit: "debug, info, warn or error",
    fallback: "info",
    fallbackText: "info",
    secret: false,
    schema: z.enum(["debug", "info", "warn", "error"], "must be debug, info, warn or error"),
  },
  ffmpegPath: {
    name: "ffmpeg.path",
    meaning: "The ffmpeg program to use.",
    unit: "path",
    fallback: null,
    fallbackText: "ffmpeg-static if installed, else ffmpeg on PATH",
    secret: false,
    schema: path,
  },
  healthListen: {
    name: "health.listen",
    meaning: "Where /healthz, /readyz and /metrics are served. They have no password: keep them to yourself.",
    unit: "host:port, e.g. 127.0.0.1:9090, or 0.0.0.0:9090 in a container",
    fallback: null,
    fallbackText: "nowhere",
    secret: false,
    schema: listenSchema,
  },
};

function isBaseUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return (
    /^https?:$/.test(url.protocol) &&
    url.username === "" &&
    url.password === "" &&
    url.search === "" &&
    url.hash === ""
  );
}
