import { sleep } from "../../base/async.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Sentence } from "../../base/messages/catalogue.ts";
import { progressOf } from "../delivery/progress-of.ts";
import type { ReadJournal } from "../journal.ts";
import type { Deleted, RecordingShelf } from "./shelf.ts";

/** How an event stands in its room. `unknown`: the homeserver does not let us see it, or is not there. */
export type EventState = { state: "there" | "unknown" } | { state: "redacted"; by: string | null };

export interface RedactionDeps {
  shelf: Pick<RecordingShelf, "redacted">;
  /** Asks the homeserver. Must not reject but when `signal` ends it. */
  readEvent: (roomId: string, eventId: string, signal: AbortSignal) => Promise<EventState>;
  /** Deletes the homeserver's own copy of an upload; null: nobody gave us the right to. @returns whether it is gone */
  removeMedia: ((mxc: string) => Promise<boolean>) | null;
  /** Says something in a room, once for the same `what`. Must not reject. */
  say: (roomId: string, sentence: Sentence, what: string) => Promise<unknown>;
  clock: Clock;
  log: Log;
}

interface Watched {
  id: string;
  roomId: string;
}

/** Somebody who removes one message often removes the next, too. */
const GATHER_MS = 2_000;
/** Between two events that are read again: nobody waits for it, and the homeserver has others to serve. */
const READ_EVERY_MS = 250;
const MAX_WATCHED = 50_000;

/**
 * Notices that messages of a delivery were removed from their room, and deletes what they were of: by the redaction as the
 * room brings it; and at start and after a gap in the sync, when it may not have, by reading every one of them again. What
 * counts is only what the homeserver then says of the event, for it knows who may redact what.
 */
export class RedactionWatch {
  readonly #deps: RedactionDeps;
  readonly #closing = new AbortController();
  readonly #watched = new Map<string, Watched>();
  readonly #gathered = new Map<
    string,
    { roomId: string; events: Map<string, string | null>; timer: Timer }
  >();
  /** Rooms to be read again; null: all. */
  readonly #toSweep = new Set<string | null>();
  #sweeping: Promise<void> = Promise.resolve();
  #working: Promise<unknown> = Promise.resolve();

  constructor(deps: RedactionDeps) {
    this.#deps = deps;
  }

  /** What a recording has in rooms now. */
  learn(id: string, { entries }: Pick<ReadJournal, "entries">): void {
    const { events, summary } = progressOf(entries);
    for (const { eventId, roomId } of [...events.values(), ...(summary ? [summary] : [])]) {
      if (this.#watched.size >= MAX_WATCHED) return;
      this.#watched.set(eventId, { id, roomId });
    }
  }

  /** A redaction came. */
  redaction(eventId: string): void {
    const watched = this.#watched.get(eventId);
    if (watched !== undefined) this.#queue(() => this.#look(eventId, watched));
  }

  /** Redactions may have been missed. @param roomId in this room; null: anywhere */
  missed(roomId: string | null): void {
    if (this.#closing.signal.aborted || this.#toSweep.has(roomId)) return;
    this.#toSweep.add(roomId);
    this.#sweeping = this.#sweeping.then(() => this.#sweep(roomId)).catch(() => undefined);
  }

  /** Resolves when everything that was asked for so far has been looked at. */
  async idle(): Promise<void> {
    await this.#sweeping;
    await this.#working;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const { timer } of this.#gathered.values()) timer.cancel();
    await this.idle();
  }

  async #sweep(roomId: string | null): Promise<void> {
    this.#toSweep.delete(roomId);
    const events = [...this.#watched].filter(([, each]) => roomId === null || each.roomId === roomId);
    for (const [eventId, watched] of events) {
      if (!this.#watched.has(eventId)) continue;
      await this.#look(eventId, watched);
      await sleep(this.#deps.clock, READ_EVERY_MS, this.#closing.signal);
    }
  }

  async #look(eventId: string, { id, roomId }: Watched): Promise<void> {
    const found = await this.#deps.readEvent(roomId, eventId, this.#closing.signal);
    if (found.state !== "redacted") return;
    const gathered = this.#gathered.get(id);
    gathered?.timer.cancel();
    const events = gathered?.events ?? new Map<string, string | null>();
    events.set(eventId, found.by);
    const timer = this.#deps.clock.timer(GATHER_MS, () => this.#queue(() => this.#delete(id)));
    this.#gathered.set(id, { roomId, events, timer });
  }

  async #delete(id: string): Promise<void> {
    const gathered = this.#gathered.get(id);
    this.#gathered.delete(id);
    if (gathered === undefined) return;
    const { events, roomId } = gathered;
    const by = [...events.values()].find((each) => each !== null) ?? null;
    const deleted = await this.#deps.shelf.redacted(id, new Set(events.keys()), by);
    for (const eventId of events.keys()) this.#watched.delete(eventId);
    if (deleted.length === 0) return;
    if (deleted.some(({ what }) => what === "all")) this.#forget(id);
    const copies = await this.#removeCopies(deleted);
    const what = `${id}-redacted-${[...events.keys()].sort()[0] ?? ""}`;
    await this.#deps.say(roomId, sentenceOf(deleted, copies), what);
  }

  #forget(id: string): void {
    for (const [eventId, watched] of this.#watched) if (watched.id === id) this.#watched.delete(eventId);
  }

  async #removeCopies(deleted: readonly Deleted[]): Promise<"gone" | "some" | "not_ours"> {
    const { removeMedia } = this.#deps;
    if (removeMedia === null) return "not_ours";
    let all = true;
    for (const mxc of deleted.flatMap((each) => each.mxcs)) {
      if (!(await removeMedia(mxc))) all = false;
    }
    return all ? "gone" : "some";
  }

  #queue(work: () => Promise<void>): void {
    this.#working = this.#working.then(work).catch((error: unknown) => {
      if (!this.#closing.signal.aborted)
        this.#deps.log.error("recording_failed", { what: "redaction", error });
    });
  }
}

function sentenceOf(deleted: readonly Deleted[], copies: "gone" | "some" | "not_ours"): Sentence {
  const tracks = deleted.flatMap((each) => (each.what === "track" ? [each.track] : []));
  if (tracks.length < deleted.length) {
    const key = (
      {
        gone: "recordings.redacted_all_gone",
        some: "recordings.redacted_all_some",
        not_ours: "recordings.redacted_all",
      } as const
    )[copies];
    return { key };
  }
  const key = (
    {
      gone: "recordings.redacted_tracks_gone",
      some: "recordings.redacted_tracks_some",
      not_ours: "recordings.redacted_tracks",
    } as const
  )[copies];
  return { key, params: { names: tracks.join(", ") } };
}
