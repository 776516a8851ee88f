import type { Clock, Timer } from "../base/clock.ts";
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

/** People told of one recording; more would be somebody making them up. */
const MAX_NOTICED = 1_000;

/** Who comes so soon after the last notice is told in one with the others: a crowd must not spend the rate limit. */
const GATHER_MS = 10_000;
const NAMES_PER_NOTICE = 20;

/**
 * Who is there during one recording: kept in the journal, and each told once that they are recorded. `close()` it with
 * the recording.
 */
export class Presence {
  readonly #journal: Pick<Journal, "add">;
  readonly #clock: Clock;
  readonly #tell: (sentence: Sentence) => void;
  readonly #noticed: Set<string>;
  #present = new Map<string, ChannelPerson>();
  #aloneSinceMs: number | null = null;
  /** Who came since the last notice; null: nobody was told lately. */
  #gathered: { readonly people: ChannelPerson[]; readonly timer: Timer } | null = null;

  /** @param people those who are there at the start: the notice to the room was for them */
  constructor(
    journal: Pick<Journal, "add">,
    clock: Clock,
    tell: (sentence: Sentence) => void,
    people: readonly ChannelPerson[],
  ) {
    this.#journal = journal;
    this.#clock = clock;
    this.#tell = tell;
    this.#noticed = new Set(people.map(({ userId }) => userId));
    journal.add({ kind: "notice", userId: null });
    this.update(people);
  }

  /** Since when (monotonic) nobody is there; null while somebody is. */
  get aloneSinceMs(): number | null {
    return this.#aloneSinceMs;
  }

  update(people: readonly ChannelPerson[]): void {
    const now = new Map(people.map((person) => [person.key, person]));
    for (const [key, before] of this.#present) {
      // A free-text key can change hands; the journal has to say whose voice it is.
      if (now.get(key)?.userId !== before.userId) this.#journal.add({ kind: "left", key });
    }
    const newcomers: ChannelPerson[] = [];
    for (const [key, person] of now) {
      const { userId, name } = person;
      const before = this.#present.get(key);
      if (before?.userId !== userId || before.name !== name) {
        this.#journal.add({ kind: "joined", key, userId, name });
      }
      if (this.#noticed.has(userId) || this.#noticed.size >= MAX_NOTICED) continue;
      this.#noticed.add(userId);
      newcomers.push(person);
    }
    if (this.#gathered) this.#gathered.people.push(...newcomers);
    else if (newcomers.length > 0) this.#notice(newcomers);
    this.#present = now;
    this.#aloneSinceMs = now.size > 0 ? null : (this.#aloneSinceMs ?? this.#clock.now());
  }

  /** The recording is over: nobody needs a notice of it any more. Idempotent. */
  close(): void {
    this.#gathered?.timer.cancel();
    this.#gathered = null;
  }

  #notice(people: readonly ChannelPerson[]): void {
    for (const { userId } of people) this.#journal.add({ kind: "notice", userId });
    for (let start = 0; start < people.length; start += NAMES_PER_NOTICE) {
      const names = people.slice(start, start + NAMES_PER_NOTICE).map(({ name }) => name);
      this.#tell({ key: "record.joined", params: { name: names.join(", ") } });
    }
    const timer = this.#clock.timer(GATHER_MS, () => {
      const waiting = this.#gathered?.people ?? [];
      this.#gathered = null;
      if (waiting.length > 0) this.#notice(waiting);
    });
    this.#gathered = { people: [], timer };
  }
}
