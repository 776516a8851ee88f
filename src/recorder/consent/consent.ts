import { z } from "zod";
import { BotError } from "../../base/errors.ts";
import type { RoomDocuments } from "../../store/store.ts";
import type { ConsentedRecording, RecordingConsent } from "../consent-port.ts";
import type { ConsentMode, JournalEntry, JournalFact } from "../journal.ts";
import {
  agrees,
  modeOf,
  noConsent,
  reduceConsent,
  type ConsentFact,
  type ConsentScope,
  type ConsentState,
} from "./state.ts";

export type { ConsentScope } from "./state.ts";

/** Document: what people said for every recording of this room, and for the next. `lost`: it could not be read once. */
export const CONSENT_DOCUMENT = "consent";
const wordsSchema = z.record(z.string(), z.boolean());
const documentSchema = z.object({
  standing: wordsSchema,
  next: wordsSchema.default({}),
  lost: z.boolean().default(false),
  /** The recording that asks first since it has begun. */
  stricter: z.string().nullable().default(null),
});

/** People whose word one room keeps; more would be somebody making them up. Refusals have room where consent has none. */
const MAX_PEOPLE = { agreed: 10_000, refused: 20_000 };
/** How often one person can agree during one recording: each is a line in its journal. */
const MAX_CHANGES = 50;

export interface RoomConsentDeps {
  documents: Pick<RoomDocuments, "read" | "write" | "has">;
  /** The room's setting as it stands; `refresh` after each change of it. */
  setting: () => ConsentMode;
}

/**
 * Whose voice may be kept in one room, now. What is said holds from the moment that it is said; the promises resolve when
 * all listeners have acted on it and it is on disk.
 *
 *     said while recording       → the recording's journal (and the document, for good)
 *     said while nothing runs    → the document; `began` moves it to the journal of the next recording
 */
export class RoomConsent implements RecordingConsent {
  readonly #deps: RoomConsentDeps;
  readonly #listeners = new Set<() => Promise<void> | void>();
  #state: ConsentState;
  #lost = false;
  #stricter: string | null = null;
  #recording: ConsentedRecording | null = null;
  /** How often each has agreed during the recording. */
  readonly #changes = new Map<string, number>();
  /** What was moved to a recording that may still come to nothing. */
  #moved: ReadonlyMap<string, boolean> = new Map();

  constructor(deps: RoomConsentDeps) {
    this.#deps = deps;
    this.#state = this.#load(noConsent("opt-out"));
  }

