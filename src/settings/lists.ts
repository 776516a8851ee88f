import { z } from "zod";

const MAX_IDS = 50;
const MAX_LEVELS = 50;

const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== "");

/** "@ann:server @ben:server", in any order and with commas; each once. */
export const userIds: z.ZodType<string, string> = z
  .string()
  .max(MAX_IDS * 260)
  .transform(words)
  .pipe(
    z
      .array(
        z
          .string()
          .max(255)
          .regex(/^@[^:]+:.+$/),
      )
      .min(1)
      .max(MAX_IDS),
  )
  .transform((ids) => [...new Set(ids)].join(" "));

/** The people of a value of `userIds`; none where it is another word. */
export const usersIn = (value: string): readonly string[] =>
  words(value).filter((word) => word.startsWith("@"));

/** "skip=25 stop=100": power levels by names of commands. */
export const levels: z.ZodType<string, string> = z
  .string()
  .max(MAX_LEVELS * 40)
  .transform(words)
  .pipe(
    z
      .array(z.string().regex(/^[a-z][a-z-]{0,30}=(100|[1-9]?\d)$/))
      .min(1)
      .max(MAX_LEVELS),
  )
  .transform((pairs) => pairs.join(" "));

/** What a value of `levels` says; nothing where it is another word. */
export function levelsIn(value: string): ReadonlyMap<string, number> {
  const pairs = words(value).flatMap((word) => {
    const [name, level] = word.split("=");
    return name === undefined || level === undefined ? [] : [[name, Number(level)] as const];
  });
  return new Map(pairs);
}

/** The same as a value of `levels`; null when there are none. */
export const levelsText = (map: ReadonlyMap<string, number>): string | null =>
  map.size === 0 ? null : [...map].map(([name, level]) => `${name}=${level}`).join(" ");
