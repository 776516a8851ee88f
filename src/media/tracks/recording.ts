import path from "node:path";
import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { ReceivedOpus, SenderClock } from "../engine/engine.ts";
import { nextNumbers, readBootId, retireNumber, trackName } from "./place.ts";
import type { NextNumbers } from "./place.ts";
import { TrackWriter } from "./writer.ts";

export interface RecordingEvents {
  /** `hasClock` is there, and false, where only arrival tells when something was said. */
  onTrack(track: { speaker: string; file: string; what: "voice" | "music"; hasClock?: false }): void;
  /** Called once; the files were closed as far as possible. */
  onFailed(detail: string): void;
}

export interface RecordingOptions {
  recording: string;
  directory: string;
  /** Whose voices are written, until `allow`. */
  speakers: readonly string[];
  /** What is known of the ways to the speakers, in ms. */
  roundTrips?: () => Iterable<readonly [speaker: string, ms: number]>;
  engine: { name: string; hasClock: boolean };
  clock: Clock;
  events: RecordingEvents;
}

const FLUSH_MS = 1_000;
const EPOCH_EVERY_MS = 60_000;
const PATH_EVERY_MS = 5_000;
/** Speakers beyond this get no file: somebody is making up speakers. */
const MAX_TRACKS = 500;
/** Files of one who went, or was taken off the list, and came back, and of all of them. */
const MAX_RETIRED = 200;
const MAX_RETIRED_IN_ALL = 10_000;
/** Speaker of the music track in its header and in `record.track`. */
export const MUSIC_SPEAKER = "music";

export interface MusicPacket {
  payload: Uint8Array;
  timestamp: number;
  marker: boolean;
  atMs: number;
  sounds: boolean;
}

/**
 * Writes the music and those speakers who are on its list below one directory, a file each, flushed together once a
 * second. It never writes into a file that was there, nor uses the number of one that was erased.
 */
export class Recording {
  readonly recording: string;
  readonly #options: RecordingOptions;
  /** By speaker. */
  readonly #tracks = { voice: new Map<string, TrackWriter>(), music: new Map<string, TrackWriter>() };
  /** Files that are complete, by speaker. */
  readonly #retired = new Map<string, TrackWriter[]>();
  #retiredCount = 0;
  #allowed: ReadonlySet<string>;
  readonly #erasing = new Set<Promise<void>>();
  readonly #closing = new Set<Promise<void>>();
  #next: NextNumbers;
  #timer: Timer | null = null;
  #epochDueMs: number;
  #pathDueMs: number;
  #flushing: Promise<void> = Promise.resolve();
  #state: "open" | "closed" = "open";

  private constructor(options: RecordingOptions, next: NextNumbers) {
    this.recording = options.recording;
    this.#options = options;
    this.#next = next;
    this.#allowed = new Set(options.speakers);
    this.#epochDueMs = options.clock.now() + EPOCH_EVERY_MS;
    this.#pathDueMs = options.clock.now() + PATH_EVERY_MS;
    this.#arm();
  }

  /** Goes on with new files when there are some already. @throws when the directory cannot be read. */
  static async open(options: RecordingOptions): Promise<Recording> {
    return new Recording(options, await nextNumbers(options.directory));
  }

