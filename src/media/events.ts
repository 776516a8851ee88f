import { z } from "zod";
import { channel, file, hasClock, peer, recordingId, saySchema, trackId } from "./fields.ts";

export const peerStateSchema = z.enum(["connecting", "connected", "disconnected", "failed", "closed"]);
export type PeerState = z.infer<typeof peerStateSchema>;

export const trackEndSchema = z.enum(["finished", "stopped", "replaced", "failed"]);
export type TrackEnd = z.infer<typeof trackEndSchema>;

/** What the media plane tells the control plane unasked. */
export const planeEventSchema = z.discriminatedUnion("kind", [
  /** `closed` and `failed` are final for this connection; a new offer or answer makes a new one. */
  z.object({ kind: z.literal("peer.state"), channel, peer, state: peerStateSchema }),
  /** A local candidate found after the description was made. */
  z.object({ kind: z.literal("peer.candidate"), channel, peer, candidate: z.string(), mid: z.string() }),
  /** The first frame of the track was sent (or, with nobody there, would have been). */
  z.object({ kind: z.literal("track.started"), channel, track: trackId }),
  /** Latest wins, twice a second while playing, and as often in a faster track. Position of what was sent. */
  z.object({ kind: z.literal("track.position"), channel, track: trackId, positionMs: z.number() }),
  /** Its last is decoded: it ends within two seconds of sound. For whoever does not know its length. */
  z.object({ kind: z.literal("track.ending"), channel, track: trackId }),
  /** What a stream says is on from about now: one line. Null: it says nothing any more. */
  z.object({
    kind: z.literal("track.title"),
    channel,
    track: trackId,
    title: z.string().max(200).nullable(),
  }),
  /** A stream is complete, and so long: it can be wound. */
  z.object({ kind: z.literal("track.length"), channel, track: trackId, durationMs: z.number().min(0) }),
  /** Nothing has come of a stream for a while, and it is tried again (once each time that this happens). */
  z.object({
    kind: z.literal("track.interrupted"),
    channel,
    track: trackId,
    detail: z.string().max(500).nullable(),
  }),
  /** `detail` is ffmpeg's last word when it failed: for logs, and cut and cleaned for people. */
  z.object({
    kind: z.literal("track.ended"),
    channel,
    track: trackId,
    reason: trackEndSchema,
    positionMs: z.number(),
    detail: z.string().max(500).nullable(),
    /** What plays on at once, as `play.next` has asked. */
    follows: trackId.nullable(),
    /** There when it failed because its source gave nothing for too long: it may do so at another attempt. */
    stalled: z.literal(true).optional(),
    /** What people are told of it, where the plane knows it. */
    say: saySchema.optional(),
  }),
  /** Latest wins, at most twice a second, only while somebody sounds. `levelDbov` 0 (loudest) to -127 (silence), RFC 6464. */
  z.object({
    kind: z.literal("levels"),
    channel,
    speakers: z.array(z.object({ speaker: peer, levelDbov: z.number() })),
  }),
  /** The recorder opened a speaker's file (`file` is relative to the recording's directory). `music` is the bot's own output. */
  z.object({
    kind: z.literal("record.track"),
    channel,
    recording: recordingId,
    speaker: peer,
    file,
    what: z.enum(["voice", "music"]),
    hasClock,
  }),
  /** Writing failed (disk); the recording's files were closed as far as possible. */
  z.object({
    kind: z.literal("record.failed"),
    channel,
    recording: recordingId,
    detail: z.string().max(500),
  }),
]);
export type PlaneEvent = z.infer<typeof planeEventSchema>;
export type PlaneEventOf<K extends PlaneEvent["kind"]> = Extract<PlaneEvent, { kind: K }>;
