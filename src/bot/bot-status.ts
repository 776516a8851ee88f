import { readFileSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import type { Tally } from "../base/tally.ts";
import type { BotStatus, ChannelStatus } from "../health/status.ts";
import type { MatrixSession } from "../matrix/session.ts";
import type { SpreadPlane } from "../media/spread.ts";
import type { FolderScan } from "../player/loudness/folder-scan.ts";
import type { RecordingArchive } from "../recorder/archive.ts";

export interface StatusSources {
  version: string;
  clock: Clock;
  tally: Tally;
  startedMs: number;
  /** null until the homeserver has answered. */
  parts: {
    session: Pick<MatrixSession, "sync" | "rooms" | "outbox">;
    plane: Pick<SpreadPlane, "state" | "children" | "engine">;
    archive: Pick<RecordingArchive, "counts">;
    levels: Pick<FolderScan, "progress"> | null;
  } | null;
  /** `running` begins when the first sync is handled. */
  phase: BotStatus["phase"];
  channels: readonly ChannelStatus[];
}

/** Reads how the bot is, now. */
export function readStatus({ parts, ...sources }: StatusSources): BotStatus {
  const { version, clock, tally, startedMs, phase, channels } = sources;
  const sync = parts?.session.sync ?? { ageMs: null, turnMs: null };
  const children = parts?.plane.children ?? [];
  return {
    version,
    uptimeMs: clock.now() - startedMs,
    phase,
    syncAgeMs: sync.ageMs,
    syncTurnMs: sync.turnMs,
    rooms: parts?.session.rooms.size ?? 0,
    channels,
    outbox: {
      waiting: parts?.session.outbox.size ?? 0,
      oldestMs: parts?.session.outbox.oldestMs ?? 0,
      limited: parts?.session.outbox.limited ?? false,
      refusals: tally.total("rate_limited"),
    },
    media: {
      state: parts?.plane.state ?? "down",
      children,
      engine: parts?.plane.engine ?? null,
      failures: tally.total("child_failed"),
    },
    recordings: {
      ...(parts?.archive.counts ?? { running: 0, waiting: 0 }),
      kept: tally.total("file", "kept"),
    },
    levels: parts?.levels?.progress ?? null,
    memory: {
      control: process.memoryUsage.rss(),
      media: residentOf(children.map(({ pid }) => pid)),
    },
  };
}

/** Resident memory of some processes; null when there is none, or the system does not tell. */
function residentOf(pids: readonly number[]): number | null {
  const each = pids.map(residentBytes).filter((bytes) => bytes !== null);
  return each.length === 0 ? null : each.reduce((sum, bytes) => sum + bytes, 0);
}

/** Resident memory of another process; null where the system does not tell (Linux does), or when it is gone. */
function residentBytes(pid: number): number | null {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return match ? Number(match[1]) * 1024 : null;
  } catch {
    return null;
  }
}
