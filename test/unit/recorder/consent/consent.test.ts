import * as fc from "fast-check";
import type { ConsentMode, JournalEntry, JournalFact } from "../../../../src/recorder/journal.ts";
import { CONSENT_DOCUMENT, RoomConsent } from "../../../../src/recorder/consent/consent.ts";
import { FakeDocuments } from "../../../fakes/documents.ts";

const ann = "@ann:test";
const bob = "@bob:test";
const PEOPLE = [ann, bob, "@cat:test"] as const;

/** A journal in memory; `flush` waits until it is let. */
class FakeJournal {
  readonly entries: JournalEntry[] = [];
  flushed = 0;
  broken = false;

  add(fact: JournalFact): void {
    this.entries.push({ ...decoded(fact), atMs: 0, wallMs: 0 } as JournalEntry);
  }

  flush(): Promise<void> {
    if (this.broken) return Promise.reject(new Error("disk full"));
    this.flushed = this.entries.length;
    return Promise.resolve();
  }
}

/** What the journal's schema fills in. */
function decoded(fact: JournalFact): object {
  return fact.kind === "consent" ? { reaction: null, withdrawn: false, ...fact } : fact;
}

class Room {
  readonly documents = new FakeDocuments();
  mode: ConsentMode = "opt-out";
  consent = this.#open();
  journal = new FakeJournal();

  #open(): RoomConsent {
    return new RoomConsent({ documents: this.documents, setting: () => this.mode });
  }

  begin(): void {
    this.journal = new FakeJournal();
    const mode = this.consent.mode;
    this.journal.entries.push({ kind: "start", consent: mode, atMs: 0, wallMs: 0 } as JournalEntry);
    this.#began([]);
  }

  #began(entries: readonly JournalEntry[]): void {
    this.consent.began({ id: "r1", directory: "/r1", journal: this.journal, entries });
  }

  /** Everything in memory is gone; the recording goes on. */
  restart(running: boolean): void {
    this.consent = this.#open();
    if (running) this.#began([...this.journal.entries]);
  }

  set(mode: ConsentMode): Promise<void> {
    this.mode = mode;
    return this.consent.settingChanged();
  }

  get agreeing(): string[] {
    return PEOPLE.filter((userId) => this.consent.agreed(userId));
  }
}

let room: Room;
beforeEach(() => (room = new Room()));

test("everybody is recorded who does not refuse, and for this recording only", async () => {
  room.begin();
  await room.consent.optOut(ann, "recording");
  expect(room.agreeing).toEqual([bob, "@cat:test"]);
  room.consent.ended();
  expect(room.agreeing).toEqual(PEOPLE);
});

test("in a room that asks first only who agrees is recorded", async () => {
  await room.set("opt-in");
  room.begin();
  expect(room.agreeing).toEqual([]);
  await room.consent.optIn(bob, "recording");
  expect(room.agreeing).toEqual([bob]);
  room.consent.ended();
  room.begin();
  expect(room.agreeing).toEqual([]);
});

test("a room that asks first from now on does so at once; one that does not any more, from the next recording on", async () => {
  room.begin();
  await room.set("opt-in");
  expect(room.agreeing).toEqual([]);
  room.consent.ended();
  room.begin();
  await room.set("opt-out");
  expect(room.consent.mode).toBe("opt-in");
  room.consent.ended();
  expect(room.consent.mode).toBe("opt-out");
});

test("a recording that asks first since it has begun goes on to do so, whatever the room is set to, and after a restart", async () => {
  room.begin();
  await room.set("opt-in");
  await room.set("opt-out");
  expect(room.agreeing).toEqual([]);
  room.restart(true);
  expect(room.agreeing).toEqual([]);
  room.consent.ended();
  expect(room.agreeing).toEqual(PEOPLE);
});

