import { z } from "zod";
import type { MessageKey } from "../base/messages/catalogue.ts";
import { levels, userIds } from "./lists.ts";

/** One setting of a room. Its value is what people write, so that the same schema reads them and the store. */
export interface RoomSetting<T extends string | number = string | number> {
  /** From what somebody typed or the store has. */
  readonly schema: z.ZodType<T, string>;
  readonly default: T;
  /** What may be written, for people: "off, 2–100". */
  readonly allowed: string;
  /** What it is for, in a few words. */
  readonly meaning: MessageKey;
  /** The power level that one needs to change it. */
  readonly power: number;
  /** DJs of the room may change it, too. */
  readonly djs?: true;
  /** It is changed by this command alone, which knows what may be in it. */
  readonly command?: string;
  /** What else people have to know when it is so from now on; null: nothing. Its parameters: `prefix`. */
  readonly note: (value: string | number, recording: boolean) => MessageKey | null;
}

/** Power level of moderators: what a room records, and how, is theirs. */
const MODERATOR = 50;

/** @param also other words for a value, as people may write it */
function choice<const V extends string>(
  values: readonly [V, ...V[]],
  also: Readonly<Record<string, V>> = {},
): z.ZodType<V, string> {
  return z
    .string()
    .trim()
    .toLowerCase()
    .transform((text) => (Object.hasOwn(also, text) ? also[text] : text))
    .pipe(z.enum(values));
}

const wholeNumber = (min: number, max: number): z.ZodType<number, string> =>
  z
    .string()
    .trim()
    .regex(/^\d{1,6}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max));

/** By how much the music is turned down for voices: what can be heard, and what is nearly silence. */
const MIN_DUCK_DB = 3;
const MAX_DUCK_DB = 30;

/** Quieter nobody would hear it over voices, louder the limiter would squash it. */
const MIN_LUFS = -30;
const MAX_LUFS = -10;
/** "-16", "-16 LUFS", and "16", as nobody means anything else by it. */
const loudness: z.ZodType<number, string> = z
  .string()
  .trim()
  .regex(/^[-−–]?\d{1,2}(?:\s*LUFS)?$/i)
  .transform((text) => -Number(/\d+/.exec(text)?.[0]))
  .pipe(z.number().min(MIN_LUFS).max(MAX_LUFS));

const OFF = { no: "off", false: "off", aus: "off", nein: "off" } as const;
const ON = { yes: "on", true: "on", an: "on", ein: "on", ja: "on" } as const;

/** Fewer would be recording somebody who is alone. */
const MIN_AUTO = 2;
const MAX_AUTO = 100;
const MAX_KEEP_DAYS = 3650;

const common = { power: MODERATOR, note: () => null };
/** What is about playing. */
const music = { ...common, djs: true } as const;
const nextRecording = (_: string | number, recording: boolean): MessageKey | null =>
  recording ? "settings.next_recording" : null;

/** More is no limit: the queue is full. */
const MAX_PER_PERSON = 499;

/** Nobody may have set it louder than this; 100 is as loud as everything is made. */
const MAX_VOLUME = 200;
/** More than half: two people agree, two of three, three of four. */
const VOTE_SHARE = 51;

