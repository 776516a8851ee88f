import { BotError } from "../../base/errors.ts";
import type { MessageKey } from "../../base/messages/catalogue.ts";
import type { Steps } from "../../base/slices.ts";

/** Bytes of a resource: RFC 8216 section 4.3.2.2. */
export interface ByteRange {
  offset: number;
  length: number;
}

/** A resource or a part of one. */
export interface HlsResource {
  /** Absolute, http or https. */
  url: string;
  range: ByteRange | null;
}

export interface HlsKey {
  url: string;
  /** 16 bytes; null: the segment's sequence number. */
  iv: Uint8Array | null;
}

export interface HlsSegment extends HlsResource {
  sequence: number;
  durationMs: number;
  /** What a decoder needs before it (fragmented MP4). */
  map: HlsResource | null;
  /** It is encrypted by AES-128 in CBC mode, wholly. */
  key: HlsKey | null;
  /** What comes now is unlike what came before: a decoder starts anew. */
  isBreak: boolean;
  /** It is not there, as the playlist says itself, or its address is none. */
  isGap: boolean;
}

export interface HlsMedia {
  kind: "media";
  targetMs: number;
  /** No segment will be added. */
  isEnded: boolean;
  segments: HlsSegment[];
}

export interface HlsVariant {
  url: string;
  bandwidth: number;
  codecs: string[];
  hasPicture: boolean;
  /** Name of the group of its sound, where that comes apart. */
  audio: string | null;
}

export interface HlsRendition {
  group: string;
  /** Null: it is in the variant itself. */
  url: string | null;
  isDefault: boolean;
}

export interface HlsMaster {
  kind: "master";
  variants: HlsVariant[];
  renditions: HlsRendition[];
}

export const MAX_PLAYLIST_BYTES = 1_000_000;
const MAX_SEGMENTS = 20_000;
const MAX_VARIANTS = 200;
const MAX_URL = 2048;
/** What is longer is cut: nothing in a playlist is. */
const MAX_LINE = 16_384;
const LONGEST_TARGET_S = 60;

/**
 * Reads an HLS playlist (RFC 8216, version 7), in steps of few ms however it is written. Pure.
 * @param baseUrl where it came from, after redirects
 * @throws BotError `media_unsupported`, with a sentence
 */
export function* parseHls(text: string, baseUrl: string): Steps<HlsMaster | HlsMedia> {
  const lines: string[] = [];
  let isMaster = false;
  for (const [whole] of text.matchAll(/[^\r\n]+/g)) {
    yield;
    const line = whole.slice(0, MAX_LINE).trim();
    if (line === "") continue;
    // A mark of byte order is a blank.
    if (lines.length === 0 && line !== "#EXTM3U") break;
    lines.push(line);
    isMaster ||= /^#EXT-X-(STREAM-INF|MEDIA):/.test(line);
  }
  if (lines.length === 0) throw unsupported("no #EXTM3U", "stream.not_hls");
  return yield* isMaster ? readMaster(lines, baseUrl) : readMedia(lines, baseUrl);
}

function* readMaster(lines: readonly string[], baseUrl: string): Steps<HlsMaster> {
  const variants: HlsVariant[] = [];
  const renditions: HlsRendition[] = [];
  let pending: ReadonlyMap<string, string> | null = null;
  for (const line of lines) {
    yield;
    if (variants.length + renditions.length >= MAX_VARIANTS) break;
    const [tag, value] = tagOf(line);
    if (tag === "EXT-X-STREAM-INF") pending = attributes(value);
    else if (tag === "EXT-X-MEDIA") {
      const given = attributes(value);
      if (given.get("TYPE") !== "AUDIO") continue;
      const uri = given.get("URI");
      const url = uri === undefined ? null : absolute(uri, baseUrl);
      if (uri !== undefined && url === null) continue;
      renditions.push({ group: given.get("GROUP-ID") ?? "", url, isDefault: given.get("DEFAULT") === "YES" });
    } else if (line !== "" && !line.startsWith("#") && pending) {
      const variant = variantOf(pending, absolute(line, baseUrl));
      if (variant) variants.push(variant);
      pending = null;
    }
  }
  return { kind: "master", variants, renditions };
}

const PICTURE = /^(avc|hvc|hev|dvh|dva|vp0|vp8|vp9|av01|mp4v|svc)/i;

function variantOf(given: ReadonlyMap<string, string>, url: string | null): HlsVariant | null {
  if (url === null) return null;
  const codecs = (given.get("CODECS") ?? "")
    .split(",")
    .map((codec) => codec.trim())
    .filter((codec) => codec !== "");
  return {
    ...{ url, codecs },
    bandwidth: wholeNumber(given.get("BANDWIDTH")) ?? 0,
    // One that says nothing of its codecs and its size may have any.
    hasPicture: codecs.some((codec) => PICTURE.test(codec)) || given.has("RESOLUTION"),
    audio: given.get("AUDIO") ?? null,
  };
}

/** What is known so far of the segment whose address comes next. */
interface Pending {
  durationMs: number | null;
  range: { length: number; offset: number | null } | null;
  isBreak: boolean;
  isGap: boolean;
}

const NOTHING: Pending = { durationMs: null, range: null, isBreak: false, isGap: false };