test("a refusal for good holds for every recording and over restarts, until it is taken back", async () => {
  await room.consent.optOut(ann, "room");
  room.restart(false);
  room.begin();
  expect(room.agreeing).not.toContain(ann);
  room.consent.ended();
  room.begin();
  await room.consent.optIn(ann, "recording");
  expect(room.agreeing).toContain(ann);
  room.consent.ended();
  expect(room.agreeing).toContain(ann);
});

test("what is said while nothing runs is for the next recording, also when the first attempt comes to nothing", async () => {
  await room.consent.optOut(ann, "recording");
  room.begin();
  room.consent.ended("discarded");
  room.restart(false);
  room.begin();
  expect(room.agreeing).not.toContain(ann);
  expect(room.journal.entries.at(-1)).toMatchObject({ kind: "consent", userId: ann, agreed: false });
  room.consent.ended();
  room.begin();
  expect(room.agreeing).toContain(ann);
});

test("a reaction counts until who made it takes it back, and a command counts more", async () => {
  room.begin();
  await expect(room.consent.reacted(ann, false, "$1")).resolves.toBe(true);
  await expect(room.consent.reacted(ann, false, "$1")).resolves.toBe(false);
  await expect(room.consent.withdrew(bob, "$1")).resolves.toBe(false);
  expect(room.agreeing).not.toContain(ann);
  await expect(room.consent.withdrew(ann, "$1")).resolves.toBe(true);
  expect(room.agreeing).toContain(ann);
  await room.consent.reacted(ann, false, "$2");
  await room.consent.optOut(ann, "recording");
  await expect(room.consent.withdrew(ann, "$2")).resolves.toBe(false);
  expect(room.agreeing).not.toContain(ann);
});

test("an agreement that the homeserver tells again after a kill does not undo a later refusal", async () => {
  await room.set("opt-in");
  room.begin();
  await room.consent.reacted(ann, true, "$yes");
  await room.consent.optOut(ann, "recording");
  room.restart(true);
  await room.consent.reacted(ann, true, "$yes");
  expect(room.agreeing).toEqual([]);
});

test("it holds at once, and is told when everybody has acted and it is on disk", async () => {
  room.begin();
  const act = Promise.withResolvers<void>();
  const seen: boolean[] = [];
  room.consent.onChange(() => {
    seen.push(room.consent.agreed(ann));
    return act.promise;
  });
  let told = false;
  const said = room.consent.optOut(ann, "recording").then(() => (told = true));
  expect(seen).toEqual([false]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toBe(false);
  act.resolve();
  await said;
  expect(room.journal.flushed).toBe(room.journal.entries.length);
});

test("a disk that takes nothing is said, and the refusal holds all the same", async () => {
  room.begin();
  room.journal.broken = true;
  await expect(room.consent.optOut(ann, "recording")).rejects.toThrow("disk full");
  expect(room.agreeing).not.toContain(ann);
});

test("one listener that fails does not keep the others from acting, and is said", async () => {
  room.begin();
  let acted = 0;
  room.consent.onChange(() => {
    throw new Error("plane");
  });
  room.consent.onChange(() => void acted++);
  await expect(room.consent.optOut(ann, "recording")).rejects.toThrow("plane");
  expect(acted).toBe(1);
});

test("refusals that cannot be read are not taken for consent: only who agrees is recorded, until somebody sets it anew", async () => {
  await room.consent.optOut(ann, "room");
  room.documents.kept.set(CONSENT_DOCUMENT, '{"standing": 7}');
  room.restart(false);
  room.begin();
  expect(room.agreeing).toEqual([]);
  room.consent.ended();
  await room.consent.optIn(bob, "room");
  room.restart(false);
  expect(room.agreeing).toEqual([bob]);
  await room.set("opt-out");
  room.restart(false);
  expect(room.agreeing).toEqual(PEOPLE);
});

test("who changes their mind again and again stays out in the end, and the journal stays small", async () => {
  room.begin();
  const flip = async (): Promise<boolean> => {
    await room.consent.optOut(ann, "recording");
    return room.consent.optIn(ann, "recording").then(
      () => false,
      () => true,
    );
  };
  let turns = 0;
  while (turns < 500 && !(await flip())) turns++;
  expect(turns).toBeLessThan(500);
  expect(room.agreeing).not.toContain(ann);
  for (let turn = 0; turn < 500; turn++) await room.consent.optOut(ann, "recording");
  expect(room.journal.entries.length).toBeLessThan(200);
});

type Step =
  | { do: "out" | "in"; who: string; scope: "recording" | "room" }
  | { do: "react"; who: string; agreed: boolean }
  | { do: "withdraw"; who: string; nth: number }
  | { do: "begin" | "end" | "restart" }
  | { do: "set"; mode: ConsentMode };

const who = fc.constantFrom(...PEOPLE);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom("out", "in"),
    who,
    scope: fc.constantFrom("recording", "room"),
  }),
  fc.record({ do: fc.constant("react"), who, agreed: fc.boolean() }),
  fc.record({ do: fc.constant("withdraw"), who, nth: fc.nat(8) }),
  fc.record({ do: fc.constantFrom("begin", "end", "restart") }),
  fc.record({ do: fc.constant("set"), mode: fc.constantFrom("opt-out", "opt-in") }),
);

