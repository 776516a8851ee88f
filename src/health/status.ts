import type { ChannelPhase, LinkPhase } from "../channel/session.ts";
import type { PlaneState } from "../media/plane.ts";

/** One room's voice channel as the bot stands in it. */
export interface ChannelStatus {
  roomId: string;
  /** The bot is meant to be in it, also after a restart. */
  wanted: boolean;
  phase: ChannelPhase;
  /** The room's state says JOINED under our key: the homeserver has it, and others see it. */
  stands: boolean;
  /** How it stands with each of the others in it. */
  links: readonly LinkPhase[];
}

/** The bot at one moment, as a whole. Durations in ms. */
export interface BotStatus {
  version: string;
  uptimeMs: number;
  /** `connecting`: the homeserver has not answered yet; `starting`: the first sync is not handled yet. */
  phase: "connecting" | "starting" | "running" | "closing";
  /** Since the homeserver last answered a sync; null before the first. */
  syncAgeMs: number | null;
  /** Since the sync loop last did something, be it to wait after a failure; null before it began. */
  syncTurnMs: number | null;
  rooms: number;
  channels: readonly ChannelStatus[];
  outbox: {
    waiting: number;
    /** How long the oldest of them has been waiting; 0 when none is. */
    oldestMs: number;
    /** The homeserver's limit was met in the last ten minutes. */
    limited: boolean;
    /** Answers of 429 since the start. */
    refusals: number;
  };
  media: {
    /** `down` while any child is being replaced. */
    state: PlaneState;
    /** Process id of each, and how many channels are in it; none while none is needed. */
    children: readonly { pid: number; rooms: number }[];
    /** Of the children; null before the first. */
    engine: string | null;
    /** Children that ended without having been asked to, since the start. */
    failures: number;
  };
  recordings: {
    running: number;
    /** Recordings that are being exported or delivered, or wait for it. */
    waiting: number;
    /** Files that could not be sent, since the start. */
    kept: number;
  };
  /** What is left to measure of how loud the media folder's files are; null while nothing is under way. */
  levels: { files: number; waiting: number } | null;
  /** Resident memory in bytes; null for the media children (together) while there is none, or where the system does not tell. */
  memory: { control: number; media: number | null };
}

/** Why the bot is not ready, for programs (`reason`) and for people (`what`, which says what to do). */
export interface NotReady {
  reason: "connecting" | "starting" | "closing" | "sync_stale" | "channel_not_joined";
  what: string;
  room?: string;
}

/** A poll takes 20 s at most when the homeserver is well, and is given up after 35 to 80. */
const SYNC_STALE_MS = 90_000;
/** The first answer of a big account may take five minutes. */
const LOOP_STUCK_MS = 360_000;

/** Every reason why the bot does not do all that it is meant to; none: it is ready. */
export function notReady(status: BotStatus): NotReady[] {
  const { phase, syncAgeMs, channels } = status;
  if (phase === "connecting")
    return [{ reason: phase, what: "the homeserver has not answered yet; is its URL right, and is it up?" }];
  if (phase === "starting") return [{ reason: phase, what: "the first sync is not handled yet" }];
  if (phase === "closing") return [{ reason: phase, what: "the bot is shutting down" }];
  const reasons: NotReady[] = [];
  if (syncAgeMs === null || syncAgeMs > SYNC_STALE_MS) {
    const seconds = Math.round((syncAgeMs ?? 0) / 1000);
    reasons.push({
      reason: "sync_stale",
      what: `the homeserver has not answered a sync for ${seconds} s; is it up?`,
    });
  }
  for (const { roomId, wanted, phase: channel, stands } of channels) {
    if (!wanted || (channel === "in" && stands)) continue;
    const what =
      channel === "in" ? "the room's state does not show the bot in its channel" : `the bot is ${channel}`;
    reasons.push({ reason: "channel_not_joined", what, room: roomId });
  }
  return reasons;
}

/** Whether the sync loop turns; a process whose loop does not has to be started again. */
export function isAlive({ syncTurnMs }: BotStatus): boolean {
  return syncTurnMs === null || syncTurnMs <= LOOP_STUCK_MS;
}
