import { networkInterfaces } from "node:os";
import { SerialQueue } from "../base/async.ts";
import { BotError } from "../base/errors.ts";
import { Adaptation } from "./audio/adaptation.ts";
import { createOpusEncoder } from "./audio/encoder.ts";
import type { OpusEncoder } from "./audio/encoder.ts";
import { LevelMeter } from "./audio/levels.ts";
import { SpeechWatch } from "./audio/speech-watch.ts";
import { Pacer } from "./audio/pacer.ts";
import type { FrameSlot } from "./audio/pacer.ts";
import { FRAME_VALUES, rmsDbov } from "./audio/pcm.ts";
import { ChannelPlayer } from "./channel-player.ts";
import type { PlaneContext } from "./context.ts";
import type { PlayNext, PlayStart } from "./deck.ts";
import { candidatePolicy, subnetsOf } from "./engine/candidates.ts";
import type { EngineOutput, ReceivedAudio } from "./engine/engine.ts";
import { KeptSound } from "./kept-sound.ts";
import type { Filters, IceSettings, PlaneResult } from "./messages.ts";
import { OwnVolumes } from "./own-volumes.ts";
import { Peers } from "./peers.ts";

/** Silent frames after the last sound, so that decoders fade instead of concealing (RFC 6716 section 2.1.9 DTX does less). */
const TAIL_FRAMES = 6;

/** The listeners' reports are looked at so often: browsers send one every five seconds. */
const ADAPT_EVERY_FRAMES = 250;

/** One channel: its outgoing stream (player, clock, encoder, output), its connections, and what is kept of its sound. */
export class ChannelMedia {
  readonly #channel: string;
  readonly #context: PlaneContext;
  readonly #output: EngineOutput;
  readonly #player: ChannelPlayer;
  readonly #pacer: Pacer;
  readonly #levels: LevelMeter;
  /** Starting a track waits for its file; what follows must not overtake it. */
  readonly #playing = new SerialQueue();
  readonly #frame = new Int16Array(FRAME_VALUES);
  readonly peers: Peers;
  readonly kept: KeptSound;
  readonly #own: OwnVolumes;
  #encoder: OpusEncoder | null = null;
  readonly #adaptation: Adaptation;
  #sinceAdapted = 0;
  readonly #speech = new SpeechWatch();
  #duckDb = 0;
  #tail = 0;
  #closed = false;