/** Runs steps; `after` sees the room before and after each. */
async function play(
  steps: readonly Step[],
  after: (room: Room, step: Step, before: readonly string[]) => void,
): Promise<void> {
  const played = new Room();
  const reactions: string[] = [];
  let running = false;
  for (const each of steps) {
    const before = played.agreeing;
    const { consent } = played;
    if (each.do === "out") await consent.optOut(each.who, each.scope);
    else if (each.do === "in") await consent.optIn(each.who, each.scope);
    else if (each.do === "react") {
      reactions.push(`$${reactions.length}`);
      await consent.reacted(each.who, each.agreed, reactions.at(-1) ?? "");
    } else if (each.do === "withdraw")
      await consent.withdrew(each.who, reactions.at(-1 - each.nth) ?? "$none");
    else if (each.do === "set") await played.set(each.mode);
    else if (each.do === "begin" && !running) {
      played.begin();
      running = true;
    } else if (each.do === "end" && running) {
      consent.ended();
      running = false;
    } else if (each.do === "restart") played.restart(running);
    await Promise.resolve();
    after(played, each, before);
  }
}

test("property: nobody decides for anybody else", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), (steps) =>
      play(steps, (played, each, before) => {
        if (!("who" in each)) return;
        const others = (list: readonly string[]): string[] => list.filter((userId) => userId !== each.who);
        expect(others(played.agreeing)).toEqual(others(before));
      }),
    ),
  );
});

test("property: a restart changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), (steps) =>
      play(steps, (played, each, before) => {
        if (each.do === "restart") expect(played.agreeing).toEqual(before);
      }),
    ),
    { numRuns: 300 },
  );
});

test("property: who refused is not recorded before they say so themselves, whatever happens around them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, forGood) => {
      const others = steps.filter((each) => !("who" in each) || each.who !== ann);
      const kept = forGood ? others : others.filter((each) => each.do !== "end");
      const scope = forGood ? "room" : "recording";
      return play([{ do: "out", who: ann, scope }, ...kept], (played) => {
        expect(played.agreeing).not.toContain(ann);
      });
    }),
  );
});

test("property: where people are asked first, nobody is recorded who never agreed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), (steps) => {
      const kept = steps.filter(
        (each) =>
          each.do !== "set" &&
          !(each.do === "in" && each.who === bob) &&
          !(each.do === "react" && each.who === bob),
      );
      return play([{ do: "set", mode: "opt-in" }, ...kept], (played) => {
        expect(played.agreeing).not.toContain(bob);
      });
    }),
  );
});
