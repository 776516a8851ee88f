import { z } from "zod";
import { channel, file, hasClock, peer, recordingId, trackId } from "./fields.ts";
import { filtersSchema } from "./filters.ts";
import { statsSchema } from "./stats.ts";

export * from "./events.ts";
export * from "./filters.ts";
export { candidateKindSchema } from "./stats.ts";
export type { CandidateKind, PeerStats } from "./stats.ts";

/**
 * What the control plane asks of the media plane, and what it gets; unasked it is told `PlaneEvent`s (events.ts). All of it is
 * decoded by schema at both ends. No audio crosses.
 *
 * A *channel* is one room's voice channel: one mixer, one clock, one encoded stream for everybody in it. A *peer* is one
 * connection of it, named by the device key in a mesh. A *speaker* is one voice that arrives over a peer: in a mesh the
 * same key; through an SFU one peer will carry many.
 */

const sdp = z.string().max(64 * 1024);
const path = z.string().min(1).max(4096);
/** Whose voice may be kept: everybody who is not on the list is left out. */
const speakers = z.array(peer).max(1_000);
/** Of the ring for clips. */
export const MAX_CLIP_SECONDS = 120;

export const iceSettingsSchema = z.object({
  /** STUN and TURN servers as URIs, with credentials where they need them. */
  servers: z.array(
    z.object({ uri: z.string(), username: z.string().optional(), password: z.string().optional() }),
  ),
  /** Which remote candidates in private address ranges are used; see docs/PROTOCOL.md, "Trust". */
  allowPrivate: z.enum(["auto", "true", "false"]),
  /** Subnets that count as our own under `auto`, besides those of our interfaces, in CIDR notation. */
  localSubnets: z.array(z.string()).optional(),
  /** IP addresses at which others reach us. Those of a family replace our interfaces' in our descriptions, port for port. */
  announce: z.array(z.string()).optional(),
  /** UDP ports to use, inclusive. */
  portRange: z.tuple([z.number().int(), z.number().int()]).optional(),
});
export type IceSettings = z.infer<typeof iceSettingsSchema>;

/** A regular file that the control plane has confined (media folder or cache). */
export const fileSourceSchema = z.strictObject({ path });
const urlSourceSchema = z.strictObject({ url: z.string().min(1).max(2048) });
/** Of a cover's sides. */
export const MAX_COVER_PX = 320;
const side = z.number().int().min(1).max(MAX_COVER_PX);

/** `icy`: one body that goes on for ever, with titles in it where the server has them; `hls`: a playlist of segments. */
export const streamFormatSchema = z.enum(["icy", "hls"]);
export type StreamFormat = z.infer<typeof streamFormatSchema>;
/** Sound that comes over the network while it is heard. The plane fetches it itself, through the guard. */
export const streamSchema = z.strictObject({ url: z.string().min(1).max(2048), kind: streamFormatSchema });
export type StreamTarget = z.infer<typeof streamSchema>;

/** Where a track's bytes are. */
export const sourceSchema = z.union([fileSourceSchema, z.strictObject({ stream: streamSchema })]);
export type TrackSource = z.infer<typeof sourceSchema>;

/** dB, of a track. */
const gainDb = z.number().min(-60).max(40);
/**
 * How loud a track begins: by `gainDb` (default 0) more than it was made, or, where its own tags say how loud it is, by as
 * much as brings it to `tagsToLufs`; to it `play.gain` changes it later.
 */
const trackLevel = { gainDb: gainDb.optional(), tagsToLufs: z.number().min(-40).max(-5).optional() };