  /**
   * From here on only these speakers' packets are written. What there is of others stays, until it is erased; should they be
   * allowed again, that is another file (a name may be somebody else's by then, and a file has one owner).
   */
  allow(speakers: readonly string[]): void {
    this.#allowed = new Set(speakers);
    for (const [speaker, track] of this.#tracks.voice)
      if (!this.#allowed.has(speaker)) this.#retire(speaker, track);
  }

  allows(speaker: string): boolean {
    return this.#state === "open" && this.#allowed.has(speaker);
  }

  /**
   * Takes the speaker off the list, forgets what is buffered and deletes the file. An empty file `….erased` keeps its
   * number from being used again. @returns the names of the files that are gone. @throws what the system said.
   */
  async erase(speaker: string): Promise<string[]> {
    this.#allowed = new Set([...this.#allowed].filter((other) => other !== speaker));
    const track = this.#tracks.voice.get(speaker);
    const tracks = [...(this.#retired.get(speaker) ?? []), ...(track ? [track] : [])];
    this.#tracks.voice.delete(speaker);
    this.#retired.delete(speaker);
    if (tracks.length === 0) return [];
    const erasing = Promise.all(tracks.map(eraseTrack));
    const settled: Promise<void> = erasing.then(
      () => undefined,
      () => undefined,
    );
    this.#erasing.add(settled);
    await settled;
    this.#erasing.delete(settled);
    await erasing;
    return tracks.map(({ path: file }) => path.basename(file));
  }

  packet(speaker: string, packet: ReceivedOpus): void {
    if (this.#allowed.has(speaker)) this.#track("voice", speaker)?.packet(packet);
  }

  senderClock(speaker: string, clock: SenderClock): void {
    // Only for who has a file: a report of somebody silent is nothing to record.
    if (this.#allowed.has(speaker)) this.#tracks.voice.get(speaker)?.senderClock(clock);
  }

  /**
   * One packet of the channel's own output; `sounds` is false for the silence that ends a track. What ended before the
   * recording leaves no more than that, and it makes no file.
   */
  music(packet: MusicPacket): void {
    const track = packet.sounds ? this.#track("music", MUSIC_SPEAKER) : this.#tracks.music.get(MUSIC_SPEAKER);
    track?.music(packet);
  }

  /** Flushes and closes every file. Idempotent; failures have been told by `onFailed`. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#timer?.cancel();
    await this.#flushing;
    const failure = await this.#closeTracks();
    await Promise.all([...this.#erasing, ...this.#closing]);
    if (failure !== null) this.#options.events.onFailed(messageOf(failure).slice(0, 500));
  }

  #track(what: "voice" | "music", speaker: string): TrackWriter | null {
    if (this.#state === "closed") return null;
    const tracks = this.#tracks[what];
    const known = tracks.get(speaker);
    if (known) return known;
    if (this.#writers().length >= MAX_TRACKS || this.#retiredCount >= MAX_RETIRED_IN_ALL) return null;
    if ((this.#retired.get(speaker)?.length ?? 0) >= MAX_RETIRED) return null;
    const { recording, directory, engine, clock, events } = this.#options;
    const file = trackName(what, this.#next[what]++);
    const hasClock = what === "music" || engine.hasClock;
    const writer = new TrackWriter({
      path: path.join(directory, file),
      clock,
      header: {
        recording,
        speaker,
        what,
        codec: "opus",
        clockRate: 48_000,
        engine: engine.name,
        hasClock,
      },
      bootId: readBootId(),
    });
    tracks.set(speaker, writer);
    events.onTrack({ speaker, file, what, ...(hasClock ? {} : { hasClock }) });
    return writer;
  }

  #retire(speaker: string, track: TrackWriter): void {
    this.#tracks.voice.delete(speaker);
    this.#retired.set(speaker, [...(this.#retired.get(speaker) ?? []), track]);
    this.#retiredCount++;
    const closing = track.close().catch((error: unknown) => this.#fail(error));
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }

  #writers(): TrackWriter[] {
    return [...this.#tracks.voice.values(), ...this.#tracks.music.values()];
  }

  #arm(): void {
    this.#timer = this.#options.clock.timer(FLUSH_MS, () => {
      this.#flushing = this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const now = this.#options.clock.now();
    if (now >= this.#epochDueMs) {
      this.#epochDueMs = now + EPOCH_EVERY_MS;
      for (const track of this.#writers()) track.epoch();
    }
    if (now >= this.#pathDueMs) {
      this.#pathDueMs = now + PATH_EVERY_MS;
      for (const [speaker, ms] of this.#options.roundTrips?.() ?? [])
        if (this.#allowed.has(speaker)) this.#tracks.voice.get(speaker)?.roundTrip(ms);
    }
    try {
      await Promise.all(this.#writers().map((track) => track.flush()));
    } catch (error) {
      await this.#fail(error);
      return;
    }
    if (this.#state === "open") this.#arm();
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    await this.#closeTracks();
    this.#options.events.onFailed(messageOf(error).slice(0, 500));
  }

  /** Returns the first failure. */
  async #closeTracks(): Promise<unknown> {
    let failure: unknown = null;
    for (const track of this.#writers()) {
      try {
        await track.close();
      } catch (error) {
        failure ??= error;
      }
    }
    this.#tracks.voice.clear();
    this.#tracks.music.clear();
    return failure;
  }
}

async function eraseTrack(track: TrackWriter): Promise<void> {
  const gone = track.discard();
  await retireNumber(track.path);
  await gone;
}
