import type { Timer } from "../base/clock.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { PlaneEventOf } from "../media/plane.ts";
import type { JournalFact, StopReason } from "./journal.ts";
import { overLimit } from "./limits.ts";
import { Listener } from "./listener.ts";
import { bytesIn } from "./folder-size.ts";
import type { LiveRecordingDeps, RecordingReport } from "./live-ports.ts";
import { PlaneWriter } from "./plane-writer.ts";
import { Presence, type ChannelPerson } from "./presence.ts";

/** Beyond this a journal is made for something else. */
const MAX_NOTES = 1_000;
/** So long the journal says nothing before it says that the recording goes on. */
const ALIVE_EVERY_MS = 30_000;

/**
 * A recording that runs:
 *
 *   begin() ─► writing ⇄ paused             pause(), unpause()
 *   goOn() ──►   │  ▲
 *                ▼  └ the media plane is back: the gap is told
 *               gap   the media plane, or the bot itself, was gone
 *   all of them ─► end(): over · leave(): interrupted, for the next start
 *
 * It keeps the journal, sees to it that only those are written who agree, warns of what is wrong with somebody's sound, and
 * says when it has to end.
 */
export class LiveRecording {
  readonly id: string;
  readonly title: string | null;
  readonly byName: string;
  /** The room's setting has begun it. */
  readonly automatic: boolean;
  readonly #deps: LiveRecordingDeps;
  readonly #startMs: number;
  readonly #tracks: Set<string>;
  readonly #writer: PlaneWriter;
  readonly #presence: Presence;
  readonly #listener: Listener;
  readonly #unsubscribe: (() => void)[];
  #notes: number;
  #pausedMs: number;
  #pausedAtMs: number | null;
  #gapAtMs: number | null;
  /** The gap is that of a restart. */
  #restarted = false;
  #round: Timer | null = null;
  #writtenAtMs: number;
  #begun = false;
  #closed = false;

