import { z } from "zod";

export const candidateKindSchema = z.enum(["host", "srflx", "prflx", "relay"]);
export type CandidateKind = z.infer<typeof candidateKindSchema>;

/** "Recent" is the last ten seconds or so, "in all" since the connection. Fractions are from 0 to 1. */
const peerStatsSchema = z.object({
  peer: z.string().min(1).max(255),
  state: z.string(),
  packetsSent: z.number(),
  packetsSentRecently: z.number(),
  packetsReceived: z.number(),
  /** Packets of the peer that never arrived, from sequence numbers. */
  packetsMissed: z.number(),
  /** Of the peer's packets those that did not arrive; null when none were due. */
  missedRecently: z.number().nullable(),
  /** How unevenly the peer's packets arrive (RFC 3550 section 6.4.1); null before the first. */
  arrivalJitterMs: z.number().nullable(),
  /** From the peer's receiver reports about our stream: its newest interval; null before the first. */
  lossFraction: z.number().nullable(),
  /** The same reports; null when they cover nothing that was sent in that time. */
  lossRecently: z.number().nullable(),
  lossInAll: z.number().nullable(),
  jitterMs: z.number().nullable(),
  /** Age of the newest such report; null before the first. */
  reportAgeMs: z.number().nullable(),
  roundTripMs: z.number().nullable(),
  /** Earlier packets that each of ours to it carries along (RFC 2198); null when it takes none. */
  redundancy: z.number().nullable(),
  /** Age of the last RTP or RTCP packet from it; null before the first. */
  lastHeardMs: z.number().nullable(),
  /** Whether a TURN server carries it; null before it is connected. */
  relayed: z.boolean().nullable(),
  /** Kinds of the two candidates in use; null before it is connected, or when the engine does not know. */
  way: z.object({ local: candidateKindSchema, remote: candidateKindSchema }).nullable(),
  /** Of the candidates that the peer named. */
  candidatesUsed: z.number(),
  candidatesRefused: z.number(),
  voice: z.object({
    /** Age of the newest packet of sound, and of the newest louder than a quiet room; null: none came. */
    packetAgeMs: z.number().nullable(),
    soundAgeMs: z.number().nullable(),
    /**
     * RMS of what sounded lately, or of the silence if nothing did, in dBFS where a full-scale sine is -3 (the dBov of
     * RFC 6464); -127 is digital silence. Null when nothing came, or too little to tell.
     */
    levelDbfs: z.number().nullable(),
    /** Lately came only what says that silence goes on. */
    dtx: z.boolean(),
    /** Of the frames that were decoded lately those with clipped samples; null when too few were decoded to tell. */
    clippedRecently: z.number().min(0).max(1).nullable(),
  }),
});
export type PeerStats = z.infer<typeof peerStatsSchema>;

/** What a channel tells of itself when asked. */
export const statsSchema = z.object({
  engine: z.string().max(64),
  peers: z.array(peerStatsSchema),
  /** Late or dropped 20 ms slots of the pacing clock since the channel opened. */
  lateFrames: z.number(),
  rssBytes: z.number(),
  /** What the encoder does about the listeners' loss; null before there was anything to encode. */
  encoder: z
    .object({
      /** bit/s */
      bitrate: z.number(),
      /** Percent that it reckons with. */
      expectedLoss: z.number(),
      fec: z.boolean(),
    })
    .nullable(),
});
