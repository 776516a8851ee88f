import { isIP, isIPv6 } from "node:net";
import { z } from "zod";
import type { ListenAddress } from "./setting.ts";

/** Beyond, memory and the processes' coming and going cost more than cores give. */
export const MAX_MEDIA_CHILDREN = 64;

export const pathSchema = z
  .string()
  .refine((value) => !value.includes("\0"), "must not contain a NUL character");

export const baseUrlSchema = z
  .string()
  .refine((value) => isBaseUrl(value), "must be a URL like https://matrix.example.org (no user, no query)")
  .transform((value) => value.replace(/\/+$/, ""));

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

export const tokenSchema = z
  .string()
  .regex(/^[\x21-\x7e]+$/, "must be one word of printable ASCII, as the homeserver gave it");

/** Historical user ids have more characters than new ones may; the homeserver judges them. */
export const userIdSchema = z
  .string()
  .max(255, "must be at most 255 characters")
  .regex(/^@[^\s:]+:[^\s/]+$/, "must be a full user id like @voicebot:example.org");

export const passwordSchema = z
  .string()
  .refine((value) => !/[\r\n\0]/.test(value), "must be one line")
  .max(1024, "must be at most 1024 characters");

export const deviceNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,64}$/, "must be 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -");

export const mediaChildrenSchema = z
  .string()
  .refine(
    (value) => /^[1-9]\d?$/.test(value) && Number(value) <= MAX_MEDIA_CHILDREN,
    `must be a number from 1 to ${MAX_MEDIA_CHILDREN}`,
  )
  .transform(Number);

export const percentSchema = z
  .string()
  .refine((value) => /^\d{1,3}$/.test(value) && Number(value) <= 100, "must be a number from 0 to 100")
  .transform(Number);

export const keepDaysSchema = z
  .string()
  .regex(/^\d{1,4}$/, "must be a number of days, 0 to 9999")
  .transform(Number);

export const flagSchema = z
  .enum(["true", "false"], "must be true or false")
  .transform((text) => text === "true");

const MAX_STATIONS = 100;

/** `Name=https://…`, each name once. */
export const radioStationsSchema: z.ZodType<readonly { name: string; url: string }[], string> = z
  .string()
  .transform((value) =>
    value
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "")
      .map((part) => {
        const [name = "", ...url] = part.split("=");
        return { name: name.trim(), url: url.join("=").trim() };
      }),
  )
  .refine(
    (stations) =>
      stations.length > 0 &&
      stations.length <= MAX_STATIONS &&
      new Set(stations.map(({ name }) => name.toLowerCase())).size === stations.length &&
      stations.every(({ name, url }) => isStationName(name) && /^https?:/i.test(url) && URL.canParse(url)),
    "must be names and addresses like Night Wave=https://radio.example.org/night, separated by commas, each name once",
  );

const isStationName = (name: string): boolean => name.length <= 60 && /[\p{L}\p{N}]/u.test(name);

const MAX_ALLOWED = 32;

export const fetchAllowSchema: z.ZodType<readonly string[], string> = z
  .string()
  .transform((value) =>
    value
      .split(",")
      .map((part) => part.trim().toLowerCase())
      .filter((part) => part !== ""),
  )
  .refine(
    (parts) => parts.length > 0 && parts.length <= MAX_ALLOWED && parts.every(isAddressOrHost),
    "must be IP addresses, subnets or host names like 10.20.0.5 or 10.20.0.0/16, separated by commas",
  );

function isAddressOrHost(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const version = address.includes("%") ? 0 : isIP(address);
  if (version !== 0 && more.length === 0)
    return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
  // What ends in digits is a damaged address, no name.
  return (
    /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(text) &&
    !/(^|\.)\d+$/.test(text)
  );
}

export const ytdlpSearchSchema = z
  .string()
  .regex(/^(off|[a-z0-9]{1,20}search)$/, "must be off or a search of yt-dlp like ytsearch");

const SIZE_UNITS: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** "20G" to bytes. */
export const sizeSchema = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,3})?[kMGT]B?$/i, "must be a size like 500M or 20G")
  .transform((text) => {
    const unit = /[kmgt]/.exec(text.toLowerCase())?.[0] ?? "";
    return Math.round(Number.parseFloat(text) * (SIZE_UNITS[unit] ?? 1));
  });

export const commandPrefixSchema = z
  .string()
  .regex(/^[^\s\p{C}]{1,8}$/u, "must be 1 to 8 characters without spaces");

export const invitesSchema = z
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
  );

export const listenSchema: z.ZodType<ListenAddress | null, string> = z.string().transform((text, context) => {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3]);
  if (match && port <= 65_535 && (match[1] === undefined || isIPv6(host))) return { host, port };
  context.addIssue({ code: "custom", message: "must be host:port like 127.0.0.1:9090 or [::1]:9090" });
  return z.NEVER;
});
