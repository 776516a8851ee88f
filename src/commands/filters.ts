import { render, type Language } from "../base/messages/catalogue.ts";
import type { MessageKey } from "../base/messages/catalogue.ts";
import {
  MAX_SEMITONES,
  MAX_SHELF_DB,
  MAX_SPEED,
  MIN_SPEED,
  NO_FILTERS,
  type Filters,
} from "../player/filters.ts";

const ON: ReadonlySet<string> = new Set(["on", "an", "ein", "yes", "ja"]);
const OFF: ReadonlySet<string> = new Set(["off", "aus", "no", "nein", "none", "reset", "default"]);

type Read = (value: string) => Partial<Filters> | null;

/** What may be changed, by the names that people give it. */
const NAMES: Readonly<Record<string, { read: Read; off: Partial<Filters>; isSwitch?: true }>> = {
  bass: { read: (value) => having("bassDb", shelf(value)), off: { bassDb: 0 } },
  treble: { read: (value) => having("trebleDb", shelf(value)), off: { trebleDb: 0 } },
  speed: { read: (value) => having("speed", speed(value)), off: { speed: 1 } },
  pitch: { read: (value) => having("pitch", within(number(value), MAX_SEMITONES)), off: { pitch: 0 } },
  mono: { read: (value) => (ON.has(value) ? { mono: true } : null), off: { mono: false }, isSwitch: true },
  night: { read: (value) => (ON.has(value) ? { night: true } : null), off: { night: false }, isSwitch: true },
};

/**
 * Reads "bass +6", "speed 1.25 pitch -2", "mono", "night off", "off": the filters as they are from then on. Null when it is
 * nothing of that kind, or beyond the bounds.
 */
export function readFilters(text: string, before: Filters): Filters | null {
  const words = text
    .toLowerCase()
    .replaceAll(/(\d)\s+(db|x|%)/g, "$1$2")
    .split(/[\s=]+/)
    .filter((word) => word !== "");
  if (words.length === 1 && OFF.has(words[0] ?? "")) return NO_FILTERS;
  let filters = words.length > 0 ? before : null;
  while (filters && words.length > 0) {
    const name = words.shift() ?? "";
    const known = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
    if (!known) return null;
    const [value = ""] = words;
    const isValue = ON.has(value) || OFF.has(value);
    if (known.isSwitch && !isValue) filters = { ...filters, ...known.read("on") };
    else {
      words.shift();
      const change: Partial<Filters> | null = OFF.has(value) ? known.off : known.read(value);
      filters = change && { ...filters, ...change };
    }
  }
  return filters;
}

/** "bass +6 dB, speed 1.25"; "" when nothing is changed. */
export function filtersText(filters: Filters, language: Language): string {
  const said = (key: MessageKey, value = ""): string => render({ key, params: { value } }, language).text;
  const { bassDb, trebleDb, speed: factor, pitch, mono, night } = filters;
  return [
    ...(bassDb === 0 ? [] : [said("filter.bass", signed(bassDb))]),
    ...(trebleDb === 0 ? [] : [said("filter.treble", signed(trebleDb))]),
    ...(factor === 1 ? [] : [said("filter.speed", String(factor))]),
    ...(pitch === 0 ? [] : [said("filter.pitch", signed(pitch))]),
    ...(mono ? [said("filter.mono")] : []),
    ...(night ? [said("filter.night")] : []),
  ].join(", ");
}

const signed = (value: number): string => (value > 0 ? `+${value}` : String(value).replace("-", "\u2212"));

/** To hundredths; null when it is no number. */
function number(text: string): number | null {
  const [, sign, digits] = /^([+\u2212-]?)(\d{1,3}(?:[.,]\d{1,3})?)$/.exec(text) ?? [];
  if (digits === undefined) return null;
  const value = Math.round(Number(digits.replace(",", ".")) * 100) / 100;
  return sign === "" || sign === "+" || value === 0 ? value : -value;
}

const within = (value: number | null, limit: number): number | null =>
  value !== null && Math.abs(value) <= limit ? value : null;

const shelf = (text: string): number | null => within(number(text.replace(/db$/, "")), MAX_SHELF_DB);

/** "1.25", "1.25x", "125%". */
function speed(text: string): number | null {
  const value = number(text.replace(/[x%]$/, ""));
  const factor = value !== null && text.endsWith("%") ? value / 100 : value;
  return factor !== null && factor >= MIN_SPEED && factor <= MAX_SPEED ? factor : null;
}

const having = (name: keyof Filters, value: number | null): Partial<Filters> | null =>
  value === null ? null : { [name]: value };
