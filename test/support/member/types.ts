/** What a headless member and who drives it say to each other. Times: the wall clock's, in ms. */
import type { Session } from "../people.ts";

export type MemberConfig = {
  readonly session: Session;
  readonly roomId: string;
  readonly key: string;
  /** `well-behaved` writes the web client's dialect and reads all; `readme` knows the README alone. */
  readonly dialect: "well-behaved" | "readme";
  /** Of a README member: a decimal string, or none. */
  readonly timestamps: "string" | "missing";
};

export type HearingStats = {
  readonly packetsExpected: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  /** More than 60 ms late against the sender's clock. */
  readonly packetsLate: number;
  readonly undecodable: number;
  readonly jitterMs: number;
  readonly lastPacketMs: number | null;
};

export type MemberPeerStats = HearingStats & {
  readonly packetsSent: number;
  /** What the other side reports of our packets; null until it did. */
  readonly remotePacketsLost: number | null;
  readonly remoteFractionLost: number | null;
  readonly roundTripMs: number | null;
};

export type MemberState = {
  readonly joined: boolean;
  /** Keys of others that are JOINED. */
  readonly members: readonly string[];
  /** Connection states by key. */
  readonly peers: Readonly<Record<string, string>>;
  /** What went wrong, newest last. */
  readonly errors: readonly string[];
};

export type Spoken = { readonly startedAtMs: number; readonly endsAtMs: number | null };

/** One packet of speech as it left. */
export type SentPacket = { readonly atMs: number; readonly payload: Uint8Array };

/** Says a sound file (a path) once, or a tone at a level (RMS, dBFS) until told otherwise. */
export type Utterance =
  { readonly file: string; readonly gainDb?: number } | { readonly tone: number; readonly levelDb?: number };

/** What the member's process can be asked to do. */
export type MemberCalls = {
  start(config: MemberConfig): Promise<void>;
  join(): Promise<void>;
  leave(): Promise<void>;
  speak(utterance: Utterance): Promise<Spoken>;
  silence(): Promise<void>;
  sent(sinceMs: number): Promise<SentPacket[]>;
  state(): Promise<MemberState>;
  stats(key: string): Promise<MemberPeerStats | null>;
  firstAudio(key: string, sinceMs: number, thresholdDb: number): Promise<number | null>;
  heard(key: string, sinceMs: number): Promise<{ startMs: number; samples: Float32Array }>;
};

export type Request = {
  readonly id: number;
  readonly method: keyof MemberCalls;
  readonly args: readonly unknown[];
};
export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: string };
