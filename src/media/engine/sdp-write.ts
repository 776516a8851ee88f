import { AUDIO_PROTOCOL, LEVEL_URI } from "./sdp.ts";
import type { Direction, RemoteAudio, Transport } from "./sdp.ts";

/**
 * Session descriptions as we write them: our own for the other side, and the other side's for a WebRTC library.
 */

/** What our own offers say. */
export const OFFERED_PAYLOAD_TYPE = 111;
/** That, and redundant audio data (RFC 2198), as Chromium numbers it. */
export const OFFERED_TYPES = { payloadType: OFFERED_PAYLOAD_TYPE, redPayloadType: 63 };
export const OFFERED_MID = "0";
const OFFERED_LEVEL_EXTENSION = 1;

/** How we describe the stream that we send. */
export interface LocalStream {
  ssrc: number;
  cname: string;
  /** MediaStream and track id of the `msid` lines (RFC 8830). */
  msid: string;
  /** bit/s that we can take, and that the other side may send: `maxaveragebitrate` (RFC 7587 section 6.1). */
  maxBitrate: number;
  /** We can send and take redundant audio data (RFC 2198) with those who can too. */
  red?: boolean;
}

/** Our offer: one audio section, both directions. */
export function writeOffer(transport: Transport, stream: LocalStream): string {
  return lines([
    ...sessionLines([OFFERED_MID]),
    ...audioLines({
      transport,
      stream,
      mid: OFFERED_MID,
      payloadType: OFFERED_PAYLOAD_TYPE,
      redPayloadType: stream.red ? OFFERED_TYPES.redPayloadType : null,
      levelExtension: OFFERED_LEVEL_EXTENSION,
      direction: "sendrecv",
    }),
  ]);
}

/** Our answer to `offer`: its Opus section in the directions it allows, every other section refused (RFC 8829 5.3.1). */
export function writeAnswer(offer: RemoteAudio, transport: Transport, stream: LocalStream): string {
  const mid = offer.sections[offer.index]!.mid;
  const sections = offer.sections.flatMap((section, index) =>
    index === offer.index
      ? audioLines({
          transport,
          stream,
          mid,
          payloadType: offer.payloadType,
          redPayloadType: stream.red ? offer.redPayloadType : null,
          levelExtension: offer.levelExtension,
          direction: reverse(offer.direction),
        })
      : [
          `m=${section.kind} 0 ${section.protocol} ${section.formats}`,
          "c=IN IP4 0.0.0.0",
          ...(section.mid === null ? [] : [`a=mid:${section.mid}`]),
          "a=inactive",
        ],
  );
  return lines([...sessionLines(mid === null ? [] : [mid]), ...sections]);
}

export interface ForLibrary {
  /** What the library shall believe that the other side does; both when it is told what to send anyhow. */
  direction?: Direction;
  /** For a library that encodes itself, bit/s: it sends stereo, and what is said here, whatever the other side asked for. */
  bitrate?: number;
}

/**
 * A remote description for the library: one audio section, no matter what else the remote side wrote. Candidates are given to
 * it one by one.
 */
export function writeForLibrary(
  remote: RemoteAudio,
  { direction = "sendrecv", bitrate }: ForLibrary = {},
): string {
  const { transport, payloadType } = remote;
  const mid = libraryMid(remote);
  return lines([
    ...sessionLines([mid]),
    `m=audio 9 ${AUDIO_PROTOCOL} ${payloadType}`,
    "c=IN IP4 0.0.0.0",
    "a=rtcp-mux",
    `a=mid:${mid}`,
    ...transportLines({ ...transport, candidates: [] }),
    `a=${direction}`,
    `a=rtpmap:${payloadType} opus/48000/2`,
    ...(bitrate === undefined ? [] : [`a=fmtp:${payloadType} ${opusParameters(bitrate)}`]),
  ]);
}

/** RFC 7587 section 6.1. */
export function opusParameters(bitrate: number): string {
  return `minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;maxaveragebitrate=${bitrate}`;
}

/** The section's identification as the library knows it. */
export function libraryMid(remote: RemoteAudio): string {
  return remote.sections[remote.index]!.mid ?? OFFERED_MID;
}

/** What we may do where the other side does `direction`. */
export function reverse(direction: Direction): Direction {
  if (direction === "sendonly") return "recvonly";
  return direction === "recvonly" ? "sendonly" : direction;
}

function sessionLines(bundle: readonly string[]): string[] {
  return [
    "v=0",
    "o=- 1 1 IN IP4 0.0.0.0",
    "s=-",
    "t=0 0",
    ...(bundle.length > 0 ? [`a=group:BUNDLE ${bundle.join(" ")}`] : []),
    "a=msid-semantic: WMS *",
  ];
}

interface AudioSection {
  transport: Transport;
  stream: LocalStream;
  mid: string | null;
  payloadType: number;
  redPayloadType: number | null;
  levelExtension: number | null;
  direction: Direction;
}

function audioLines({
  transport,
  stream,
  mid,
  payloadType,
  redPayloadType,
  levelExtension,
  direction,
}: AudioSection): string[] {
  const sends = direction === "sendrecv" || direction === "sendonly";
  // Behind Opus: we take it, and whoever prefers it sends plain Opus to us (what is first in the list).
  const red = redPayloadType === null ? "" : ` ${redPayloadType}`;
  return [
    `m=audio 9 ${AUDIO_PROTOCOL} ${payloadType}${red}`,
    "c=IN IP4 0.0.0.0",
    "a=rtcp:9 IN IP4 0.0.0.0",
    ...transportLines(transport),
    ...(mid === null ? [] : [`a=mid:${mid}`]),
    ...(levelExtension === null ? [] : [`a=extmap:${levelExtension} ${LEVEL_URI}`]),
    `a=${direction}`,
    "a=rtcp-mux",
    `a=rtpmap:${payloadType} opus/48000/2`,
    `a=fmtp:${payloadType} ${opusParameters(stream.maxBitrate)}`,
    ...(redPayloadType === null
      ? []
      : [`a=rtpmap:${redPayloadType} red/48000/2`, `a=fmtp:${redPayloadType} ${payloadType}/${payloadType}`]),
    "a=ptime:20",
    ...(sends
      ? [
          `a=msid:${stream.msid} ${stream.msid}-audio`,
          `a=ssrc:${stream.ssrc} cname:${stream.cname}`,
          `a=ssrc:${stream.ssrc} msid:${stream.msid} ${stream.msid}-audio`,
        ]
      : []),
  ];
}

function transportLines({ ufrag, pwd, fingerprint, setup, candidates }: Transport): string[] {
  return [
    ...candidates.map((candidate) => `a=${candidate}`),
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    "a=ice-options:trickle",
    `a=fingerprint:${fingerprint.hash} ${fingerprint.value}`,
    `a=setup:${setup}`,
  ];
}

function lines(all: readonly string[]): string {
  return `${all.join("\r\n")}\r\n`;
}
