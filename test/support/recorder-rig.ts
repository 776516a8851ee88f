// A room's recorder over a fake media plane and a clock that stands still; the disk is real. It can be killed and started.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock, Timer } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import type { Sentence } from "../../src/base/messages/catalogue.ts";
import type { IceSettings, PlaneRequest, PlaneRequestKind } from "../../src/media/plane.ts";
import { RecordingArchive } from "../../src/recorder/archive.ts";
import type { RecordingConsent } from "../../src/recorder/consent-port.ts";
import { readJournal, type ConsentMode, type JournalEntry } from "../../src/recorder/journal.ts";
import type { RecordingLimits } from "../../src/recorder/limits.ts";
import { RoomRecorder, type ChannelPerson, type RecorderStatus } from "../../src/recorder/recorder.ts";
import { FakeClock } from "../fakes/clock.ts";
import { FakePlane } from "../fakes/plane.ts";

export const ROOM = "!room:test";
export const HOST = "@host:test";
export const ann: ChannelPerson = { key: "ann", userId: "@ann:test", name: "Ann" };
export const bob: ChannelPerson = { key: "bob", userId: "@bob:test", name: "Bob" };

/** Whose refusals a test sets. */
export class FakeConsent implements RecordingConsent {
  mode: ConsentMode = "opt-out";
  readonly refused = new Set<string>();
  readonly calls: string[] = [];
  readonly #listeners = new Set<() => Promise<void> | void>();