/** Everything that the people of a room may set, by its name; the order is that of `!settings`. */
export const ROOM_SETTINGS = {
  language: {
    ...common,
    schema: choice(["en", "de"], { english: "en", englisch: "en", german: "de", deutsch: "de" }),
    default: "en",
    allowed: "en, de",
    meaning: "settings.language",
  },
  "record.consent": {
    ...common,
    schema: choice(["opt-out", "opt-in"], { optout: "opt-out", optin: "opt-in" }),
    default: "opt-out",
    allowed: "opt-out, opt-in",
    meaning: "settings.record_consent",
    note: (value, recording) =>
      recording ? (value === "opt-in" ? "settings.stricter_now" : "settings.next_recording") : null,
  },
  "record.format": {
    ...common,
    schema: choice(["opus", "flac", "wav"], { ogg: "opus", wave: "wav" }),
    default: "opus",
    allowed: "opus, flac, wav",
    meaning: "settings.record_format",
    note: nextRecording,
  },
  "record.delivery": {
    ...common,
    schema: choice(["tracks", "zip"]),
    default: "tracks",
    allowed: "tracks, zip",
    meaning: "settings.record_delivery",
    note: nextRecording,
  },
  "record.auto": {
    ...common,
    schema: z.union([wholeNumber(MIN_AUTO, MAX_AUTO), choice(["off"], OFF)]),
    default: "off",
    allowed: `off, ${MIN_AUTO}–${MAX_AUTO}`,
    meaning: "settings.record_auto",
  },
  clip: {
    ...common,
    schema: choice(["off", "on"], { ...OFF, ...ON }),
    default: "off",
    allowed: "off, on",
    meaning: "settings.clip",
    note: (value) => (value === "on" ? "settings.clip_on" : "settings.clip_off"),
  },
  "record.keep-days": {
    ...common,
    schema: wholeNumber(0, MAX_KEEP_DAYS),
    default: 0,
    allowed: `0–${MAX_KEEP_DAYS}`,
    meaning: "settings.record_keep_days",
  },
  fair: {
    ...music,
    schema: choice(["off", "on"], { ...OFF, ...ON }),
    default: "off",
    allowed: "off, on",
    meaning: "settings.fair",
  },
  "max-per-person": {
    ...music,
    schema: wholeNumber(0, MAX_PER_PERSON),
    default: 0,
    allowed: `0–${MAX_PER_PERSON}`,
    meaning: "settings.max_per_person",
  },
  "volume-max": {
    ...common,
    schema: wholeNumber(1, MAX_VOLUME),
    default: MAX_VOLUME,
    allowed: `1–${MAX_VOLUME}`,
    meaning: "settings.volume_max",
  },
  loudness: {
    ...music,
    schema: z.union([loudness, choice(["on", "off"], { ...ON, ...OFF })]),
    default: "on",
    allowed: `on, off, ${MIN_LUFS} – ${MAX_LUFS}`,
    meaning: "settings.loudness",
  },
  duck: {
    ...music,
    schema: z.union([wholeNumber(MIN_DUCK_DB, MAX_DUCK_DB), choice(["off", "on"], { ...OFF, ...ON })]),
    default: "off",
    allowed: `off, on, ${MIN_DUCK_DB}–${MAX_DUCK_DB}`,
    meaning: "settings.duck",
  },
  "vote-skip": {
    ...common,
    schema: z.union([wholeNumber(1, 100), choice(["off"], OFF)]),
    default: VOTE_SHARE,
    allowed: "off, 1–100",
    meaning: "settings.vote_skip",
  },
  card: {
    ...music,
    schema: choice(["on", "plain", "off"], { ...OFF, ...ON, text: "plain" }),
    default: "on",
    allowed: "on, plain, off",
    meaning: "settings.card",
  },
  dj: {
    ...common,
    schema: z.union([userIds, choice(["off"], OFF)]),
    default: "off",
    allowed: `off, @name:server …`,
    meaning: "settings.dj",
  },
  bots: {
    ...common,
    schema: z.union([userIds, choice(["off"], OFF)]),
    default: "off",
    allowed: `off, @name:server …`,
    meaning: "settings.bots",
  },
  levels: {
    ...common,
    schema: z.union([levels, choice(["default"])]),
    default: "default",
    allowed: "default, command=level …",
    meaning: "settings.levels",
    command: "level",
  },
} as const satisfies Readonly<Record<string, RoomSetting>>;

export type SettingName = keyof typeof ROOM_SETTINGS;
export type SettingValues = { readonly [N in SettingName]: z.output<(typeof ROOM_SETTINGS)[N]["schema"]> };

export const SETTING_NAMES = Object.keys(ROOM_SETTINGS) as readonly SettingName[];

/** A setting by its name in any case; null when there is none. */
export function settingName(typed: string): SettingName | null {
  const name = typed.toLowerCase();
  return SETTING_NAMES.find((each) => each === name) ?? null;
}

export const settingOf = (name: SettingName): RoomSetting => ROOM_SETTINGS[name];
