import type { Clock } from "../base/clock.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { MediaPlane, PeerStats } from "../media/plane.ts";
import type { Journal } from "./journal.ts";
import { freshListening, listen, WARN_AFTER_MS, type HeardPerson, type Listening } from "./listening.ts";
import type { ChannelPerson } from "./presence.ts";

export interface ListenerDeps {
  channel: string;
  plane: Pick<MediaPlane, "state" | "request">;
  people: () => readonly ChannelPerson[];
  agreed: (userId: string) => boolean;
  /** `what userId` of what the room was told already. */
  warned: ReadonlySet<string>;
  journal: Pick<Journal, "add">;
  tell: (sentence: Sentence) => void;
  prefix: string;
  clock: Clock;
}

/** How somebody in the channel is heard. */
export interface PersonReport {
  name: string;
  userId: string;
  /** False: they did not agree, and nothing of them is kept. */
  recorded: boolean;
  connected: boolean;
  /** See `HeardPerson`. */
  soundAgeMs: number | null;
  levelDbfs: number | null;
  clippedRecently: number | null;
  /** Share of the packets of the last seconds that never came (0..1); null: none were due. */
  missedRecently: number | null;
}

/** The media plane is asked at most so often, by whomever. */
const EVERY_MS = 10_000;
/** A level is kept once a minute and person. */
const KEEP_EVERY_MS = 60_000;
/** In a sentence. */
const NAMES_SHOWN = 20;

/** Listens to how people are heard during one recording: keeps it in the journal, and tells the room what is wrong. */
export class Listener {
  readonly #deps: ListenerDeps;
  #listening: Listening;
  #newest: { atMs: number; peers: readonly PeerStats[] } | null = null;
  #keptAtMs = -Infinity;
  #closed = false;

  constructor(deps: ListenerDeps) {
    this.#deps = deps;
    this.#listening = freshListening(deps.warned);
  }

  /** One look; call it every ten seconds or so. Never rejects. */
  async look(): Promise<void> {
    const { journal, tell, prefix } = this.#deps;
    const before = this.#newest;
    const people = (await this.report()).filter(({ recorded }) => recorded);
    if (this.#closed || this.#newest === null || this.#newest === before) return;
    const { after, warnings } = listen(this.#listening, people, this.#newest.atMs);
    this.#listening = after;
    this.#keep(people);
    for (const what of ["silent", "clipped"] as const) {
      const meant = people.filter(({ userId }) =>
        warnings.some((warning) => warning.what === what && warning.userId === userId),
      );
      if (meant.length === 0) continue;
      for (const { userId } of meant) journal.add({ kind: "warned", key: this.#keyOf(userId), what });
      const names = meant.slice(0, NAMES_SHOWN).map(({ name }) => name);
      const minutes = Math.round(WARN_AFTER_MS / 60_000);
      tell({ key: `record.${what}`, params: { name: names.join(", "), minutes, prefix } });
    }
  }

  /** How everybody in the channel is heard, as of 10 s ago at the most. Never rejects. */
  async report(): Promise<PersonReport[]> {
    const { plane, channel, clock, people, agreed } = this.#deps;
    const askedMs = clock.now();
    if (plane.state === "up" && (this.#newest === null || askedMs - this.#newest.atMs >= EVERY_MS)) {
      const stats = await plane.request({ kind: "stats", channel }).catch(() => null);
      if (stats) this.#newest = { atMs: clock.now(), peers: stats.peers };
    }
    const peers = new Map(this.#newest?.peers.map((peer) => [peer.peer, peer]));
    const byUser = new Map<string, PersonReport>();
    for (const { key, userId, name } of people()) {
      const one = reportOf(peers.get(key), { name, userId, recorded: agreed(userId) });
      const other = byUser.get(userId);
      byUser.set(userId, other ? better(other, one) : one);
    }
    return [...byUser.values()];
  }

  close(): void {
    this.#closed = true;
  }

  #keep(people: readonly (HeardPerson & PersonReport)[]): void {
    const { clock, journal } = this.#deps;
    if (clock.now() - this.#keptAtMs < KEEP_EVERY_MS) return;
    this.#keptAtMs = clock.now();
    for (const { userId, levelDbfs, clippedRecently } of people) {
      const clipped = clippedRecently !== null && clippedRecently > 0;
      journal.add({ kind: "level", key: this.#keyOf(userId), levelDbfs, clipped });
    }
  }

  #keyOf(userId: string): string {
    return this.#deps.people().find((person) => person.userId === userId)?.key ?? userId;
  }
}

function reportOf(
  peer: PeerStats | undefined,
  person: Pick<PersonReport, "name" | "userId" | "recorded">,
): PersonReport {
  if (peer === undefined) {
    const nothing = { soundAgeMs: null, levelDbfs: null, clippedRecently: null, missedRecently: null };
    return { ...person, connected: false, ...nothing };
  }
  const { soundAgeMs, levelDbfs, clippedRecently } = peer.voice;
  const { missedRecently } = peer;
  const connected = peer.state === "connected";
  return { ...person, connected, soundAgeMs, levelDbfs, clippedRecently, missedRecently };
}

/** Of two devices of one person the one that is heard. */
function better(a: PersonReport, b: PersonReport): PersonReport {
  const age = ({ connected, soundAgeMs }: PersonReport): number =>
    connected ? (soundAgeMs ?? Number.MAX_VALUE) : Infinity;
  return age(b) < age(a) ? b : a;
}
