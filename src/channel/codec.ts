import { z } from "zod";

/**
 * Membership and signalling as they are on the wire (docs/PROTOCOL.md "Events"). Two dialects exist and differ in the
 * body: the web client puts a JSON string there, the README the raw SDP or candidate line. Everything is read, and each
 * peer is answered in the form it used.
 */
export type Form = "web" | "readme";

export const MAX_SDP_BYTES = 48 * 1024;
export const MAX_CANDIDATE_BYTES = 1024;
export const MAX_KEY_BYTES = 255;
const MAX_MID_LENGTH = 64;

/**
 * Field of our membership that announces the rule for glare: of two keys that offer to each other at the same time the
 * lexically smaller one yields. Readers that do not know it ignore it, as any unknown field of a Matrix event.
 */
export const GLARE_FIELD = "matrix-voice-bot.glare";
export const GLARE_RULE = "smaller-key-yields";

export interface Membership {
  joinState: "JOINED" | "LEFT";
  /** The dialect that the type of `timestamp` suggests: a number is the web client, a string or nothing the README. */
  form: Form;
  /** Whether the member follows our rule for glare. */
  glareRule: boolean;
}

interface SignalBase {
  /** Device key the sender claims to be. */
  key: string;
  /** Device key this is for; null is everyone. */
  receiver: string | null;
  form: Form;
}
export interface DescriptionSignal extends SignalBase {
  type: "offer" | "answer";
  sdp: string;
}
export interface CandidateSignal extends SignalBase {
  type: "candidate";
  /** `candidate:…`, never empty. */
  candidate: string;
  mid: string | null;
}
export type Signal = DescriptionSignal | CandidateSignal;

/** Why something from outside was not used; for counters and logs. */
export type Malformed = "malformed" | "too_large" | "end_of_candidates";
export type Decoded<T> = { ok: true; value: T } | { ok: false; reason: Malformed };

const membershipSchema = z.object({
  join_state: z.enum(["JOINED", "LEFT"]),
  timestamp: z.union([z.number(), z.string().regex(/^\d{1,20}$/)]).nullish(),
  [GLARE_FIELD]: z.unknown().optional(),
});

const keySchema = z.string().refine(isStateKey);
const signalSchema = z.object({
  rtc_type: z.enum(["offer", "answer", "candidate", "icecandidate"]),
  sender: keySchema,
  receiver: keySchema.nullish(),
  body: z.union([z.string(), z.record(z.string(), z.unknown())]),
});
const descriptionSchema = z.object({
  type: z.string().optional(),
  sdp: z.string().refine(isSdp),
});
const candidateSchema = z.object({
  candidate: z.string(),
  sdpMid: z.string().max(MAX_MID_LENGTH).nullish(),
});

/** Whether `key` can be a device key: 1 to 255 bytes of UTF-8. */
export function isStateKey(key: string): boolean {
  return key.length > 0 && byteLength(key) <= MAX_KEY_BYTES;
}

/** Reads the content of a membership event. */
export function decodeMembership(content: unknown): Decoded<Membership> {
  const parsed = membershipSchema.safeParse(content);
  if (!parsed.success) return { ok: false, reason: "malformed" };
  return {
    ok: true,
    value: {
      joinState: parsed.data.join_state,
      form: typeof parsed.data.timestamp === "number" ? "web" : "readme",
      glareRule: parsed.data[GLARE_FIELD] === GLARE_RULE,
    },
  };
}

/** Reads the content of a signalling event: body as JSON string, JSON object, raw SDP or raw candidate. */
export function decodeSignal(content: unknown): Decoded<Signal> {
  const parsed = signalSchema.safeParse(content);
  if (!parsed.success) return { ok: false, reason: "malformed" };
  const { rtc_type: rtcType, sender, receiver, body } = parsed.data;
  const base = { key: sender, receiver: receiver ?? null };
  return rtcType === "offer" || rtcType === "answer"
    ? decodeDescription({ ...base, type: rtcType }, body)
    : decodeCandidate(base, body);
}

