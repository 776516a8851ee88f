import { sleep } from "../base/async.ts";
import type { Clock } from "../base/clock.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { Journal } from "./journal.ts";

/** Somebody in the voice channel. `key` is the media plane's name of the peer. */
export interface ChannelPerson {
  key: string;
  userId: string;
  /** As the room shows it. */
  name: string;
}

/** Who is in the voice channel besides the bot, while the bot is in it. */
export interface PeopleFeed {
  list(): readonly ChannelPerson[];
  /** Called after each change of `list`. @returns a function that removes the listener. */
  onChange(listener: () => void): () => void;
}

/** Who was there and who was told, as an earlier run has left it. */
export interface PresenceBefore {
  /** By key. */
  present: ReadonlyMap<string, ChannelPerson>;
  noticed: ReadonlySet<string>;
}

export interface PresenceDeps {
  /** Of the recording: with it the same notice is the same after a restart. */
  id: string;
  journal: Pick<Journal, "add">;
  clock: Clock;
  /** Says something in the room, once for the same `what`. @returns whether the homeserver has it; must not reject */
  say: (sentence: Sentence, what: string) => Promise<boolean>;
  /** The same, aloud: these people are told now; null: everybody. */
  onNotice?: (people: readonly ChannelPerson[] | null) => void;
  /** The same key is somebody else's from now on. */
  onOtherHands: (key: string) => void;
  /** Who comes is told this. */
  newcomers: (names: string) => Sentence;
}

/** People told of one recording; more would be somebody making them up. */
const MAX_NOTICED = 1_000;

/** Who comes so soon after the last notice is told in one with the others: a crowd must not spend the rate limit. */
const GATHER_MS = 10_000;
const NAMES_PER_NOTICE = 20;
/** A notice that the homeserver did not take is said again. */
const SAY_AGAIN_MS = 20_000;

/**
 * Who is there during one recording: kept in the journal, and each told once that they are recorded. Who was told stands in
 * the journal when the homeserver has the notice, not before: after a kill a notice may come twice, but never not at all.
 * `close()` it with the recording.
 */
export class Presence {
  readonly #deps: PresenceDeps;
  readonly #closing = new AbortController();
  /** Told, or about to be. */
  readonly #noticed: Set<string>;
  #present: ReadonlyMap<string, ChannelPerson>;
  #aloneSinceMs: number | null = null;
  /** Who came since the last notice; null: nobody was told lately. */
  #gathered: ChannelPerson[] | null = null;

  constructor(deps: PresenceDeps, before: PresenceBefore | null = null) {
    this.#deps = deps;
    this.#present = before?.present ?? new Map();
    this.#noticed = new Set(before?.noticed);
  }

  /** Since when (monotonic) nobody is there; null while somebody is. */
  get aloneSinceMs(): number | null {
    return this.#aloneSinceMs;
  }

  /** Tells the whole room. @param people those who are there: it is for them, too */
  tellRoom(sentence: Sentence, people: readonly ChannelPerson[]): void {
    for (const { userId } of people) this.#noticed.add(userId);
    this.update(people);
    this.#deps.onNotice?.(null);
    void this.#say(sentence, "started", () => this.#deps.journal.add({ kind: "notice", userId: null }));
  }

  update(people: readonly ChannelPerson[]): void {
    const { journal, clock } = this.#deps;
    const now = new Map(people.map((person) => [person.key, person]));
    for (const [key, before] of this.#present) {
      // A free-text key can change hands; the journal has to say whose voice it is.
      const after = now.get(key);
      if (after?.userId === before.userId) continue;
      journal.add({ kind: "left", key });
      if (after !== undefined) this.#deps.onOtherHands(key);
    }
    const newcomers: ChannelPerson[] = [];
    for (const [key, person] of now) {
      const { userId, name } = person;
      const before = this.#present.get(key);
      if (before?.userId !== userId || before.name !== name) {
        journal.add({ kind: "joined", key, userId, name });
      }
      if (this.#noticed.has(userId) || this.#noticed.size >= MAX_NOTICED) continue;
      this.#noticed.add(userId);
      newcomers.push(person);
    }
    if (this.#gathered) this.#gathered.push(...newcomers);
    else if (newcomers.length > 0) this.#notice(newcomers);
    this.#present = now;
    this.#aloneSinceMs = now.size > 0 ? null : (this.#aloneSinceMs ?? clock.now());
  }

  /** The recording is over: nobody needs a notice of it any more. Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#gathered = null;
  }

  #notice(people: readonly ChannelPerson[]): void {
    const { journal, onNotice, newcomers } = this.#deps;
    onNotice?.(people);
    for (let start = 0; start < people.length; start += NAMES_PER_NOTICE) {
      const some = people.slice(start, start + NAMES_PER_NOTICE);
      const names = some.map(({ name }) => name).join(", ");
      const users = some.map(({ userId }) => userId);
      void this.#say(newcomers(names), users.join(" "), () => {
        for (const userId of users) journal.add({ kind: "notice", userId });
      });
    }
    void this.#gather();
  }

  /** Who comes in the next ten seconds is told together. */
  async #gather(): Promise<void> {
    this.#gathered = [];
    const goOn = await this.#after(GATHER_MS);
    const waiting = this.#gathered;
    this.#gathered = null;
    if (goOn && waiting.length > 0) this.#notice(waiting);
  }

  async #say(sentence: Sentence, what: string, onSaid: () => void): Promise<void> {
    const { id, say } = this.#deps;
    do {
      const said = await say(sentence, `${id} notice ${what}`);
      if (said || this.#closing.signal.aborted) return said ? onSaid() : undefined;
    } while (await this.#after(SAY_AGAIN_MS));
  }

  /** @returns false when the recording has ended before */
  #after(ms: number): Promise<boolean> {
    return sleep(this.#deps.clock, ms, this.#closing.signal).then(
      () => true,
      () => false,
    );
  }
}