  /** @param startMs when it began, by `clock` */
  constructor(deps: LiveRecordingDeps, startMs: number) {
    const { recording, before, clock, people, consent, plane, channel, log } = deps;
    this.#deps = deps;
    this.id = recording.id;
    this.title = before ? before.title : deps.title;
    this.byName = before?.byName ?? deps.byName;
    this.automatic = before?.automatic ?? deps.automatic;
    this.#startMs = startMs;
    this.#tracks = new Set(before?.tracks);
    this.#notes = before?.notes ?? 0;
    this.#pausedMs = before?.pausedMs ?? 0;
    this.#pausedAtMs = before?.pausedAtMs ?? null;
    this.#gapAtMs = before?.gapAtMs ?? null;
    this.#writtenAtMs = clock.now();
    const journal = { add: (fact: JournalFact) => this.#note(fact) };
    const { say, tell, prefix, onNotice } = deps;
    const newcomers = (name: string): Sentence => ({
      key: consent.mode === "opt-in" ? "consent.joined_opt_in" : "consent.joined",
      params: { name, prefix },
    });
    const presence = { id: this.id, journal, clock, say, newcomers, ...(onNotice ? { onNotice } : {}) };
    const onOtherHands = (key: string): void => void this.#writer.allow(key);
    this.#presence = new Presence({ ...presence, onOtherHands }, before);
    this.#writer = new PlaneWriter({
      ...{ channel, recording, plane, clock, log },
      speakers: () => this.#present(true).map(({ key }) => key),
      refused: (speaker) => this.#present(false).some(({ key }) => key === speaker),
      onErased: (speaker, files) => {
        const person = this.#present(false).find(({ key }) => key === speaker);
        if (person) this.#note({ kind: "erased", userId: person.userId, files });
      },
      onTrack: (track) => this.#onTrack(track),
      onGap: (reason) => this.#onGap(reason),
      onWriting: () => this.#onWriting(),
      onFailed: (detail) => this.failed(detail),
    });
    this.#listener = new Listener({
      ...{ channel, plane, clock, journal, tell, prefix },
      people: () => people.list(),
      agreed: (userId) => consent.agreed(userId),
      warned: before?.warned ?? new Set(),
    });
    this.#unsubscribe = [
      people.onChange(() => this.#onPeople()),
      consent.onChange(() => this.#writer.allow()),
    ];
  }

  /** Writes from now on and tells the room. @throws what the media plane says: nothing of it goes on then */
  async begin(announcement: Sentence): Promise<void> {
    try {
      await this.#writer.begin();
    } catch (error) {
      await this.#close();
      throw error;
    }
    this.#begun = true;
    this.#presence.tellRoom(announcement, this.#deps.people.list());
    this.#arm();
  }

  /** Goes on with a recording of an earlier run, and tells the room. @param announcement for a room that was not told */
  goOn(announcement: Sentence): void {
    const { before, tell, people } = this.#deps;
    this.#begun = true;
    this.#restarted = true;
    if (before?.roomTold === false) this.#presence.tellRoom(announcement, people.list());
    else this.#presence.update(people.list());
    if (this.#pausedAtMs === null) this.#writer.goOn();
    else tell({ key: "record.reopened_paused", params: { prefix: this.#deps.prefix } });
    this.#arm();
  }

  /** Of what is recorded, without pauses, in ms. */
  get elapsedMs(): number {
    const now = this.#deps.clock.now();
    return (this.#pausedAtMs ?? now) - this.#startMs - this.#pausedMs;
  }

  get tracks(): number {
    return this.#tracks.size;
  }

  get paused(): boolean {
    return this.#pausedAtMs !== null;
  }

  /** From here on nothing is written. @returns false when it is paused already */
  async pause(byUserId: string): Promise<boolean> {
    if (this.#pausedAtMs !== null) return false;
    this.#endGap();
    this.#pausedAtMs = this.#deps.clock.now();
    this.#note({ kind: "paused", byUserId });
    await this.#writer.stop();
    return true;
  }

  /** It is written again. @returns false when it was not paused */
  unpause(byUserId: string | null): boolean {
    if (this.#pausedAtMs === null) return false;
    this.#pausedMs += this.#deps.clock.now() - this.#pausedAtMs;
    this.#pausedAtMs = null;
    this.#note({ kind: "unpaused", byUserId });
    if (this.#deps.plane.state !== "up") this.#onGap(this.#deps.plane.state);
    this.#writer.goOn();
    return true;
  }

  /** @returns false when there are too many already */
  note(text: string, byUserId: string, byName: string): boolean {
    if (this.#notes >= MAX_NOTES) return false;
    this.#notes++;
    this.#note({ kind: "note", text, byUserId, byName });
    return true;
  }

  /** Writing is not possible any more. */
  failed(detail: string): void {
    const reason = detail.slice(0, 160);
    this.#deps.log.error("recording_failed", { room: this.#deps.roomId, recording: this.id, reason });
    this.#deps.onOver("failed", { key: "record.stopped_failed", params: { reason } });
  }

  channelClosed(): void {
    this.#writer.channelClosed();
  }

  async report(): Promise<RecordingReport> {
    const { clock, recording, free } = this.#deps;
    const [people, bytes, freeBytes] = await Promise.all([
      this.#listener.report(),
      bytesIn(recording.directory),
      free(),
    ]);
    const since = (atMs: number | null): number | null => (atMs === null ? null : clock.now() - atMs);
    const { id, title, byName, elapsedMs, tracks } = this;
    const times = { elapsedMs, pausedForMs: since(this.#pausedAtMs), gapForMs: since(this.#gapAtMs) };
    return { id, title, byName, ...times, tracks, bytes, freeBytes, people };
  }

  /** It is over: closes its files with their end. */
  async end(reason: StopReason, byUserId: string | null): Promise<void> {
    // The end is when it was asked for, not when the disk was done.
    if (!this.#closed) this.#note({ kind: "stop", reason, byUserId });
    await this.#close();
  }

  /** The bot ends and it does not: closes its files without their end, for the next start. */
  async leave(): Promise<void> {
    if (!this.#closed && this.#pausedAtMs === null && this.#gapAtMs === null) {
      this.#note({ kind: "gap", reason: "shutdown" });
    }
    await this.#close();
  }

  async #close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      for (const unsubscribe of this.#unsubscribe) unsubscribe();
      this.#round?.cancel();
      this.#presence.close();
      this.#listener.close();
    }
    await this.#writer.close();
    await this.#deps.recording.journal.close();
  }

  #present(agreed: boolean): readonly ChannelPerson[] {
    const { people, consent } = this.#deps;
    return people.list().filter(({ userId }) => consent.agreed(userId) === agreed);
  }

  #onPeople(): void {
    if (!this.#begun) return;
    this.#presence.update(this.#deps.people.list());
    void this.#writer.allow();
  }

  #onTrack({ speaker, file, what, hasClock }: PlaneEventOf<"record.track">): void {
    this.#tracks.add(`${what} ${speaker}`);
    this.#note({ kind: "track", speaker, file, what, ...(hasClock === false ? { hasClock } : {}) });
  }

  #onGap(reason: string): void {
    if (this.#gapAtMs !== null) return;
    this.#gapAtMs = this.#deps.clock.now();
    this.#note({ kind: "gap", reason });
    this.#deps.log.warn("recording_gap", { room: this.#deps.roomId, recording: this.id, reason });
  }

  /** The people in the room are told how much is missing. */
  #onWriting(): void {
    const { tell, log, roomId } = this.#deps;
    const gapMs = this.#endGap();
    if (gapMs === null) return;
    const seconds = Math.max(1, Math.round(gapMs / 1000));
    tell({ key: this.#restarted ? "record.reopened" : "record.gap", params: { seconds } });
    if (this.#restarted) log.info("recording_resumed", { room: roomId, recording: this.id, gapMs });
    this.#restarted = false;
  }

  #endGap(): number | null {
    if (this.#gapAtMs === null) return null;
    const gapMs = this.#deps.clock.now() - this.#gapAtMs;
    this.#gapAtMs = null;
    this.#note({ kind: "resumed" });
    return gapMs;
  }

  #note(fact: JournalFact): void {
    this.#writtenAtMs = this.#deps.clock.now();
    this.#deps.recording.journal.add(fact);
  }

  #arm(): void {
    const { clock, limits } = this.#deps;
    if (!this.#closed) this.#round = clock.timer(limits.checkEveryMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { clock, limits, free, onOver } = this.#deps;
    const freeBytes = await free();
    if (this.#closed) return;
    const now = clock.now();
    const over = overLimit(limits, {
      ...{ elapsedMs: this.elapsedMs, freeBytes },
      pausedForMs: this.#pausedAtMs === null ? 0 : now - this.#pausedAtMs,
      aloneForMs: now - (this.#presence.aloneSinceMs ?? now),
    });
    if (over) return onOver(over.reason, over.say);
    if (now - this.#writtenAtMs >= ALIVE_EVERY_MS) this.#note({ kind: "alive" });
    if (!this.paused && this.#gapAtMs === null) await this.#listener.look();
    this.#arm();
  }
}
