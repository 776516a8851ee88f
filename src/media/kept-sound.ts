import { SerialQueue } from "../base/async.ts";
import { BotError, messageOf } from "../base/errors.ts";
import { VoiceEncoder } from "./audio/voice-encoder.ts";
import type { PlaneContext } from "./context.ts";
import type { ReceivedAudio, ReceivedOpus, SenderClock } from "./engine/engine.ts";
import type { PlaneRequest } from "./messages.ts";
import { ClipRing } from "./tracks/clip-ring.ts";
import type { ClipFile } from "./tracks/clip-ring.ts";
import { Recording } from "./tracks/recording.ts";
import type { MusicPacket } from "./tracks/recording.ts";

type Asked<K extends PlaneRequest["kind"]> = Omit<Extract<PlaneRequest, { kind: K }>, "kind" | "channel">;

/**
 * What is kept of a channel's sound: its recording, and the ring in memory that clips are made of. Each has a list of
 * its own; of a speaker who is on neither nothing is kept, nor encoded on the way there.
 */
export class KeptSound {
  readonly #channel: string;
  readonly #context: PlaneContext;
  readonly #roundTrips: () => Iterable<readonly [speaker: string, ms: number]>;
  /** Starting and closing wait for files; what follows must not overtake it. */
  readonly #jobs = new SerialQueue();
  /** Of an engine that gives PCM, by speaker. */
  readonly #encoders = new Map<string, VoiceEncoder>();
  readonly #clip: ClipRing;
  #recording: Recording | null = null;
  #closed = false;

  /** @param roundTrips what is known of the ways to the speakers, in ms */
  constructor(
    channel: string,
    context: PlaneContext,
    roundTrips: () => Iterable<readonly [speaker: string, ms: number]>,
  ) {
    this.#channel = channel;
    this.#context = context;
    this.#roundTrips = roundTrips;
    const { engine, clock } = context;
    this.#clip = new ClipRing({ engine, clock, roundTrips });
  }

  /** Whether the channel's own sound is wanted. */
  get recording(): boolean {
    return this.#recording !== null;
  }

  /** @throws BotError `already_recording`, `internal` when the directory cannot be used. */
  start({ recording, directory, speakers }: Asked<"record.start">): Promise<void> {
    return this.#jobs.run(async () => {
      if (this.#closed) throw new BotError("cancelled", `the channel ${this.#channel} was closed`);
      if (this.#recording?.recording === recording) {
        this.#recording.allow(speakers);
        this.#forgetOthers(speakers);
        return;
      }
      if (this.#recording) throw new BotError("already_recording", "the channel is being recorded already");
      const { engine, clock, emit } = this.#context;
      const channel = this.#channel;
      const opened: Recording = await Recording.open({
        ...{ recording, directory, speakers, engine, clock, roundTrips: this.#roundTrips },
        events: {
          onTrack: (track) => emit({ kind: "record.track", channel, recording, ...track }),
          onFailed: (detail) => {
            if (this.#recording === opened) this.#recording = null;
            emit({ kind: "record.failed", channel, recording, detail });
          },
        },
      }).catch((error: unknown) => {
        throw new BotError("internal", `cannot record into ${directory}: ${messageOf(error)}`, {
          cause: error,
        });
      });
      this.#recording = opened;
    });
  }

  /** At once where it can be, behind the start of a recording where it must. @throws BotError `not_found` */
  async allow(speakers: readonly string[]): Promise<void> {
    if (!this.#recording) await this.#jobs.idle();
    if (!this.#recording) throw new BotError("not_found", "nothing is being recorded");
    this.#recording.allow(speakers);
    this.#forgetOthers(speakers);
  }

  /**
   * Nothing of the speaker is written any more when this returns, and the files that it names are gone when it resolves;
   * none when nothing is recorded. @throws BotError `internal` when the disk does not let go of them.
   */
  async erase(speaker: string): Promise<string[]> {
    if (!this.#recording) await this.#jobs.idle();
    this.#discard(speaker);
    try {
      return (await this.#recording?.erase(speaker)) ?? [];
    } catch (error) {
      throw new BotError("internal", `cannot erase: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Resolves when all files are on the disk; no effect when nothing is recorded. */
  stop(): Promise<void> {
    return this.#jobs.run(async () => {
      // What is there of their last frames belongs to the recording.
      for (const speaker of this.#encoders.keys()) if (!this.#clip.keeps(speaker)) this.left(speaker);
      const recording = this.#recording;
      this.#recording = null;
      await recording?.close();
    });
  }

  keepClip(speakers: readonly string[], seconds: number): void {
    this.#clip.keep(speakers, seconds);
    this.#forgetOthers(speakers);
  }

  /** @throws BotError `disk_full`, `internal` when it could not be written; no file is left then. */
  async writeClip({ recording, directory, seconds }: Asked<"clip.write">): Promise<ClipFile[]> {
    try {
      return await this.#clip.write(recording, directory, seconds);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const full = code === "ENOSPC" || code === "EDQUOT";
      throw new BotError(full ? "disk_full" : "internal", `cannot write the clip: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  audio(speaker: string, audio: ReceivedAudio): void {
    if (!this.#wanted(speaker)) this.#discard(speaker);
    else if (audio.kind === "opus") this.#packet(speaker, audio);
    else {
      let encoder = this.#encoders.get(speaker);
      if (!encoder) {
        encoder = new VoiceEncoder((packet) => this.#packet(speaker, packet));
        this.#encoders.set(speaker, encoder);
      }
      encoder.take(audio);
    }
  }

  /** The speaker's connection ended; what it says over the next one has other times. */
  left(speaker: string): void {
    this.#encoders.get(speaker)?.close();
    this.#encoders.delete(speaker);
  }

  senderClock(speaker: string, clock: SenderClock): void {
    this.#recording?.senderClock(speaker, clock);
    this.#clip.senderClock(speaker, clock);
  }

  music(packet: MusicPacket): void {
    this.#recording?.music(packet);
  }

  /** Idempotent; resolves when the files are closed. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#clip.close();
    await this.stop();
  }

  /** Whoever drops off a list leaves no half frame either: a key may be somebody else's a moment later. */
  #forgetOthers(speakers: readonly string[]): void {
    const stay = new Set(speakers);
    for (const speaker of this.#encoders.keys()) if (!stay.has(speaker)) this.#discard(speaker);
  }

  #discard(speaker: string): void {
    this.#encoders.get(speaker)?.discard();
    this.#encoders.delete(speaker);
  }

  #wanted(speaker: string): boolean {
    return this.#clip.keeps(speaker) || (this.#recording?.allows(speaker) ?? false);
  }

  #packet(speaker: string, packet: ReceivedOpus): void {
    this.#recording?.packet(speaker, packet);
    this.#clip.packet(speaker, packet);
  }
}