export const planeRequestSchema = z.discriminatedUnion("kind", [
  /** Idempotent: opening an open channel changes its settings. `bitrate` in bit/s of the outgoing Opus stream. */
  z.object({
    kind: z.literal("channel.open"),
    channel,
    ice: iceSettingsSchema,
    bitrate: z.number().int().min(16_000).max(510_000),
  }),
  /** Closes its peers, playback and recording. Idempotent. */
  z.object({ kind: z.literal("channel.close"), channel }),
  /** Creates a connection (replacing the peer's former one) and describes it, with all candidates gathered in ≤ 2 s. */
  z.object({ kind: z.literal("peer.offer"), channel, peer }),
  /** Creates a connection (replacing the peer's former one) for a remote offer, and answers. */
  z.object({ kind: z.literal("peer.answer"), channel, peer, sdp }),
  /** That answer has left for the other side. Before, nothing is sent there. */
  z.object({ kind: z.literal("peer.answered"), channel, peer }),
  /** Sets the remote answer of a connection that was offered. */
  z.object({ kind: z.literal("peer.accept"), channel, peer, sdp }),
  /** A trickled remote candidate; queued until the remote description is set. */
  z.object({
    kind: z.literal("peer.candidate"),
    channel,
    peer,
    candidate: z.string().max(1024),
    mid: z.string().max(64).nullable(),
  }),
  z.object({ kind: z.literal("peer.close"), channel, peer }),
  /**
   * Starts a track at `positionMs`; `paused` opens it without sounding. What plays goes on until the new one has sound (for
   * a second at most; for another place in the same file five) and fades. A track that `play.next` has opened is taken as
   * it is. Whatever else was opened is dropped.
   */
  z.object({
    kind: z.literal("play.start"),
    channel,
    track: trackId,
    source: sourceSchema,
    positionMs: z.number().min(0),
    paused: z.boolean(),
    ...trackLevel,
  }),
  /**
   * Opens what follows the track that plays: it sounds in the moment in which that one has finished (`track.ended` says so
   * by `follows`), never when that one failed. Replaces what was to follow; null: nothing follows.
   */
  z.object({
    kind: z.literal("play.next"),
    channel,
    next: z.object({ track: trackId, source: sourceSchema, ...trackLevel }).nullable(),
  }),
  z.object({ kind: z.literal("play.pause"), channel }),
  z.object({ kind: z.literal("play.resume"), channel }),
  /** Fades out and ends the track; `track.ended` says `stopped`. */
  z.object({ kind: z.literal("play.stop"), channel }),
  /** 100 is unity gain; glides. */
  z.object({ kind: z.literal("play.volume"), channel, percent: z.number().min(0).max(200) }),
  /**
   * What one listener hears of the channel, in percent of what everybody does; 100: the same. It holds for all connections
   * of that name until the channel closes, and costs an encoder while it is another.
   */
  z.object({ kind: z.literal("peer.volume"), channel, peer, percent: z.number().min(0).max(200) }),
  /**
   * By how many dB the music is turned down while somebody speaks, by the levels that their clients tell; 0: never. Announcements
   * are not.
   */
  z.object({ kind: z.literal("duck"), channel, db: z.number().min(0).max(40) }),
  /** Of a track that plays or was opened to follow: it glides there within three seconds. Of any other it changes nothing. */
  z.object({ kind: z.literal("play.gain"), channel, track: trackId, gainDb }),
  /** For what plays, which goes on where it is, and for every track to come. Positions are those of the track as it was made. */
  z.object({ kind: z.literal("play.filters"), channel, filters: filtersSchema }),
  /** Brings what is at a URL (a claim of somebody, which the plane checks) into a new file. Takes up to ten minutes. */
  z.object({
    kind: z.literal("fetch.file"),
    url: z.string().min(1).max(2048),
    path,
    maxBytes: z.number().int().min(1),
  }),
  /** Reads duration and tags of a file without playing it. */
  z.object({ kind: z.literal("probe"), source: fileSourceSchema }),
  /** Measures a file (its first two hours; EBU R 128) as it is heard here, at low priority: about a second for four minutes. */
  z.object({ kind: z.literal("loudness.scan"), source: fileSourceSchema }),
  /**
   * Makes a small JPEG (see `MAX_COVER_PX`) of the picture in a file, of a file that is a picture, or of the one at a URL (a
   * claim of somebody, which the plane checks), into the new file `to`. At low priority, half a minute at most.
   */
  z.object({ kind: z.literal("cover.make"), source: z.union([fileSourceSchema, urlSourceSchema]), to: path }),
  /** Plays a file once over whatever plays, which is turned down meanwhile. One at a time; four more wait. */
  z.object({ kind: z.literal("announce.play"), channel, source: fileSourceSchema }),
  /**
   * Starts (after a pause or a crash: goes on) writing the packets of these speakers, and the music, below `directory`,
   * which exists. Files that are there are never touched: it goes on in new ones.
   */
  z.object({ kind: z.literal("record.start"), channel, recording: recordingId, directory: path, speakers }),
  /** Replaces the list: once this is answered, and in fact from when it is handled, nothing of others is written. */
  z.object({ kind: z.literal("record.allow"), channel, speakers }),
  /** Deletes what the running recording wrote of a speaker since `record.start`, and forgets what waits for the disk. */
  z.object({ kind: z.literal("record.erase"), channel, speaker: peer }),
  /** Flushes and closes all files of the channel's recording. */
  z.object({ kind: z.literal("record.stop"), channel }),
  /** Keeps the last seconds of these voices in memory. Who is not on the list is forgotten at once; 0 forgets everybody. */
  z.object({
    kind: z.literal("clip.keep"),
    channel,
    speakers,
    seconds: z.number().int().min(0).max(MAX_CLIP_SECONDS),
  }),
  /** Writes the last `seconds` of what is kept into `directory`, which exists, as files of a recording. They stay in memory. */
  z.object({
    kind: z.literal("clip.write"),
    channel,
    recording: recordingId,
    directory: path,
    seconds: z.number().int().min(1).max(MAX_CLIP_SECONDS),
  }),
  z.object({ kind: z.literal("stats"), channel }),
  z.object({ kind: z.literal("ping") }),
]);
export type PlaneRequest = z.infer<typeof planeRequestSchema>;
export type PlaneRequestKind = PlaneRequest["kind"];