function* readMedia(lines: readonly string[], baseUrl: string): Steps<HlsMedia> {
  const segments: HlsSegment[] = [];
  let targetMs: number | null = null;
  let first = 0;
  let isEnded = false;
  let map: HlsResource | null = null;
  let key: HlsKey | null = null;
  let pending = NOTHING;
  for (const line of lines) {
    yield;
    const [tag, value] = tagOf(line);
    if (tag === "EXT-X-TARGETDURATION") targetMs = seconds(value);
    else if (tag === "EXT-X-MEDIA-SEQUENCE") first = wholeNumber(value) ?? 0;
    else if (tag === "EXT-X-ENDLIST") isEnded = true;
    else if (tag === "EXT-X-I-FRAMES-ONLY") throw unsupported("pictures only", "stream.no_audio");
    else if (tag === "EXTINF") pending = { ...pending, durationMs: seconds(value.split(",")[0] ?? "") };
    else if (tag === "EXT-X-DISCONTINUITY") pending = { ...pending, isBreak: true };
    else if (tag === "EXT-X-GAP") pending = { ...pending, isGap: true };
    else if (tag === "EXT-X-BYTERANGE") pending = { ...pending, range: rangeOf(value) };
    else if (tag === "EXT-X-MAP") map = mapOf(attributes(value), baseUrl);
    else if (tag === "EXT-X-KEY") key = keyOf(attributes(value), baseUrl);
    else if (line !== "" && !line.startsWith("#")) {
      if (segments.length >= MAX_SEGMENTS) throw unsupported("too many segments", "stream.too_long");
      const url = absolute(line, baseUrl);
      const before = segments.at(-1);
      segments.push({
        url: url ?? "",
        range: pending.range && placed(pending.range, url, before),
        sequence: first + segments.length,
        durationMs: pending.durationMs ?? targetMs ?? 0,
        ...{ map, key, isBreak: pending.isBreak, isGap: pending.isGap || url === null },
      });
      pending = NOTHING;
    }
  }
  const longestMs = segments.reduce((longest, { durationMs }) => Math.max(longest, durationMs), 0);
  if (segments.length === 0 && isEnded) throw unsupported("no segments", "stream.no_audio");
  return { kind: "media", targetMs: Math.max(targetMs ?? longestMs, 1_000), isEnded, segments };
}

/** A range without an offset goes on behind the one before it. */
function placed(
  { length, offset }: { length: number; offset: number | null },
  url: string | null,
  before: HlsSegment | undefined,
): ByteRange {
  if (offset !== null) return { length, offset };
  const isNext = before !== undefined && before.range !== null && before.url === url;
  return { length, offset: isNext && before.range ? before.range.offset + before.range.length : 0 };
}

function mapOf(given: ReadonlyMap<string, string>, baseUrl: string): HlsResource | null {
  const url = absolute(given.get("URI") ?? "", baseUrl);
  const range = given.get("BYTERANGE");
  const part = range === undefined ? null : rangeOf(range);
  return url === null ? null : { url, range: part && placed(part, url, undefined) };
}

/** @throws BotError `media_unsupported` for everything but AES-128 with a key that is fetched. */
function keyOf(given: ReadonlyMap<string, string>, baseUrl: string): HlsKey | null {
  const method = given.get("METHOD");
  if (method === "NONE") return null;
  const url = absolute(given.get("URI") ?? "", baseUrl);
  const format = given.get("KEYFORMAT") ?? "identity";
  const iv = given.get("IV");
  const hex = iv === undefined ? null : (/^0x([0-9a-f]{1,32})$/i.exec(iv)?.[1] ?? "");
  if (method !== "AES-128" || format !== "identity" || url === null || hex === "")
    throw unsupported(`encrypted by ${String(method).slice(0, 40)}`, "stream.encrypted");
  return { url, iv: hex === null ? null : Buffer.from(hex.padStart(32, "0"), "hex") };
}

function tagOf(line: string): [tag: string, value: string] {
  const match = /^#(EXT[A-Z0-9-]*)(?::(.*))?$/.exec(line);
  return [match?.[1] ?? "", match?.[2] ?? ""];
}

/** `NAME=value,NAME="value"`: RFC 8216 section 4.2. Of equal names the first counts. */
function attributes(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  // Sticky: from one to the next, so that a line of nonsense is looked at once.
  for (const [, name = "", quoted, plain] of text.matchAll(/\s*([A-Z0-9-]+)=(?:"([^"]*)"|([^",]*))(?:,|$)/gy))
    if (!found.has(name)) found.set(name, quoted ?? plain ?? "");
  return found;
}

function rangeOf(text: string): { length: number; offset: number | null } | null {
  const [, length, offset] = /^(\d{1,12})(?:@(\d{1,15}))?$/.exec(text.trim()) ?? [];
  if (length === undefined || Number(length) === 0) return null;
  return { length: Number(length), offset: offset === undefined ? null : Number(offset) };
}

const wholeNumber = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,15}$/.test(text.trim()) ? Number(text) : null;

/** In ms; null for what is no duration, or cannot be one of a segment. */
function seconds(text: string): number | null {
  const value = /^\d{1,6}(\.\d{1,9})?$/.test(text.trim()) ? Number(text) : null;
  return value === null || value > LONGEST_TARGET_S ? null : value * 1000;
}

function absolute(uri: string, baseUrl: string): string | null {
  if (uri === "" || uri.length > MAX_URL || !URL.canParse(uri, baseUrl)) return null;
  const { protocol, href } = new URL(uri, baseUrl);
  return (protocol === "https:" || protocol === "http:") && href.length <= MAX_URL ? href : null;
}

export function unsupported(message: string, key: MessageKey): BotError {
  return new BotError("media_unsupported", message, { say: { key } });
}
