import type { SeekTarget } from "../player/editing.ts";

const SECOND_MS = 1_000;
const CLOCK = /^(?:(\d{1,2}):)?(\d{1,4}):(\d{1,2}(?:[.,]\d{1,3})?)$/;
const UNITS = /^(?:(\d{1,3})h)?(?:(\d{1,4})m(?:in)?)?(?:(\d{1,6}(?:[.,]\d{1,3})?)s?)?$/;

/**
 * Reads a place in a track as people write it: "1:23", "1:02:03", "90", "1m30s", "1h"; from here: "+30", "-10", "+1:30".
 * Null when it is nothing of that kind.
 */
export function parseSeek(text: string): SeekTarget | null {
  const [, sign, rest = ""] = /^([+\u2212-])?(.*)$/.exec(text.toLowerCase().replaceAll(/\s+/g, "")) ?? [];
  const ms = timeMs(rest);
  if (ms === null) return null;
  if (sign === undefined) return { kind: "to", ms };
  return { kind: "by", ms: sign === "+" ? ms : -ms };
}

function timeMs(text: string): number | null {
  const clock = CLOCK.exec(text);
  if (clock) {
    const [, hours, minutes, seconds] = clock;
    const [h, m, s] = [number(hours), number(minutes), number(seconds)];
    // "1:75" is a slip; "90:00" is ninety minutes.
    return s >= 60 || (hours !== undefined && m >= 60) ? null : total(h, m, s);
  }
  const units = text === "" ? null : UNITS.exec(text);
  if (!units) return null;
  const [, hours, minutes, seconds] = units;
  return total(number(hours), number(minutes), number(seconds));
}

const number = (text = "0"): number => Number(text.replace(",", "."));
const total = (hours: number, minutes: number, seconds: number): number =>
  Math.round(((hours * 60 + minutes) * 60 + seconds) * SECOND_MS);