type Body = string | Record<string, unknown>;

function decodeDescription(
  head: Pick<DescriptionSignal, "key" | "receiver" | "type">,
  body: Body,
): Decoded<Signal> {
  if (typeof body === "string" && !body.trimStart().startsWith("{")) {
    if (byteLength(body) > MAX_SDP_BYTES) return { ok: false, reason: "too_large" };
    return isSdp(body)
      ? { ok: true, value: { ...head, form: "readme", sdp: body } }
      : { ok: false, reason: "malformed" };
  }
  const parsed = descriptionSchema.safeParse(unwrap(body));
  if (!parsed.success) return { ok: false, reason: "malformed" };
  const { type, sdp } = parsed.data;
  if (byteLength(sdp) > MAX_SDP_BYTES) return { ok: false, reason: "too_large" };
  // A description that contradicts its envelope would be set as what it is not.
  if (type !== undefined && type !== head.type) return { ok: false, reason: "malformed" };
  return { ok: true, value: { ...head, form: "web", sdp } };
}

function decodeCandidate(head: Pick<CandidateSignal, "key" | "receiver">, body: Body): Decoded<Signal> {
  let form: Form = "readme";
  let line: string;
  let mid: string | null = null;
  if (typeof body === "string" && !body.trimStart().startsWith("{")) {
    line = body.trim();
  } else {
    const parsed = candidateSchema.safeParse(unwrap(body));
    if (!parsed.success) return { ok: false, reason: "malformed" };
    form = "web";
    line = parsed.data.candidate.trim();
    mid = parsed.data.sdpMid ?? null;
  }
  if (line.startsWith("a=")) line = line.slice(2);
  if (line === "") return { ok: false, reason: "end_of_candidates" };
  if (byteLength(line) > MAX_CANDIDATE_BYTES) return { ok: false, reason: "too_large" };
  if (!line.startsWith("candidate:") || /[\r\n]/.test(line)) return { ok: false, reason: "malformed" };
  return { ok: true, value: { ...head, type: "candidate", form, candidate: line, mid } };
}

/** Content of a signalling event that carries a description, always with a receiver. */
export function encodeDescription(
  form: Form,
  type: "offer" | "answer",
  sender: string,
  receiver: string,
  sdp: string,
): Record<string, unknown> {
  const body = form === "web" ? JSON.stringify({ type, sdp }) : sdp;
  return { rtc_type: type, sender, receiver, body };
}

/** Content of a signalling event that carries one candidate; the README form has no receiver. */
export function encodeCandidate(
  form: Form,
  sender: string,
  receiver: string,
  candidate: string,
  mid: string,
): Record<string, unknown> {
  if (form === "readme") return { rtc_type: "candidate", sender, body: candidate };
  // One audio section is all we ever negotiate, so its index is 0.
  const body = JSON.stringify({ candidate, sdpMid: mid, sdpMLineIndex: 0 });
  return { rtc_type: "icecandidate", sender, receiver, body };
}

export const otherForm = (form: Form): Form => (form === "web" ? "readme" : "web");

/**
 * What tells one connection of a peer from its next one: ICE user fragment and DTLS fingerprint of the first section
 * that has them (RFC 8839 section 5.4, RFC 8122 section 5).
 */
export function connectionId(sdp: string): string {
  const ufrag = /^a=ice-ufrag:(\S{1,256})/m.exec(sdp)?.[1] ?? "";
  // No pattern with two ends that may meet anywhere: on a line of 48 KB of blanks it takes seconds.
  const fingerprint = /^a=fingerprint:(.{1,400})/m.exec(sdp)?.[1] ?? "";
  return `${ufrag} ${fingerprint.trim().toLowerCase()}`;
}

function isSdp(text: string): boolean {
  return text.startsWith("v=0");
}

function unwrap(body: Body): unknown {
  if (typeof body !== "string") return body;
  // Beyond this no body can hold a description of legal size; do not parse it at all.
  if (body.length > 2 * MAX_SDP_BYTES) return null;
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}
