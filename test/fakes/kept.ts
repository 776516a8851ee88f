import type { Clock } from "../../src/base/clock.ts";
import { BotError } from "../../src/base/errors.ts";
import type { PlaneEventOf, PlaneResult } from "../../src/media/plane.ts";
import { FakePlayback } from "./playback.ts";

type Opened = Omit<PlaneEventOf<"record.track">, "kind" | "channel">;

interface Recorded {
  id: string;
  directory: string;
  speakers: Set<string>;
  /** Those that are written, by what and speaker, and those that are complete. */
  files: Map<string, string>;
  complete: { speaker: string; file: string }[];
}

/** What a fake channel keeps of its sound: names of files that nobody writes. */
export class FakeKept {
  readonly #clock: Clock;
  /** Number of the last file below each directory. */
  readonly #numbers: Map<string, number>;
  #recording: Recorded | null = null;
  #clip = { speakers: new Set<string>(), seconds: 0, heardMs: new Map<string, number>() };

  constructor(clock: Clock, numbers: Map<string, number>) {
    this.#clock = clock;
    this.#numbers = numbers;
  }

  start(id: string, directory: string, speakers: readonly string[]): void {
    if (this.#recording && this.#recording.id !== id)
      throw new BotError("already_recording", "the channel is being recorded already");
    if (this.#recording) this.allow(speakers);
    else this.#recording = { id, directory, speakers: new Set(speakers), files: new Map(), complete: [] };
  }

  allow(speakers: readonly string[]): void {
    if (!this.#recording) throw new BotError("not_found", "nothing is being recorded");
    for (const speaker of this.#recording.speakers) if (!speakers.includes(speaker)) this.#complete(speaker);
    this.#recording.speakers = new Set(speakers);
  }

  erase(speaker: string): string[] {
    this.#complete(speaker);
    this.#recording?.speakers.delete(speaker);
    const { complete = [] } = this.#recording ?? {};
    const files = complete.flatMap((one) => (one.speaker === speaker ? [one.file] : []));
    if (this.#recording) this.#recording.complete = complete.filter((one) => one.speaker !== speaker);
    return files;
  }

  stop(): void {
    this.#recording = null;
  }

  keepClip(speakers: readonly string[], seconds: number): void {
    const kept = new Set(seconds === 0 ? [] : speakers);
    const heardMs = new Map([...this.#clip.heardMs].filter(([speaker]) => kept.has(speaker)));
    this.#clip = { speakers: kept, seconds, heardMs };
  }

  writeClip(directory: string, seconds: number): PlaneResult<"clip.write">["files"] {
    const sinceMs = this.#clock.now() - Math.min(seconds, this.#clip.seconds) * 1000;
    const heard = [...this.#clip.heardMs].filter(([, atMs]) => atMs >= sinceMs);
    return heard.map(([speaker]) => ({ speaker, file: this.#file(directory, "voice"), what: "voice" }));
  }

  /** A speaker or the music sounds. @returns the file that was opened for it, if any. */
  heard(speaker: string, what: "voice" | "music"): Opened | null {
    if (what === "voice" && this.#clip.speakers.has(speaker))
      this.#clip.heardMs.set(speaker, this.#clock.now());
    const recording = this.#recording;
    if (!recording || recording.files.has(`${what} ${speaker}`)) return null;
    if (what === "voice" && !recording.speakers.has(speaker)) return null;
    const file = this.#file(recording.directory, what);
    recording.files.set(`${what} ${speaker}`, file);
    return { recording: recording.id, speaker, file, what };
  }

  #complete(speaker: string): void {
    const file = this.#recording?.files.get(`voice ${speaker}`);
    if (file === undefined) return;
    this.#recording?.files.delete(`voice ${speaker}`);
    this.#recording?.complete.push({ speaker, file });
  }

  #file(directory: string, what: "voice" | "music"): string {
    const key = `${what} ${directory}`;
    const number = (this.#numbers.get(key) ?? 0) + 1;
    this.#numbers.set(key, number);
    return `${what}-${String(number).padStart(3, "0")}.mvt`;
  }
}

/** Announcements that play by the clock, one after the other. */
export class FakeAnnouncements {
  readonly #clock: Clock;
  readonly #onSound: () => void;
  #waiting: number[] = [];
  #playing: FakePlayback | null = null;

  constructor(clock: Clock, onSound: () => void) {
    this.#clock = clock;
    this.#onSound = onSound;
  }

  /** @throws BotError `queue_full` */
  play(durationMs: number): void {
    if (this.#waiting.length >= 4) throw new BotError("queue_full", "too many announcements are waiting");
    this.#waiting.push(durationMs);
    if (!this.#playing) this.#next();
  }

  close(): void {
    this.#waiting = [];
    this.#playing?.drop();
  }

  #next(): void {
    const durationMs = this.#waiting.shift();
    this.#playing = null;
    if (durationMs === undefined) return;
    const kind = "play.start" as const;
    const request = {
      ...{ kind, channel: "", track: "announcement", source: { path: "" }, positionMs: 0, paused: false },
    };
    this.#playing = new FakePlayback(this.#clock, request, durationMs, {
      emit: (event) => {
        if (event.kind === "track.ended") this.#next();
      },
      onSound: this.#onSound,
    });
  }
}
