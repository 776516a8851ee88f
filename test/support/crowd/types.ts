/** What a crowd and who drives it say to each other. Times: the wall clock's, in ms. */
import type { Session } from "../people.ts";

export type CrowdMemberConfig = {
  readonly session: Session;
  readonly roomId: string;
  /** State key; free text, as the web client has it. */
  readonly key: string;
};

export type CrowdConfig = {
  /** In every room; what it sees, all members see: one sync serves the crowd. */
  readonly observer: Session;
  readonly members: readonly CrowdMemberConfig[];
  /** The key that is waited for; other members of the crowd are not connected to. */
  readonly botKeys: readonly string[];
};

export type CrowdMemberState = {
  readonly key: string;
  readonly roomId: string;
  /** When JOINED was with the homeserver. */
  readonly joinedAtMs: number | null;
  /** When its (first) offer was with the homeserver; null when it answered. */
  readonly offeredAtMs: number | null;
  /** When the bot's answer came to its offer. */
  readonly answeredAtMs: number | null;
  readonly firstPacketAtMs: number | null;
  readonly lastPacketAtMs: number | null;
  readonly packets: number;
  /** The longest time without a packet since the first, now included. */
  readonly longestGapMs: number;
  /** How many connections it has had. */
  readonly connections: number;
  readonly connection: string;
  /** How often, looking every 20 s since it joined, it found the bot's last JOINED older than 20 s, as the web client does. */
  readonly forgotten: number;
};

export type CrowdState = {
  readonly members: readonly CrowdMemberState[];
  /** By room, the longest time between two JOINED of the bot by their timestamps. */
  readonly longestRefreshMs: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
};

export type CrowdCalls = {
  start(config: CrowdConfig): Promise<void>;
  join(key: string, roomId: string): Promise<void>;
  leave(key: string, roomId: string): Promise<void>;
  state(): Promise<CrowdState>;
  /** Begins the longest gaps anew. */
  mark(): Promise<void>;
};
