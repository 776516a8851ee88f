import { parse } from "sdp-transform";
import { z } from "zod";
import { BotError } from "../../base/errors.ts";
import { formatCandidate, parseCandidate } from "./candidates.ts";

/**
 * Remote session descriptions of a connection with one Opus section (RFC 8829, 8839, 8842, 8843, 7587), read into a few
 * checked values. Only descriptions that sdp-write.ts makes of such values reach a WebRTC library.
 */

export const MAX_SDP_BYTES = 48 * 1024;
const MAX_SECTIONS = 64;
const MAX_CANDIDATES = 64;
export const LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
export const AUDIO_PROTOCOL = "UDP/TLS/RTP/SAVPF";

export type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";
export type Setup = "actpass" | "active" | "passive";

/** ICE and DTLS of one side. */
export interface Transport {
  ufrag: string;
  pwd: string;
  fingerprint: { hash: string; value: string };
  setup: Setup;
  /** Lines as `formatCandidate` writes them. */
  candidates: readonly string[];
}

/** A section of an offer that an answer has to mention. */
export interface Section {
  kind: string;
  protocol: string;
  formats: string;
  mid: string | null;
}

/** What a remote description says about the one section that is used. */
export interface RemoteAudio {
  transport: Transport;
  /** Index of the section among `sections`. */
  index: number;
  sections: readonly Section[];
  payloadType: number;
  /** Of redundant audio data (RFC 2198) in that codec, or null. */
  redPayloadType: number | null;
  /** Id of the audio level header extension (RFC 6464), or null. */
  levelExtension: number | null;
  direction: Direction;
  ssrcs: readonly number[];
}

const text = z.union([z.string(), z.number()]).transform(String);
const direction = z.enum(["sendrecv", "sendonly", "recvonly", "inactive"]);
const transportFields = {
  iceUfrag: text.optional(),
  icePwd: text.optional(),
  fingerprint: z.object({ type: text, hash: text }).optional(),
  setup: text.optional(),
  direction: direction.optional(),
};
const candidateSchema = z.object({
  foundation: text,
  component: text,
  transport: text,
  priority: text,
  ip: text,
  port: text,
  type: text,
  tcptype: text.optional(),
});
const mediaSchema = z.object({
  ...transportFields,
  type: z.string().regex(/^[A-Za-z0-9-]{1,32}$/),
  port: z.number(),
  protocol: z.string().regex(/^[A-Za-z0-9/]{1,64}$/),
  payloads: text.pipe(z.string().regex(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/)).optional(),
  mid: text.pipe(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,64}$/)).optional(),
  rtp: z.array(
    z.object({ payload: text, codec: text, rate: z.number().optional(), encoding: z.unknown().optional() }),
  ),
  fmtp: z.array(z.object({ payload: text, config: text })).optional(),
  ext: z.array(z.object({ value: z.number(), uri: text })).optional(),
  ssrcs: z.array(z.object({ id: text })).optional(),
  candidates: z.array(z.unknown()).optional(),
});
const sessionSchema = z.object({ ...transportFields, media: z.array(mediaSchema).min(1).max(MAX_SECTIONS) });
type Media = z.infer<typeof mediaSchema>;
type Session = z.infer<typeof sessionSchema>;

/** Reads a remote offer: its first usable Opus section. @throws BotError `bad_sdp` */
export function readOffer(sdp: string): RemoteAudio {
  const session = decode(sdp);
  for (const [index, media] of session.media.entries()) {
    const payloadType = usableOpus(media);
    if (payloadType !== null) return remoteAudio(session, index, payloadType, "actpass");
  }
  throw bad("no Opus audio section over UDP/TLS/RTP/SAVPF");
}

/**
 * Reads the answer to `writeOffer`. A library with no say of its own (libdatachannel, where its application adds no track)
 * repeats every codec of the offer, those that nobody there can decode too: who repeats our Opus parameters to the letter is
 * taken to have Opus alone.
 * @param offered the Opus parameters of our offer
 * @throws BotError `bad_sdp`
 */
export function readAnswer(sdp: string, offered: string | null = null): RemoteAudio {
  const session = decode(sdp);
  const payloadType = usableOpus(session.media[0]!);
  if (payloadType === null) throw bad("the answer refuses the audio section");
  const audio = remoteAudio(session, 0, payloadType, "active");
  if (audio.transport.setup === "actpass") throw bad("an answer must choose its DTLS role");
  const repeats = session.media[0]!.fmtp?.some(
    ({ payload, config }) => Number(payload) === payloadType && config === offered,
  );
  return repeats ? { ...audio, redPayloadType: null } : audio;
}

/** Reads what a WebRTC library says of itself: only its transport. @throws BotError `bad_sdp` */
export function readTransport(sdp: string, fallback: Setup): Transport {
  const session = decode(sdp);
  return transportOf(session, session.media[0]!, fallback);
}

