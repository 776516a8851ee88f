import type { ChannelPhase, LinkPhase } from "../channel/session.ts";
import type { CandidateKind, PlaneResult, PlaneState } from "../media/plane.ts";
import type { Missing } from "../room-admin/missing.ts";

/*
 * What is known of one room's channel at one moment, as data: `!check` and the metrics both come of it. Made on request
 * (build.ts); nothing is measured for it per frame that is not counted anyway. All times are ages or spans in ms, all loss
 * is a fraction from 0 to 1; null is "not known" or "never". No addresses: the room and the metrics get kinds only.
 */
export interface ChannelReport {
  readonly roomId: string;
  readonly bot: BotReport;
  /** The others in the channel, whether the bot is in it or not; at most as many as a channel may have. */
  readonly members: readonly MemberReport[];
}

export interface BotReport {
  readonly userId: string;
  readonly phase: ChannelPhase;
  readonly phaseForMs: number;
  readonly plane: PlaneState;
  /** What the media plane told of the channel; null when it has none, or did not answer. */
  readonly media: {
    readonly engine: string;
    readonly lateFrames: number;
    /** What the encoder does about the members' loss; null before there was anything to encode. */
    readonly encoder?: PlaneResult<"stats">["encoder"];
  } | null;
  readonly playing: "silent" | "playing" | "paused";
  /** 0 to 200. */
  readonly volumePercent: number;
  readonly recordingForMs: number | null;
  /** Whether a TURN server is known, from the configuration or the homeserver. */
  readonly relays: boolean;
  /** Since the homeserver last answered a sync. */
  readonly syncAgeMs: number | null;
  readonly outbox: OutboxReport;
  /** What the room does not let the bot, or its members, do. */
  readonly missing: readonly Missing[];
}

export interface OutboxReport {
  readonly waiting: number;
  /** How long the oldest has been waiting; 0 when none is. */
  readonly oldestMs: number;
  /** The homeserver's rate limit was met lately. */
  readonly limited: boolean;
}

export interface MemberReport {
  /** Device key; the metrics must not have it as a label without bound. */
  readonly key: string;
  readonly userId: string;
  /** A stranger's text. */
  readonly name: string;
  readonly inChannelForMs: number;
  readonly link: LinkPhase;
  /** Since when it is connected; or, when it is not, since when it has been without a connection. */
  readonly linkForMs: number;
  /** It has offered or answered, so it is no client without WebRTC. */
  readonly described: boolean;
  /** Offers of ours without an answer, in a row. */
  readonly offersUnanswered: number;
  /** Connections that failed, in a row. */
  readonly failures: number;
  /** Null without a connection on the plane. */
  readonly media: MemberMedia | null;
}

export interface MemberMedia {
  /** Kinds of the candidates that are used; null before it is connected. */
  readonly way: { readonly local: CandidateKind; readonly remote: CandidateKind } | null;
  /** Whether a TURN server of either side carries it. */
  readonly relayed: boolean | null;
  /** Candidates of theirs that are used, and that the policy refused (private networks, names). */
  readonly candidates: { readonly used: number; readonly refused: number };
  readonly roundTripMs: number | null;
  /** Of our stream to them, by their receiver reports. */
  readonly outgoing: {
    readonly packets: number;
    /** Packets sent in the last ten seconds. */
    readonly recentPackets: number;
    /** Over the last ten seconds; null when they reported nothing in that time. */
    readonly loss: number | null;
    /** Since it is connected. */
    readonly lossInAll: number | null;
    readonly jitterMs: number | null;
    /** Earlier packets that each one carries along for their loss; null when they take none. */
    readonly redundancy?: number | null;
    /** Since their last report about it. */
    readonly reportAgeMs: number | null;
  };
  /** Of theirs to us, by our own count. */
  readonly incoming: {
    readonly packets: number;
    readonly loss: number | null;
    readonly lossInAll: number | null;
    readonly jitterMs: number | null;
    /** Since the last packet of sound; null: none came. */
    readonly packetAgeMs: number | null;
    /** Since the last packet that was louder than a quiet room; null: none was. */
    readonly soundAgeMs: number | null;
    /**
     * RMS of what sounded in the last ten seconds in dBFS, where a full-scale sine is -3 (the dBov of RFC 6464); -127 is
     * digital silence, as of a muted microphone. Null: nothing came, or too little to tell.
     */
    readonly levelDbfs: number | null;
    /** In the last ten seconds only packets that say "silence goes on" came (DTX). */
    readonly dtx: boolean;
  };
}
