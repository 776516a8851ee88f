import { render, type Language } from "../base/messages/catalogue.ts";
import type { MessageKey } from "../base/messages/catalogue.ts";
import {
  equalizerLiftDb,
  MAX_BANDS,
  MAX_HZ,
  MAX_SEMITONES,
  MAX_SHELF_DB,
  MAX_SPEED,
  MIN_HZ,
  MIN_SPEED,
  NO_FILTERS,
  type Band,
  type Filters,
} from "../player/filters.ts";

const ON: ReadonlySet<string> = new Set(["on", "an", "ein", "yes", "ja"]);
const OFF: ReadonlySet<string> = new Set(["off", "aus", "no", "nein", "none", "reset", "default"]);

const EQUALIZER: ReadonlySet<string> = new Set(["eq", "equalizer", "equaliser"]);
/** A quarter faster, as a record is that turns too fast. */
const NIGHTCORE = { speed: 1.25, pitch: 3.86 };

type Read = (value: string) => Partial<Filters> | null;

/** What may be changed, by the names that people give it. */
const NAMES: Readonly<Record<string, { read: Read; off: Partial<Filters>; isSwitch?: true }>> = {
  bass: { read: (value) => having("bassDb", shelf(value)), off: { bassDb: 0 } },
  treble: { read: (value) => having("trebleDb", shelf(value)), off: { trebleDb: 0 } },
  speed: { read: (value) => having("speed", speed(value)), off: { speed: 1 } },
  pitch: { read: (value) => having("pitch", within(number(value), MAX_SEMITONES)), off: { pitch: 0 } },
  mono: { read: (value) => (ON.has(value) ? { mono: true } : null), off: { mono: false }, isSwitch: true },
  night: { read: (value) => (ON.has(value) ? { night: true } : null), off: { night: false }, isSwitch: true },
  nightcore: {
    read: (value) => (ON.has(value) ? NIGHTCORE : null),
    ...{ off: { speed: 1, pitch: 0 }, isSwitch: true },
  },
};

/**
 * Reads "bass +6", "speed 1.25 pitch -2", "mono", "night off", "eq 60:+4 1k:-2", "off": the filters as they are from then on. Null when it is
 * nothing of that kind, or beyond the bounds.
 */
export function readFilters(text: string, before: Filters): Filters | null {
  const words = text
    .toLowerCase()
    .replaceAll(/(\d)\s+(db|x|%|k?hz)/g, "$1$2")
    .replaceAll(/\s*:\s*/g, ":")
    // Between bands; another comma is one of a number.
    .replaceAll(/,(?=\s|$)|(?<=:[^\s:]+),(?=\d+(\.\d+)?k?(hz)?:)/g, " ")
    .split(/[\s=]+/)
    .filter((word) => word !== "");
  if (words.length === 1 && OFF.has(words[0] ?? "")) return NO_FILTERS;
  let filters = words.length > 0 ? before : null;
  while (filters && words.length > 0) {
    const name = words.shift() ?? "";
    if (EQUALIZER.has(name)) {
      const isOff = OFF.has(words[0] ?? "");
      if (isOff) words.shift();
      else if (words[0]?.includes(":") !== true) return null;
      if (isOff) filters = { ...filters, eq: [] };
      continue;
    }
    if (name.includes(":")) {
      const eq = withBand(filters.eq, name);
      filters = eq && { ...filters, eq };
      continue;
    }
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
  return filters && equalizerLiftDb(filters.eq) <= MAX_SHELF_DB ? filters : null;
}

/** The bands in their order with one more, or that one otherwise; 0 dB takes it away. Null when it is none. */
function withBand(bands: readonly Band[], word: string): Band[] | null {
  const [, place = "", unit, gain = ""] = /^([\d.,]+)(k?)(?:hz)?:(.+)$/.exec(word) ?? [];
  const figure = /^\d{1,5}(?:[.,]\d{1,3})?$/.test(place) ? Number(place.replace(",", ".")) : NaN;
  const hz = Math.round(figure * (unit === "k" ? 1_000 : 1));
  const db = shelf(gain);
  if (db === null || !(hz >= MIN_HZ && hz <= MAX_HZ)) return null;
  const others = bands.filter((band) => band.hz !== hz);
  const all = [...others, ...(db === 0 ? [] : [{ hz, db }])].toSorted((a, b) => a.hz - b.hz);
  return all.length <= MAX_BANDS ? all : null;
}

/** "bass +6 dB, speed 1.25"; "" when nothing is changed. */
export function filtersText(filters: Filters, language: Language): string {
  const said = (key: MessageKey, value = ""): string => render({ key, params: { value } }, language).text;
  const { bassDb, trebleDb, eq, speed: factor, pitch, mono, night } = filters;
  const isNightcore = factor === NIGHTCORE.speed && pitch === NIGHTCORE.pitch;
  return [
    ...(bassDb === 0 ? [] : [said("filter.bass", signed(bassDb))]),
    ...(trebleDb === 0 ? [] : [said("filter.treble", signed(trebleDb))]),
    ...(eq.length === 0 ? [] : [said("filter.eq", eq.map(bandText).join(", "))]),
    ...(isNightcore ? [said("filter.nightcore")] : []),
    ...(factor === 1 || isNightcore ? [] : [said("filter.speed", String(factor))]),
    ...(pitch === 0 || isNightcore ? [] : [said("filter.pitch", signed(pitch))]),
    ...(mono ? [said("filter.mono")] : []),
    ...(night ? [said("filter.night")] : []),
  ].join(", ");
}

const bandText = ({ hz, db }: Band): string =>
  `${hz < 1_000 ? `${hz} Hz` : `${hz / 1_000} kHz`} ${signed(db)}`;

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