  constructor(channel: string, settings: { ice: IceSettings; bitrate: number }, context: PlaneContext) {
    const { engine, clock, log, emit, ffmpeg } = context;
    this.#channel = channel;
    this.#context = context;
    this.#adaptation = new Adaptation(settings.bitrate);
    this.#output = engine.createOutput();
    this.#output.setBitrate(settings.bitrate);
    this.#pacer = new Pacer({ clock, onFrame: (slot) => this.#onFrame(slot) });
    this.#player = new ChannelPlayer({
      channel,
      clock,
      log,
      ffmpeg,
      rubberband: context.rubberband,
      network: context.guard,
      emit,
      onReady: () => this.#pacer.start(),
    });
    this.#levels = new LevelMeter(clock, (speakers) => emit({ kind: "levels", channel, speakers }));
    this.kept = new KeptSound(channel, context, () => this.peers.roundTrips());
    this.#own = new OwnVolumes({ connection: (peer) => this.peers.connected(peer) });
    this.peers = new Peers({
      engine,
      clock,
      output: this.#output,
      ice: settings.ice,
      candidateAllowed: this.#candidatePolicy(settings.ice),
      events: {
        onState: (peer, state) => {
          if (state === "closed" || state === "failed") {
            this.#levels.forget(peer);
            this.#speech.forget(peer);
            this.kept.left(peer);
          }
          emit({ kind: "peer.state", channel, peer, state });
        },
        onCandidate: (peer, candidate, mid) =>
          emit({ kind: "peer.candidate", channel, peer, candidate, mid }),
        onAudio: (peer, audio) => this.#onAudio(peer, audio),
        onSenderClock: (peer, senderClock) => this.kept.senderClock(peer, senderClock),
      },
    });
  }

  /** Of one listener, in percent of what everybody hears. */
  peerVolume(peer: string, percent: number): void {
    this.#own.set(peer, percent);
  }

  /** While somebody speaks the music is so much quieter, in dB; 0: never. */
  duck(db: number): void {
    this.#duckDb = db;
  }

  configure(settings: { ice: IceSettings; bitrate: number }): void {
    this.#adaptation.configure(settings.bitrate);
    this.#encoder?.set(this.#adaptation.settings);
    this.#own.configure(this.#adaptation.settings);
    this.#output.setBitrate(settings.bitrate);
    this.peers.configure(settings.ice, this.#candidatePolicy(settings.ice));
  }

  start(request: PlayStart): Promise<void> {
    return this.#playing.run(async () => {
      this.#alive();
      await this.#player.deck.start(request);
      if (this.#closed) this.#player.close();
    });
  }

  next(next: PlayNext | null): Promise<void> {
    return this.#playing.run(async () => {
      this.#alive();
      await this.#player.deck.follow(next);
      if (this.#closed) this.#player.close();
    });
  }

  filters(filters: Filters): Promise<void> {
    return this.#playing.run(async () => {
      this.#alive();
      await this.#player.deck.filter(filters);
      if (this.#closed) this.#player.close();
    });
  }

  pause(): Promise<void> {
    return this.#playing.run(() => this.#player.deck.pause());
  }

  resume(): Promise<void> {
    return this.#playing.run(() => this.#player.deck.resume());
  }

  stop(): Promise<void> {
    return this.#playing.run(() => this.#player.deck.stop());
  }

  /** @throws BotError `media_unreadable`, `ffmpeg_missing`, `queue_full` */
  announce(file: string): Promise<void> {
    this.#alive();
    return this.#player.announce(file);
  }

  /** Of the track of that name alone. */
  gain(track: string, db: number): Promise<void> {
    return this.#playing.run(() => this.#player.deck.gain(track, db));
  }

  volume(percent: number): Promise<void> {
    return this.#playing.run(() => this.#player.volume(percent));
  }

  stats(): PlaneResult<"stats"> {
    return {
      engine: this.#context.engine.name,
      peers: this.peers.stats(),
      lateFrames: this.#pacer.lateFrames,
      rssBytes: process.memoryUsage.rss(),
      encoder: this.#encoder && this.#adaptation.settings,
    };
  }

  /** Idempotent; resolves when the recording's files are closed. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#player.close();
      this.#pacer.close();
      this.#levels.close();
      this.peers.closeAll();
      this.#output.close();
      this.#encoder?.close();
      this.#encoder = null;
      this.#own.close();
    }
    await this.kept.close();
  }

  #candidatePolicy({ allowPrivate, localSubnets = [] }: IceSettings): (candidate: string) => boolean {
    return candidatePolicy({
      allowPrivate,
      ownSubnets: [...subnetsOf(networkInterfaces()), ...localSubnets],
      onRefused: (why) => this.#context.log.debug("candidate_refused", { channel: this.#channel, why }),
    });
  }

  #alive(): void {
    if (this.#closed) throw new BotError("cancelled", `the channel ${this.#channel} was closed`);
  }

  /** Makes and sends the frame of one slot; false when there is nothing left to send. */
  #onFrame(slot: FrameSlot): boolean {
    const isSpoken = this.#duckDb > 0 && this.#speech.speaking(this.#context.clock.now());
    this.#player.turnDownBy(isSpoken ? this.#duckDb : 0);
    const sound = this.#player.mix(this.#frame);
    if (sound !== "silence") this.#tail = TAIL_FRAMES;
    else if (this.#tail-- <= 0) {
      this.#tail = 0;
      return false;
    }
    const recorded = this.kept.recording;
    const heard = this.peers.size > 0;
    if (!heard && !recorded) return true;
    const { timestamp, marker } = slot;
    if (this.#context.engine.audio === "pcm") {
      const own = this.#own.frames(this.#player.unlimited, marker, null);
      if (heard) this.#output.write({ opus: null, pcm: this.#frame, timestamp, marker, own });
      if (!recorded) return true;
    }
    this.#encoder ??= createOpusEncoder(this.#adaptation.settings.bitrate);
    if (this.#context.engine.audio === "opus") this.#adapt(this.#encoder);
    const opus = this.#encoder.encode(this.#frame);
    if (heard && this.#context.engine.audio === "opus") {
      const own = this.#own.frames(this.#player.unlimited, marker, this.#adaptation.settings);
      this.#output.write({ opus, pcm: null, timestamp, marker, own });
    }
    // That it is being recorded is said in every recording, and alone makes no track of it.
    const sounds = sound === "music";
    this.kept.music({ payload: opus, timestamp, marker, atMs: slot.dueMs, sounds });
    return true;
  }

  #adapt(encoder: OpusEncoder): void {
    if (++this.#sinceAdapted < ADAPT_EVERY_FRAMES) return;
    this.#sinceAdapted = 0;
    const encoding = this.#adaptation.take(this.#context.clock.now(), this.peers.losses());
    encoder.set(encoding);
    this.#own.configure(encoding);
  }

  #onAudio(peer: string, audio: ReceivedAudio): void {
    const level = audio.kind === "pcm" ? rmsDbov(audio.samples) : audio.levelDbov;
    if (level !== null) {
      this.#levels.add(peer, level);
      this.#speech.take(peer, level, audio.timestamp, this.#context.clock.now());
    }
    this.kept.audio(peer, audio);
  }
}