  agreed(userId: string): boolean {
    return !this.refused.has(userId);
  }
  began({ entries }: { entries: readonly unknown[] }): void {
    this.calls.push(entries.length === 0 ? "began" : "went on");
  }
  ended(how?: "discarded"): void {
    this.calls.push(how ?? "ended");
  }
  onChange(listener: () => Promise<void> | void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  async refuse(userId: string): Promise<void> {
    this.refused.add(userId);
    await Promise.all([...this.#listeners].map(async (listener) => listener()));
  }
}

export class RecorderRig {
  readonly dataDir: string;
  readonly clock: FakeClock;
  readonly told: Sentence[] = [];
  /** Folders that were given to the export. */
  readonly finished: string[] = [];
  readonly statuses: RecorderStatus["phase"][] = [];
  readonly ends: unknown[] = [];
  readonly consent = new FakeConsent();
  plane: FakePlane;
  archive!: RecordingArchive;
  recorder!: RoomRecorder;
  limits: Partial<RecordingLimits> = {};
  free = 1e12;
  /** Whether the homeserver takes notices. */
  takesNotices = true;
  present: readonly ChannelPerson[] = [ann];
  #changed: () => void = () => undefined;
  /** Those of the run that is on: a kill ends them with it. */
  #timers = new Set<Timer>();
  /** Those of earlier runs still have their files open. */
  readonly #killed: RoomRecorder[] = [];

  private constructor(dataDir: string) {
    this.dataDir = dataDir;
    this.clock = new FakeClock();
    this.plane = new FakePlane({ clock: this.clock });
  }

  static async open(limits: Partial<RecordingLimits> = {}): Promise<RecorderRig> {
    const rig = new RecorderRig(await mkdtemp(join(tmpdir(), "voicebot-recorder-")));
    rig.limits = limits;
    await rig.start();
    return rig;
  }

  /** A start of the program: the bot is in the channel again. */
  async start(): Promise<void> {
    const { dataDir, plane, consent, limits } = this;
    const timers = (this.#timers = new Set());
    const clock: Clock = {
      now: () => this.clock.now(),
      wall: () => this.clock.wall(),
      timer: (delayMs, then) => {
        if (timers !== this.#timers) return { cancel: () => undefined };
        const timer = this.clock.timer(delayMs, then);
        timers.add(timer);
        return timer;
      },
    };
    this.archive = new RecordingArchive({
      ...{ dataDir, clock, log: silentLog, prefix: "!" },
      index: { put: () => undefined, nextNumber: () => 1, ofRoom: () => [] },
      exporter: {
        export: (directory) => {
          this.finished.push(directory);
          return Promise.resolve({ durationMs: 0, tracks: [], documents: [], mixProblem: null });
        },
        split: () => Promise.resolve([]),
      },
      room: () => null,
    });
    await this.archive.findInterrupted();
    const listeners = new Set<() => void>();
    this.#changed = () => listeners.forEach((listener) => listener());
    this.recorder = new RoomRecorder({
      ...{ roomId: ROOM, channel: ROOM, prefix: "!", plane, archive: this.archive, clock, log: silentLog },
      ...{ limits, consent },
      people: {
        list: () => this.present,
        onChange: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      displayName: (userId) => userId.slice(1, 4),
      tell: (sentence) => this.told.push(sentence),
      say: (sentence) => {
        if (this.takesNotices) this.told.push(sentence);
        return Promise.resolve(this.takesNotices);
      },
      onChange: ({ phase }) => this.statuses.push(phase),
      onEnd: (...how) => this.ends.push(how),
      freeBytes: () => Promise.resolve(this.free),
    });
    await this.openChannel();
  }

  /** kill -9 of the bot, and `downMs` later a start of it in which it is back in the channel. */
  async restart(downMs: number): Promise<void> {
    // What is buffered for a second reaches the disk; what comes after the kill is nobody's.
    await this.flushed();
    this.#changed = () => undefined;
    this.#killed.push(this.recorder);
    for (const timer of this.#timers) timer.cancel();
    this.#timers = new Set();
    this.plane.crash();
    this.plane = new FakePlane({ clock: this.clock });
    this.clock.tick(downMs);
    await this.start();
  }

  /** What the journal was given is on the disk. */
  async flushed(): Promise<void> {
    await this.clock.advance(1_000);
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  openChannel(): Promise<unknown> {
    const ice: IceSettings = { servers: [], allowPrivate: "auto" };
    return this.plane.request({ kind: "channel.open", channel: ROOM, ice, bitrate: 128_000 });
  }

  come(...people: ChannelPerson[]): void {
    this.present = people;
    this.#changed();
  }

  get keys(): string[] {
    return this.told.map(({ key }) => key);
  }

  /** Names of the requests of the recorder, in order, with who may be written. */
  asked(...kinds: PlaneRequestKind[]): string[] {
    return this.plane.requests
      .filter(({ kind }) => kinds.includes(kind))
      .map((request) =>
        "speakers" in request ? `${request.kind} ${request.speakers.join()}` : request.kind,
      );
  }

  get recordingId(): string {
    const start = this.plane.requests.findLast(
      (request): request is Extract<PlaneRequest, { kind: "record.start" }> =>
        request.kind === "record.start",
    );
    return start?.recording ?? "";
  }

  /** The recorder opened a file for somebody's voice. */
  track(speaker: string, file = "voice-001.mvt"): void {
    const track = { kind: "record.track", channel: ROOM, what: "voice", speaker, file } as const;
    this.plane.emit({ ...track, recording: this.recordingId });
  }

  async ids(): Promise<string[]> {
    const names: string[] = await readdir(join(this.dataDir, "recordings")).catch(() => []);
    return names.toSorted((a, b) => a.localeCompare(b));
  }

  async journal(): Promise<JournalEntry[]> {
    const [id = ""] = await this.ids();
    return (await readJournal(join(this.dataDir, "recordings", id))).entries;
  }

  async kinds(): Promise<string[]> {
    return (await this.journal()).map(({ kind }) => kind);
  }

  /** Real files take real time, timers the fake clock's. */
  async until(condition: () => boolean): Promise<void> {
    for (let turn = 0; turn < 500 && !condition(); turn++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      await this.clock.advance(0);
    }
    if (!condition()) throw new Error("never came true");
  }

  async close(): Promise<void> {
    await this.recorder.close();
    for (const recorder of this.#killed) await recorder.close();
    await this.archive.close();
    await this.plane.close();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
