/** Everybody has to be gone for so long: clients that reconnect are away for a few seconds. */
export const EMPTY_MS = 30_000;
export const RETRY_MS = 15_000;
const MAX_ATTEMPTS = 3;

/** What is remembered of one gathering: from when somebody comes until nobody was there for `EMPTY_MS`. */
export interface AutoMemory {
  /** It had its recording, or somebody said that it shall have none. */
  readonly spent: boolean;
  readonly emptySinceMs: number | null;
  /** Starts that failed and may be tried again. */
  readonly attempts: number;
  readonly retryAtMs: number;
  /** What was decided last is under way. */
  readonly acting: boolean;
}

export interface AutoFacts {
  nowMs: number;
  /** People from whom on it records; null: never. */
  from: number | null;
  /** Persons in the channel besides the bot, however many devices they have. */
  people: number;
  recording: "automatic" | "by hand" | null;
}

export type AutoEvent =
  /** Something may be different, or the time has come. */
  | { kind: "look" }
  /** What was decided last has been done. */
  | { kind: "done" }
  /** A recording is over, whoever ended it. */
  | { kind: "ended" }
  /** The bot left the channel, which it did not do for being alone. */
  | { kind: "sent away" }
  /** Somebody changed the setting. */
  | { kind: "set" }
  | { kind: "failed"; mayPass: boolean };

export type AutoAct = "start" | "end" | "give up";

export interface AutoDecision {
  readonly memory: AutoMemory;
  readonly act: AutoAct | null;
  /** When to look again if nothing happens before; null: no need to. */
  readonly lookAtMs: number | null;
}

export const newGathering: AutoMemory = {
  ...{ spent: false, emptySinceMs: null, attempts: 0, retryAtMs: -Infinity, acting: false },
};

/**
 * Whether to record by itself. Of one gathering:
 *
 *   enough people ─► start ─► recording ── nobody for 30 s ──► end ─► (a new gathering)
 *        │             └ failed: twice more when it may pass, else told
 *        └ a recording has ended, or the bot was sent away: nothing more until nobody was there for 30 s
 */
export function decideAuto(before: AutoMemory, event: AutoEvent, facts: AutoFacts): AutoDecision {
  const { nowMs, from, people, recording } = facts;
  let memory = remembered(before, event, nowMs);
  if (memory.attempts >= MAX_ATTEMPTS || (event.kind === "failed" && !event.mayPass)) {
    return { memory: { ...memory, spent: true, attempts: 0 }, act: "give up", lookAtMs: nowMs };
  }
  const emptySinceMs = people > 0 ? null : (memory.emptySinceMs ?? nowMs);
  memory = { ...memory, emptySinceMs };
  const emptyAtMs = emptySinceMs === null ? null : emptySinceMs + EMPTY_MS;
  const isOver = emptyAtMs !== null && nowMs >= emptyAtMs;
  if (isOver) memory = { ...memory, spent: false, attempts: 0, retryAtMs: -Infinity };
  if (memory.acting) return { memory, act: null, lookAtMs: null };
  if (isOver && recording === "automatic") {
    return { memory: { ...memory, acting: true }, act: "end", lookAtMs: null };
  }
  const isWanted = from !== null && people >= from && recording === null && !memory.spent;
  if (isWanted && nowMs >= memory.retryAtMs) {
    return { memory: { ...memory, acting: true }, act: "start", lookAtMs: null };
  }
  const waitsForEmpty = !isOver && (recording === "automatic" || memory.spent);
  return { memory, act: null, lookAtMs: isWanted ? memory.retryAtMs : waitsForEmpty ? emptyAtMs : null };
}

function remembered(memory: AutoMemory, event: AutoEvent, nowMs: number): AutoMemory {
  switch (event.kind) {
    case "look":
      return memory;
    case "done":
      return { ...memory, acting: false, attempts: 0 };
    case "ended":
    case "sent away":
      return { ...memory, spent: true };
    case "set":
      return { ...memory, spent: false, attempts: 0, retryAtMs: -Infinity };
    case "failed":
      return { ...memory, acting: false, attempts: memory.attempts + 1, retryAtMs: nowMs + RETRY_MS };
  }
}
