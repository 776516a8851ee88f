// Which power levels a room needs, as the smallest change of those that it has. Pure.
import { powerNeeded, powerOf } from "../matrix/power-levels.ts";
import { CHANNEL_EVENTS, membersLevel, TALK_EVENT } from "./missing.ts";
import type { PowerState } from "./read-room.ts";

/** One entry of m.room.power_levels. */
export interface PowerChange {
  readonly in: "events" | "users";
  /** An event type, or a user id. */
  readonly key: string;
  /** What the entry says; null: there is none, and the room's default holds. */
  readonly from: number | null;
  /** The level that holds now, by the entry or by default. */
  readonly inForce: number;
  readonly to: number;
}

const LEVELS_TYPE = "m.room.power_levels";

/**
 * The changes that make a room's voice channel work: members may send what the channel is made of, and the bot may answer.
 * Who may write in the chat is the room's own business, so of that only the bot's part is changed. Nothing is raised but the
 * bot's own level, and that only where no less will do. Empty when nothing is needed.
 */
export function powerLevelsFor(power: PowerState, botUserId: string): PowerChange[] {
  const { levels, creation } = power;
  const level = (userId: string): number => powerOf(userId, levels, creation);
  const members = membersLevel({ powerOf: level });
  const changes: PowerChange[] = [];
  for (const { type, isState } of CHANNEL_EVENTS) {
    const inForce = powerNeeded(type, isState, levels);
    if (inForce <= members) continue;
    changes.push({ in: "events", key: type, from: own(levels?.events, type), inForce, to: members });
  }
  const neededAfter = [...CHANNEL_EVENTS, TALK_EVENT].map(({ type, isState }) =>
    Math.min(
      ...changes.filter(({ key }) => key === type).map(({ to }) => to),
      powerNeeded(type, isState, levels),
    ),
  );
  const needed = Math.max(...neededAfter);
  const inForce = level(botUserId);
  if (inForce < needed) {
    changes.push({ in: "users", key: botUserId, from: own(levels?.users, botUserId), inForce, to: needed });
  }
  return changes;
}

/** Only what changes, in the form of m.room.power_levels. */
export function differenceOf(changes: readonly PowerChange[]): Record<string, Record<string, number>> {
  const difference: Record<string, Record<string, number>> = {};
  for (const change of changes) (difference[change.in] ??= {})[change.key] = change.to;
  return difference;
}

/** The whole content of m.room.power_levels after the changes; what we do not know of stays as it is. */
export function withChanges(
  { content, creation }: PowerState,
  changes: readonly PowerChange[],
): Record<string, unknown> {
  // A room without the event has its creator at 100 by that alone, and would lose it by the first event.
  const unnamed = creation.creatorsRankAbove
    ? {}
    : Object.fromEntries(creation.creators.map((id) => [id, 100]));
  const after: Record<string, unknown> = { ...(content ?? { users: unnamed }) };
  for (const [part, entries] of Object.entries(differenceOf(changes))) {
    const before = after[part];
    after[part] = { ...(typeof before === "object" && before !== null ? before : {}), ...entries };
  }
  return after;
}

/** Why somebody may not make the changes: the level that it takes, and theirs. */
export interface TooLittlePower {
  readonly needed: number;
  readonly actual: number;
}

/**
 * Whether `userId` may make the changes, by the authorization rules of rooms: sending m.room.power_levels at all, and no
 * entry that is, or becomes, higher than the own level; somebody else's must be lower. Null: may.
 */
export function refusalFor(
  { levels, creation }: PowerState,
  changes: readonly PowerChange[],
  userId: string,
): TooLittlePower | null {
  const actual = powerOf(userId, levels, creation);
  const neededFor = (change: PowerChange): number => {
    const isOther = change.in === "users" && change.key !== userId;
    return Math.max(change.to, (change.from ?? -Infinity) + (isOther ? 1 : 0));
  };
  const needed = Math.max(powerNeeded(LEVELS_TYPE, true, levels), ...changes.map(neededFor));
  return actual >= needed ? null : { needed, actual };
}

function own(record: Readonly<Record<string, number | undefined>> | undefined, key: string): number | null {
  return record !== undefined && Object.hasOwn(record, key) ? (record[key] ?? null) : null;
}
