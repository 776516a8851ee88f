import { isIP } from "node:net";
import { z } from "zod";

/** A STUN or TURN server as the operator wrote it; what a URI cannot hold stands beside it. */
export interface IceServerSetting {
  /** As RFC 7064 and RFC 7065 write it, without user and password. */
  readonly uri: string;
  readonly username?: string;
  /** Secret. */
  readonly password?: string;
}

const MAX_ENTRIES = 32;
/** Below it live the services of the machine, and browsers contact nobody there. */
const FIRST_PORT = 1024;
const LAST_PORT = 65_535;

const listOf = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

function list<T>(read: (part: string) => T | null, problem: string): z.ZodType<readonly T[], string> {
  return z.string().transform((text, context) => {
    const parts = listOf(text);
    const values = parts.map(read).filter((value) => value !== null);
    if (values.length === parts.length && parts.length > 0 && parts.length <= MAX_ENTRIES) return values;
    context.addIssue({ code: "custom", message: problem });
    return z.NEVER;
  });
}

const SERVER =
  /^(stuns?|turns?):(?:([^\s:@/?]+):([^\s@/?]+)@)?(\[[0-9A-Fa-f:.]+\]|[^\s:@/?[\]]+)(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?$/i;

export const iceServersSchema = list(
  readServer,
  "must be STUN and TURN URIs like stun:stun.example.org or turn:user:password@turn.example.org:3478, separated by commas",
);

function readServer(text: string): IceServerSetting | null {
  const match = SERVER.exec(text);
  if (!match) return null;
  const [, scheme = "", username, password, host = "", port, transport] = match;
  if (port !== undefined && (Number(port) < 1 || Number(port) > LAST_PORT)) return null;
  const turn = scheme.toLowerCase().startsWith("turn");
  if (!turn && (username !== undefined || transport !== undefined)) return null;
  const uri = `${scheme.toLowerCase()}:${host}${port === undefined ? "" : `:${port}`}${transport === undefined ? "" : `?transport=${transport.toLowerCase()}`}`;
  if (username === undefined || password === undefined) return { uri };
  try {
    return { uri, username: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    return null; // a % that begins no escape
  }
}

export const icePortsSchema: z.ZodType<readonly [number, number] | null, string> = z
  .string()
  .transform((text, context) => {
    const match = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(text.trim());
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match && first >= FIRST_PORT && last <= LAST_PORT && first <= last) return [first, last] as const;
    context.addIssue({
      code: "custom",
      message: `must be ports from ${FIRST_PORT} to ${LAST_PORT} like 50000-50100, the smaller one first`,
    });
    return z.NEVER;
  });

export const iceAnnounceSchema = list(
  (text) => (isIP(text) !== 0 && !text.includes("%") && !/^(0\.0\.0\.0|::)$/.test(text) ? text : null),
  "must be IP addresses like 203.0.113.7, separated by commas",
);

export const iceSubnetsSchema = list(
  (text) => (isSubnet(text) ? text : null),
  "must be subnets like 10.20.0.0/16, separated by commas",
);

function isSubnet(text: string): boolean {
  const match = /^([0-9A-Fa-f:.]+)\/(\d{1,3})$/.exec(text);
  const version = isIP(match?.[1] ?? "");
  return version !== 0 && Number(match?.[2]) <= (version === 6 ? 128 : 32);
}