  /** Of the recording that runs; of the next one while none does. */
  get mode(): ConsentMode {
    return modeOf(this.#state);
  }

  /** Whether this person's voice may be kept now: in the recording that runs, or for a clip. */
  agreed(userId: string): boolean {
    return agrees(this.#state, userId);
  }

  onChange(listener: () => Promise<void> | void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The recording that runs; null while none does. */
  get recording(): ConsentedRecording | null {
    return this.#recording;
  }

  began(recording: ConsentedRecording): void {
    const { journal, entries } = recording;
    const start = entries.find((entry) => entry.kind === "start");
    const said = this.#state.next;
    let state: ConsentState = { ...this.#state, next: new Map() };
    const mode = this.#stricter === recording.id ? "opt-in" : (start?.consent ?? this.mode);
    state = reduceConsent(state, { kind: "began", mode });
    for (const entry of entries) {
      const fact = factOf(entry);
      if (fact) state = reduceConsent(state, fact);
    }
    for (const [userId, agreed] of said) {
      state = reduceConsent(state, { kind: "said", userId, agreed, scope: "recording", reaction: null });
      journal.add({ kind: "consent", userId, agreed, scope: "recording" });
    }
    this.#state = state;
    this.#recording = recording;
    this.#moved = said;
    this.#changes.clear();
    // A journal that cannot be written ends the recording by itself.
    if (said.size > 0) void journal.flush().then(() => void this.#save(), ignore);
    this.#changed().catch(ignore);
  }

  ended(how?: "discarded"): void {
    const moved = this.#moved;
    this.#recording = null;
    this.#moved = new Map();
    this.#state = reduceConsent(this.#state, { kind: "ended" });
    if (how === "discarded" && moved.size > 0) {
      this.#state = { ...this.#state, next: new Map([...moved, ...this.#state.next]) };
      this.#save();
    }
    this.#changed().catch(ignore);
  }

  /** @throws BotError when it cannot be kept; it holds all the same until the bot restarts */
  optOut(userId: string, scope: ConsentScope): Promise<void> {
    return this.#say({ kind: "said", userId, agreed: false, scope, reaction: null });
  }

  /** @param scope `recording` also takes back a refusal for good @throws BotError when it cannot be kept */
  optIn(userId: string, scope: ConsentScope): Promise<void> {
    return this.#say({ kind: "said", userId, agreed: true, scope, reaction: null });
  }

  /** A reaction to a message about the recording that runs. @returns whether it counts, and has not been counted before */
  async reacted(userId: string, agreed: boolean, reaction: string): Promise<boolean> {
    const before = this.#state;
    await this.#say({ kind: "said", userId, agreed, scope: "recording", reaction });
    return this.#state !== before;
  }

  /** A reaction was taken back; by whom decides whether it counts. @returns whether it did */
  async withdrew(userId: string, reaction: string): Promise<boolean> {
    const before = this.#state;
    await this.#say({ kind: "withdrawn", userId, reaction });
    return this.#state !== before;
  }

  /** The room's setting has changed: a person of power wants it so, which also ends the caution after a loss. */
  async settingChanged(): Promise<void> {
    const before = this.mode;
    const wasLost = this.#lost;
    this.#lost = false;
    this.#state = reduceConsent(this.#state, { kind: "setting", mode: this.#deps.setting() });
    const isStricter = this.#recording !== null && before === "opt-out" && this.mode === "opt-in";
    if (isStricter) this.#stricter = this.#recording?.id ?? null;
    const acted = this.#changed();
    if (wasLost || isStricter) this.#save();
    await acted;
  }

  /** The store has other documents for the room than before (those of the room it has replaced). */
  reload(): Promise<void> {
    this.#state = this.#load(this.#state);
    return this.#changed();
  }

  async #say(fact: ConsentFact & { userId: string }): Promise<void> {
    const before = this.#state;
    if (this.#isFull(fact)) throw refusal("consent.full");
    const next = reduceConsent(before, fact);
    if (next === before) return;
    if (agrees(next, fact.userId) && !agrees(before, fact.userId)) this.#count(fact.userId);
    this.#state = next;
    // First, so that nothing more is written; what it takes to remember that comes after.
    const acted = this.#changed();
    const journal = this.#recording?.journal;
    journal?.add(entryOf(fact, this.agreed(fact.userId)));
    const isLasting = this.#state.standing !== before.standing || this.#state.next !== before.next;
    try {
      const isKept = !isLasting || this.#save();
      await journal?.flush();
      if (!isKept) throw new BotError("disk_full", "not kept", { say: { key: "fetch.disk_full" } });
    } finally {
      await acted;
    }
  }

  #isFull(fact: ConsentFact & { userId: string }): boolean {
    const { standing, next, recording } = this.#state;
    const maps: readonly ReadonlyMap<string, unknown>[] = [standing, next, recording?.words ?? new Map()];
    const limit = fact.kind === "said" && !fact.agreed ? MAX_PEOPLE.refused : MAX_PEOPLE.agreed;
    return maps.some((map) => map.size >= limit && !map.has(fact.userId));
  }

  #count(userId: string): void {
    if (!this.#recording) return;
    const count = (this.#changes.get(userId) ?? 0) + 1;
    if (count > MAX_CHANGES) throw refusal("consent.too_often");
    this.#changes.set(userId, count);
  }

  #changed(): Promise<void> {
    // All of them are called before any is waited for.
    const acts = [...this.#listeners].map(async (listener) => listener());
    return Promise.all(acts).then(() => undefined);
  }

  #load(state: ConsentState): ConsentState {
    const { documents, setting } = this.#deps;
    const kept = documents.read(CONSENT_DOCUMENT, documentSchema);
    // Refusals that cannot be read must not be taken for consent: then only who agrees is recorded.
    this.#lost = kept ? kept.lost : documents.has(CONSENT_DOCUMENT);
    this.#stricter = kept?.stricter ?? null;
    return {
      ...state,
      setting: this.#lost ? "opt-in" : setting(),
      standing: new Map(Object.entries(kept?.standing ?? {})),
      next: new Map(Object.entries(kept?.next ?? {})),
    };
  }

  /** @returns whether it is on the disk */
  #save(): boolean {
    const { standing, next } = this.#state;
    return this.#deps.documents.write(CONSENT_DOCUMENT, {
      standing: Object.fromEntries(standing),
      next: Object.fromEntries(next),
      lost: this.#lost,
      stricter: this.#stricter,
    });
  }
}

const ignore = (): void => undefined;

const refusal = (key: "consent.full" | "consent.too_often"): BotError =>
  new BotError("queue_full", key, { say: { key } });

/** As the journal keeps it: `agreed` is what holds from here on, whatever was taken back. */
function entryOf(fact: ConsentFact & { userId: string }, agreed: boolean): JournalFact {
  const { userId } = fact;
  if (fact.kind === "withdrawn") {
    const { reaction } = fact;
    return { kind: "consent", userId, agreed, scope: "recording", reaction, withdrawn: true };
  }
  if (fact.kind !== "said") throw new BotError("internal", "nothing that somebody said");
  return { kind: "consent", userId, agreed: fact.agreed, scope: fact.scope, reaction: fact.reaction };
}

function factOf(entry: JournalEntry): ConsentFact | null {
  if (entry.kind !== "consent") return null;
  const { userId, agreed, reaction } = entry;
  if (entry.withdrawn && reaction !== null) return { kind: "withdrawn", userId, reaction };
  // For good is for the document to say: it may have been taken back since. Here it is a word about this recording.
  return { kind: "said", userId, agreed, scope: "recording", reaction };
}
