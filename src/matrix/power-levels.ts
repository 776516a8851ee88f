import { z } from "zod";

/** Levels are integers; rooms before version 10 may hold them as text. Anything else counts as not there. */
const level = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\s*[+-]?\d{1,16}\s*$/)
      .transform(Number),
  ])
  .pipe(z.number().int())
  .optional()
  .catch(undefined);
const levels = z.record(z.string(), level).default({}).catch({});

const powerLevelsSchema = z.object({
  users: levels,
  events: levels,
  users_default: level,
  events_default: level,
  state_default: level,
  ban: level,
  kick: level,
  redact: level,
  invite: level,
});

const createSchema = z.object({
  room_version: z.string().default("1").catch("1"),
  creator: z.string().optional().catch(undefined),
  additional_creators: z.array(z.string()).default([]).catch([]),
});

export type PowerLevels = z.infer<typeof powerLevelsSchema>;

/** What m.room.create says about power. */
export interface Creation {
  creators: readonly string[];
  /** From room version 12 on, creators rank above every level (MSC4289). */
  creatorsRankAbove: boolean;
}

/** Decodes the content of m.room.power_levels; what is malformed counts as not there. */
export function decodePowerLevels(content: unknown): PowerLevels {
  const result = powerLevelsSchema.safeParse(content);
  return result.success ? result.data : powerLevelsSchema.parse({});
}

/** Decodes m.room.create. Until version 10 the creator is named in its content, from 11 on it is its sender. */
export function decodeCreation(sender: string, content: unknown): Creation {
  const create = createSchema.parse(typeof content === "object" && content !== null ? content : {});
  const version = /^\d+$/.test(create.room_version) ? Number(create.room_version) : 0;
  const creatorsRankAbove = version >= 12 || create.room_version === "org.matrix.hydra.11";
  if (creatorsRankAbove) return { creators: [sender, ...create.additional_creators], creatorsRankAbove };
  return { creators: [version >= 11 ? sender : (create.creator ?? sender)], creatorsRankAbove };
}

/**
 * The power level of a user by the rules of the specification (client-server API, "m.room.power_levels"): `Infinity`
 * for creators of rooms from version 12 on; without a power levels event 100 for the creator and 0 for everyone else.
 * @param levels null: the room has no power levels event
 */
export function powerOf(userId: string, levels: PowerLevels | null, creation: Creation | null): number {
  const isCreator = creation?.creators.includes(userId) ?? false;
  if (isCreator && creation?.creatorsRankAbove) return Infinity;
  if (levels === null) return isCreator ? 100 : 0;
  return own(levels.users, userId) ?? levels.users_default ?? 0;
}

/** The power level that sending an event of `type` needs. */
export function powerNeeded(type: string, isState: boolean, levels: PowerLevels | null): number {
  const fallback = isState ? (levels?.state_default ?? 50) : (levels?.events_default ?? 0);
  return own(levels?.events ?? {}, type) ?? fallback;
}

/** Without what every object inherits: a type may be called `constructor`. */
function own(record: Readonly<Record<string, number | undefined>>, key: string): number | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