const nothing = z.object({});
/** What each request resolves to. */
export const planeResultSchemas = {
  "channel.open": nothing,
  "channel.close": nothing,
  "peer.offer": z.object({ sdp }),
  "peer.answer": z.object({ sdp }),
  "peer.answered": nothing,
  "peer.accept": nothing,
  "peer.candidate": nothing,
  "peer.close": nothing,
  "peer.volume": nothing,
  "play.start": nothing,
  "play.next": nothing,
  "play.pause": nothing,
  "play.resume": nothing,
  "play.stop": nothing,
  "play.volume": nothing,
  duck: nothing,
  "play.gain": nothing,
  "play.filters": nothing,
  probe: z.object({
    /** Null for a stream without a known end. */
    durationMs: z.number().nullable(),
    codec: z.string().nullable(),
    title: z.string().max(500).nullable(),
    artist: z.string().max(500).nullable(),
    album: z.string().max(500).nullable(),
  }),
  "loudness.scan": z.object({
    /** Integrated; null when it is silence, or too short to say (0.4 s). */
    lufs: z.number().nullable(),
    /** dBTP; null for digital silence. */
    truePeakDb: z.number().nullable(),
    durationMs: z.number(),
  }),
  /** Null: there is no picture in it that can be shown, and never will be; nothing was written. */
  "cover.make": z.object({ size: z.object({ width: side, height: side }).nullable() }),
  /** What is there, see `Downloaded` of src/fetch/download.ts. Of a stream no file was made. */
  "fetch.file": z.object({
    what: z.enum(["audio", "text", "stream"]),
    /** After redirects. */
    url: z.string().max(10_000),
    contentType: z.string().max(16_384).nullable(),
    bytes: z.number(),
    name: z.string().max(200).nullable(),
  }),
  "announce.play": nothing,
  "record.start": nothing,
  "record.allow": nothing,
  /** Files that are gone. */
  "record.erase": z.object({ files: z.array(file) }),
  "record.stop": nothing,
  "clip.keep": nothing,
  "clip.write": z.object({
    files: z.array(z.object({ speaker: peer, file, what: z.literal("voice"), hasClock })),
  }),
  stats: statsSchema,
  ping: nothing,
} as const satisfies Record<PlaneRequestKind, z.ZodType>;
export type PlaneResult<K extends PlaneRequestKind> = z.infer<(typeof planeResultSchemas)[K]>;
export type TrackTags = PlaneResult<"probe">;
export type Loudness = PlaneResult<"loudness.scan">;
