import type { CandidateKind, IceSettings, PeerState } from "../messages.ts";

/**
 * The port to a WebRTC library. An engine takes one 20 ms stream per channel and gives it to all its connections, and
 * hands over what the other sides send. Engines that code themselves take and give PCM, others Opus as it is on the wire.
 * All pass test/contract/engine and test/integration (interop with a browser).
 */
export interface Engine {
  readonly name: string;
  /** What `EngineOutput.write` needs and `ConnectionEvents.onAudio` gives. */
  readonly audio: "opus" | "pcm";
  /** Whether received audio carries the sender's clock (RTP time and sender reports). */
  readonly hasClock: boolean;
  createOutput(): EngineOutput;
  createConnection(options: ConnectionOptions, events: ConnectionEvents): EngineConnection;
  /** Closes what is left and releases the library. The process may end after it. Idempotent. */
  close(): Promise<void>;
}

/** 20 ms of the channel's own sound: 960 samples at 48 kHz. The buffers are only valid during `write`. */
export interface OutgoingFrame {
  /** One Opus packet; an engine that takes PCM needs none. */
  opus: Uint8Array | null;
  /** 960 × 2 interleaved samples; an engine that takes Opus needs none. */
  pcm: Int16Array | null;
  /** Media time in 48 kHz units, unsigned 32 bit; goes on over pauses with the clock (RFC 7587 section 4.2). */
  timestamp: number;
  /** First frame after silence (RTP marker bit, RFC 3551 section 4.1). */
  marker: boolean;
  /** What single listeners get in its place, in the same moment of the same stream. */
  own?: ReadonlyMap<object, OwnFrame> | undefined;
}

/** What one connection gets instead of what all get, in the form that the engine takes. */
export type OwnFrame = Pick<OutgoingFrame, "opus" | "pcm">;

/** A channel's outgoing stream: written once per frame, whatever the number of listeners. */
export interface EngineOutput {
  write(frame: OutgoingFrame): void;
  /** bit/s, for an engine that takes PCM and encodes itself: connections made from now on. Others send what they are given. */
  setBitrate(bitrate: number): void;
  close(): void;
}

export interface ConnectionOptions {
  /** For logs. */
  label: string;
  output: EngineOutput;
  ice: IceSettings;
  /** Decides about each remote candidate (trickled and in SDP) before the library sees it. */
  candidateAllowed: (candidate: string) => boolean;
}

export interface ReceivedOpus {
  kind: "opus";
  payload: Uint8Array;
  ssrc: number;
  /** Unsigned 16 bit. */
  sequence: number;
  /** 48 kHz units, unsigned 32 bit. */
  timestamp: number;
  marker: boolean;
  /** Monotonic ms (Clock.now) at which the packet arrived. */
  arrivalMs: number;
  /** 0 (loudest) to -127 (silence), RFC 6464; null when the sender does not say. */
  levelDbov: number | null;
}

export interface ReceivedPcm {
  kind: "pcm";
  /** Interleaved. Valid only during the call. */
  samples: Int16Array;
  channels: number;
  sampleRate: number;
  /** Of the first sample: samples per channel that were delivered or left out as silence since the beginning, unsigned 32 bit. */
  timestamp: number;
  arrivalMs: number;
}

export type ReceivedAudio = ReceivedOpus | ReceivedPcm;

/** A sender report's pair of clocks (RFC 3550 section 6.4.1), for alignment. */
export interface SenderClock {
  ssrc: number;
  /** The sender's NTP time in ms since the Unix epoch (its clock, which may be wrong). */
  ntpMs: number;
  timestamp: number;
  arrivalMs: number;
}

/** Called from the library's callbacks; they may throw without ending the process (the engine guards each). */
export interface ConnectionEvents {
  onState(state: PeerState): void;
  /** A local candidate found after the description was handed out. */
  onCandidate(candidate: string, mid: string): void;
  /** `audio.payload` is only valid during the call unless copied. */
  onAudio(audio: ReceivedAudio): void;
  onSenderClock(clock: SenderClock): void;
}

/** Units and meanings are those of `PeerStats`. */
export interface ConnectionStats {
  packetsSent: number;
  packetsSentRecently: number;
  packetsReceived: number;
  packetsMissed: number;
  missedRecently: number | null;
  arrivalJitterMs: number | null;
  lossFraction: number | null;
  lossRecently: number | null;
  lossInAll: number | null;
  jitterMs: number | null;
  /** Monotonic, as `lastHeardAtMs`. */
  reportedAtMs: number | null;
  roundTripMs: number | null;
  /** Of an engine that protects by it. */
  redundancy?: number | null;
  lastHeardAtMs: number | null;
  /** Whether a TURN server of either side carries it; null before it is connected, or when the engine does not know. */
  relayed: boolean | null;
  way: { local: CandidateKind; remote: CandidateKind } | null;
  candidatesUsed: number;
  candidatesRefused: number;
}

/**
 * One peer connection with one audio section, both directions. Made for one negotiation: a new offer of either side
 * means a new connection, unless `restart` takes it.
 */
export interface EngineConnection {
  /** The local offer with the candidates gathered within 2 s. @throws BotError `engine_failed` */
  createOffer(): Promise<string>;
  /** @throws BotError `bad_sdp` when the offer has no usable Opus audio section, is damaged or too large. */
  createAnswer(offer: string): Promise<string>;
  /**
   * The answer to an offer that restarts ICE on this very connection: the same certificate and stream, new ways. `connecting`
   * and `connected` follow once more. Null, at once or later: it is no such offer, or the engine cannot do that, and a new
   * connection is needed. Never throws.
   */
  restart(offer: string): Promise<string | null> | null;
  /** The answer is on its way to the other side: from now on it may be contacted. Idempotent. */
  answerSent(): void;
  /** @throws BotError `bad_sdp` */
  acceptAnswer(answer: string): Promise<void>;
  /** Refused, malformed and late candidates are counted and dropped; never throws. */
  addCandidate(candidate: string, mid: string | null): void;
  stats(): ConnectionStats;
  /** Says goodbye and frees everything; no event follows. Idempotent. */
  close(): void;
}