function decode(sdp: string): Session {
  if (Buffer.byteLength(sdp) > MAX_SDP_BYTES) throw bad(`over ${MAX_SDP_BYTES} bytes`);
  if (!sdp.startsWith("v=0")) throw bad("it does not begin with v=0");
  let parsed: unknown;
  try {
    parsed = parse(sdp);
  } catch (cause) {
    throw new BotError("bad_sdp", "session description: not parseable", { cause });
  }
  const result = sessionSchema.safeParse(parsed);
  if (!result.success) throw bad(z.prettifyError(result.error).slice(0, 300));
  return result.data;
}

function usableOpus(media: Media): number | null {
  if (media.type !== "audio" || media.port === 0 || media.protocol !== AUDIO_PROTOCOL) return null;
  return typesOf(media, "opus")[0] ?? null;
}

/** The payload type in which this Opus may be sent with what came before it: RED that holds nothing else. */
function redOf(media: Media, opus: number): number | null {
  const holds = (type: number): boolean =>
    media.fmtp?.some(
      ({ payload, config }) =>
        Number(payload) === type &&
        /^\d+(\/\d+)+$/.test(config) &&
        config.split("/").every((one) => Number(one) === opus),
    ) ?? false;
  return typesOf(media, "red").find(holds) ?? null;
}

/** Usable payload types of a stereo codec at 48 kHz, in the order of the section. */
function typesOf(media: Media, name: string): number[] {
  const listed = new Set(media.payloads?.split(" "));
  return media.rtp.flatMap(({ payload, codec, rate, encoding }) => {
    if (codec.toLowerCase() !== name || rate !== 48_000 || Number(encoding) !== 2) return [];
    const type = Number(payload);
    // 64 to 95 are taken by RTCP on a muxed connection (RFC 5761 section 4).
    const usable = Number.isInteger(type) && type >= 0 && type <= 127 && (type < 64 || type > 95);
    return usable && listed.has(payload) ? [type] : [];
  });
}

function remoteAudio(session: Session, index: number, payloadType: number, fallback: Setup): RemoteAudio {
  const media = session.media[index]!;
  const level = media.ext?.find(({ uri, value }) => uri === LEVEL_URI && value >= 1 && value <= 255);
  const ssrcs = (media.ssrcs ?? []).map(({ id }) => Number(id));
  return {
    transport: transportOf(session, media, fallback),
    index,
    sections: session.media.map(({ type, protocol, payloads, mid }) => ({
      kind: type,
      protocol,
      formats: payloads ?? "0",
      mid: mid ?? null,
    })),
    payloadType,
    redPayloadType: redOf(media, payloadType),
    levelExtension: level?.value ?? null,
    direction: media.direction ?? session.direction ?? "sendrecv",
    ssrcs: [...new Set(ssrcs)]
      .filter((ssrc) => Number.isInteger(ssrc) && ssrc > 0 && ssrc < 2 ** 32)
      .slice(0, 8),
  };
}

function transportOf(session: Session, media: Media, fallback: Setup): Transport {
  const ufrag = media.iceUfrag ?? session.iceUfrag ?? "";
  const pwd = media.icePwd ?? session.icePwd ?? "";
  // RFC 8839 section 5.4, but lenient about the alphabet: some write more than ice-char.
  if (!/^[\x21-\x7e]{4,256}$/.test(ufrag) || !/^[\x21-\x7e]{22,256}$/.test(pwd))
    throw bad("no ICE credentials");
  const setup = media.setup ?? session.setup ?? fallback;
  if (setup !== "actpass" && setup !== "active" && setup !== "passive") throw bad("unknown DTLS role");
  return {
    ufrag,
    pwd,
    fingerprint: fingerprintOf(media.fingerprint ?? session.fingerprint),
    setup,
    candidates: candidatesOf(media.candidates ?? []),
  };
}

const HASH_BYTES: Readonly<Record<string, number>> = { "sha-256": 32, "sha-384": 48, "sha-512": 64 };

function fingerprintOf(fingerprint: { type: string; hash: string } | undefined): Transport["fingerprint"] {
  const hash = fingerprint?.type.toLowerCase() ?? "";
  const value = fingerprint?.hash.toUpperCase() ?? "";
  const bytes = HASH_BYTES[hash];
  const wellFormed = /^[0-9A-F]{2}(:[0-9A-F]{2})*$/.test(value) && value.length + 1 === (bytes ?? 0) * 3;
  if (!wellFormed) throw bad("no usable certificate fingerprint");
  return { hash, value };
}

/** Candidates that can be read at all; whoever uses them decides which are allowed. */
function candidatesOf(candidates: readonly unknown[]): string[] {
  const lines: string[] = [];
  for (const candidate of candidates.slice(0, MAX_CANDIDATES)) {
    const fields = candidateSchema.safeParse(candidate);
    if (!fields.success) continue;
    const { foundation, component, transport, priority, ip, port, type, tcptype } = fields.data;
    const read = parseCandidate(
      `candidate:${foundation} ${component} ${transport} ${priority} ${ip} ${port} typ ${type}${tcptype === undefined ? "" : ` tcptype ${tcptype}`}`,
    );
    if (read) lines.push(formatCandidate(read));
  }
  return lines;
}

function bad(why: string): BotError {
  return new BotError("bad_sdp", `session description: ${why}`);
}
