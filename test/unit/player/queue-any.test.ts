// Whatever people, the media plane and restarts do, in any order.
import fc from "fast-check";
import { NO_FILTERS } from "../../../src/player/filters.ts";
import {
  emptyQueue,
  MAX_FAILURES,
  MAX_HISTORY,
  MAX_QUEUE,
  playName,
  reduceQueue,
  type QueueEffect,
  type QueueEvent,
  type QueueState,
  type Track,
} from "../../../src/player/queue.ts";
import { loadQueue, saveQueue } from "../../../src/player/saved.ts";
import { FakeDocuments } from "../../fakes/documents.ts";

const PEOPLE = ["@a:b", "@c:d", "@e:f"];
const NONE = { fair: false, maxPerPerson: 0 };
let made = 0;
const newTrack = (requester: string, durationMs: number | null = 60_000): Track => {
  const id = `t${made++}`;
  return {
    id,
    title: id,
    artist: null,
    durationMs,
    requester,
    source: { kind: "library", path: `${id}.mp3` },
  };
};
const kinds = (effects: readonly QueueEffect[]): string[] => effects.map(({ kind }) => kind);
const ids = (tracks: readonly Track[]): string[] => tracks.map(({ id }) => id);
const held = ({ now, upcoming }: QueueState): string[] => [...(now ? [now.track.id] : []), ...ids(upcoming)];

/** An event about what is there when it comes: `pick` says which of it. */
type Step = (state: QueueState) => QueueEvent;
const pick = fc.nat(40);
const anyone = fc.constantFrom(...PEOPLE);
const rules = fc.record({ fair: fc.boolean(), maxPerPerson: fc.constantFrom(0, 0, 3) });
const waiting = (state: QueueState, at: number): string =>
  state.upcoming[at % Math.max(1, state.upcoming.length)]?.id ?? "gone";
/** What is on, an earlier play of it, or something that was. */
const play = (state: QueueState, at: number): string => {
  if (at % 4 === 0) return `t${at}`;
  return (at % 4 === 1 ? state.now?.track.id : playName(state)) ?? "gone";
};

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({ who: anyone, next: fc.boolean(), rules, live: fc.boolean() })
      .map(({ who, next, rules: set, live }): Step => {
        return () => ({ kind: "add", track: newTrack(who, live ? null : 60_000), next, rules: set });
      }),
  },
  fc
    .record({ who: anyone, count: fc.integer({ min: 1, max: 90 }), rules })
    .map(({ who, count, rules: set }): Step => {
      return () => ({
        kind: "add-many",
        tracks: Array.from({ length: count }, () => newTrack(who)),
        rules: set,
      });
    }),
  fc
    .record({ meant: fc.boolean(), nowMs: fc.nat(100_000), count: fc.integer({ min: 1, max: 5 }) })
    .map(({ meant, nowMs, count }): Step => {
      return (state) => ({ kind: "skip", meant: meant ? (state.now?.track.id ?? null) : null, nowMs, count });
    }),
  fc.array(pick, { maxLength: 4 }).map((at): Step => {
    return (state) => ({ kind: "remove", ids: at.map((each) => waiting(state, each)) });
  }),
  fc.record({ at: pick, to: pick }).map(({ at, to }): Step => {
    return (state) => ({ kind: "move", id: waiting(state, at), to });
  }),
  fc.record({ kind: fc.constant("shuffle" as const), seed: fc.nat(), fair: fc.boolean() }).map(
    (event): Step =>
      () =>
        event,
  ),
  fc
    .constantFrom<QueueEvent>(
      { kind: "stop" },
      { kind: "clear" },
      { kind: "pause" },
      { kind: "resume" },
      { kind: "arrange" },
      { kind: "previous" },
      { kind: "replay" },
      { kind: "loop", loop: "off" },
      { kind: "loop", loop: "track" },
      { kind: "loop", loop: "queue" },
    )
    .map(
      (event): Step =>
        () =>
          event,
    ),
  fc
    .oneof(
      fc.record({ kind: fc.constant("volume" as const), percent: fc.nat(200) }),
      fc.record({ kind: fc.constant("filters" as const), filters: fc.constant({ ...NO_FILTERS, speed: 2 }) }),
      fc.record({ kind: fc.constant("seek" as const), positionMs: fc.integer({ min: -9, max: 70_000 }) }),
    )
    .map(
      (event): Step =>
        () =>
          event,
    ),
  {
    weight: 3,
    arbitrary: fc
      .record({ at: pick })
      .map(({ at }): Step => (state) => ({ kind: "finished", id: play(state, at) })),
  },
  pick.map((at): Step => (state) => ({ kind: "failed", id: play(state, at), reason: "x" })),
  pick.map((at): Step => (state) => ({ kind: "retry", id: play(state, at), hold: at % 3 === 0 })),
  fc.record({ at: pick, positionMs: fc.nat(100_000) }).map(({ at, positionMs }): Step => {
    return (state) => ({ kind: "position", id: play(state, at), positionMs });
  }),
);

/** Which tracks an event may take out of the queue. */
function mayGo(before: QueueState, event: QueueEvent): string[] {
  const now = before.now ? [before.now.track.id] : [];
  const { kind } = event;
  if (kind === "stop") return held(before);
  if (kind === "clear") return ids(before.upcoming);
  if (kind === "remove") return [...event.ids];
  if (kind === "skip" && before.loop !== "queue")
    return [...now, ...ids(before.upcoming)].slice(0, event.count);
  return kind === "failed" || (kind === "finished" && (before.loop === "off" || isShort(before))) ? now : [];
}

/** What is on ended at once, and nothing says how long it is: it does not come again. */
const isShort = ({ now }: QueueState): boolean =>
  now !== null && now.track.durationMs === null && now.positionMs < 2_000;

/** What must never be, by name. One assertion for a whole course: thousands of small ones take their time. */
function wrong(
  before: QueueState,
  event: QueueEvent,
  after: QueueState,
  effects: readonly QueueEffect[],
): string[] {
  const [had, has] = [held(before), held(after)];
  const [wasThere, isThere] = [new Set(had), new Set(has)];
  const told = kinds(effects);
  const isRefused = told.includes("refused");
  const allowed = mayGo(before, event);
  const come = has.filter((id) => !wasThere.has(id));
  const added = event.kind === "add" ? [event.track] : event.kind === "add-many" ? event.tracks : [];
  const back = event.kind === "previous" || event.kind === "replay" ? before.history : [];
  const left = effects.find((effect) => effect.kind === "left-out")?.count ?? 0;
  const isOver = ["skip", "stop", "finished"].includes(event.kind) && after.now?.track !== before.now?.track;
  const isSwitched = playName(before) !== playName(after) || before.now?.phase !== after.now?.phase;
  const isKept = before.history === after.history && before.upcoming === after.upcoming && !isSwitched;
  const ordering = ["remove", "move", "shuffle", "arrange", "clear", "loop"].includes(event.kind);
  const rules: Record<string, boolean> = {
    "there twice": isThere.size !== has.length,
    "gone though nobody took it out": had.some((id) => !isThere.has(id) && !allowed.includes(id)),
    "come though nobody added it": come.some((id) => !ids(added).includes(id) && !ids(back).includes(id)),
    "added and not there": added.length > 0 && !isRefused && come.length !== added.length - left,
    "over and not remembered":
      isOver && before.now !== null && !ids(after.history).includes(before.now.track.id),
    "changed by what is not on any more":
      ["position", "finished", "failed", "retry"].includes(event.kind) &&
      "id" in event &&
      event.id !== playName(before) &&
      after !== before,
    "too much history": after.history.length > MAX_HISTORY,
    "too much waits": after.upcoming.length > MAX_QUEUE,
    "too many failures": after.failures >= MAX_FAILURES,
    "what is on was touched": ordering && after.now !== before.now,
    "another sounds, or from another place, and the plane is not asked":
      isSwitched && !told.includes("sound"),
    "sought under the same name": event.kind === "seek" && !isRefused && playName(after) === playName(before),
    "tried again under the same name, or from elsewhere":
      event.kind === "retry" &&
      event.id === playName(before) &&
      (playName(after) === playName(before) || after.now?.positionMs !== before.now?.positionMs),
    "silent and not told": before.now !== null && after.now === null && !told.includes("idle"),
    "refused and changed": isRefused && after !== before,
    "changed and not kept": !isKept && !told.includes("save"),
  };
  return Object.keys(rules).filter((name) => rules[name]);
}

const courses = fc.array(steps, { maxLength: 120, size: "max" });
/** What only many steps would lead to. */
const nearlyFull = [
  { kind: "add-many", tracks: Array.from({ length: 400 }, () => newTrack("@a:b")), rules: NONE } as const,
  { kind: "loop", loop: "queue" } as const,
  { kind: "skip", meant: null, nowMs: 0, count: MAX_HISTORY - 2 } as const,
  { kind: "add-many", tracks: Array.from({ length: 98 }, () => newTrack("@c:d")), rules: NONE } as const,
].reduce<QueueState>((state, event) => reduceQueue(state, event).state, emptyQueue);

test("nothing is lost or doubled, everything is bounded, and it is the same after a restart at any point", () => {
  fc.assert(
    fc.property(fc.constantFrom(emptyQueue, nearlyFull), courses, (begin, list) => {
      let state = begin;
      const documents = new FakeDocuments();
      saveQueue(documents, state);
      for (const next of list) {
        const event = next(state);
        const { state: after, effects } = reduceQueue(state, event);
        const broken = wrong(state, event, after, effects);
        if (broken.length > 0) throw new Error(`${event.kind}: ${broken.join("; ")}`);
        state = after;
        if (kinds(effects).includes("save")) saveQueue(documents, state);
      }
      // What only the running program knows is not kept; the position is kept with every change.
      const { state: loaded, isDamaged } = loadQueue(documents);
      expect(isDamaged).toBe(false);
      const now = state.now && { ...state.now, positionMs: loaded.now?.positionMs };
      expect(loaded).toEqual({ ...state, now, take: 0, failures: 0, lastSkip: null });
    }),
    { numRuns: 60 },
  );
});

test("it does not change what it was given", () => {
  const tracks = PEOPLE.flatMap((who) => [newTrack(who), newTrack(who)]);
  const add: QueueEvent = { kind: "add-many", tracks, rules: NONE };
  const frozen = Object.freeze({ ...reduceQueue(emptyQueue, add).state });
  for (const part of [frozen.upcoming, frozen.history, frozen.now]) Object.freeze(part);
  fc.assert(fc.property(steps, (next) => void reduceQueue(frozen, next(frozen))));
});

test("however many skip at the same time, it goes on by one", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(1_900), { minLength: 1, maxLength: 20, size: "max" }),
      fc.constantFrom("off" as const, "track" as const, "queue" as const),
      (delays, loop) => {
        const tracks = Array.from({ length: 5 }, () => newTrack("@a:b"));
        let { state } = reduceQueue(emptyQueue, { kind: "add-many", tracks, rules: NONE });
        state = reduceQueue(state, { kind: "loop", loop }).state;
        for (const delay of [...delays].sort((a, b) => a - b))
          ({ state } = reduceQueue(state, {
            kind: "skip",
            meant: tracks[0]?.id ?? "",
            nowMs: 5_000 + delay,
          }));
        expect(state.now?.track).toBe(tracks[1]);
      },
    ),
  );
});

test("whenever a skip arrives it takes the track that it meant, or none; who did not know gets the window", () => {
  const skips = fc.array(fc.record({ atMs: fc.nat(60_000), knows: fc.boolean() }), {
    minLength: 1,
    maxLength: 9,
  });
  fc.assert(
    fc.property(skips, (list) => {
      const tracks = Array.from({ length: 12 }, () => newTrack("@a:b"));
      let { state } = reduceQueue(emptyQueue, { kind: "add-many", tracks, rules: NONE });
      let lastMs = -Infinity;
      for (const { atMs, knows } of list.toSorted((a, b) => a.atMs - b.atMs)) {
        const before = state.now?.track.id ?? "";
        // All who know what they mean mean the first.
        const meant = knows ? (tracks[0]?.id ?? "") : null;
        ({ state } = reduceQueue(state, { kind: "skip", meant, nowMs: atMs }));
        const goes = atMs - lastMs >= 2_000 && (meant === null || meant === before);
        if (goes) lastMs = atMs;
        expect(state.now?.track.id === before).toBe(!goes);
      }
    }),
  );
});

test("where people take turns nobody waits for two of another while one of theirs could be before", () => {
  fc.assert(
    fc.property(fc.array(anyone, { minLength: 1, maxLength: 40, size: "max" }), (who) => {
      let state = emptyQueue;
      for (const each of who) {
        const event: QueueEvent = {
          kind: "add",
          track: newTrack(each),
          rules: { fair: true, maxPerPerson: 0 },
        };
        state = reduceQueue(state, event).state;
      }
      const turns = new Map<string, number>(state.now ? [[state.now.track.requester, 1]] : []);
      let round = 0;
      for (const { requester } of state.upcoming) {
        const mine = turns.get(requester) ?? 0;
        turns.set(requester, mine + 1);
        expect(mine).toBeGreaterThanOrEqual(round);
        round = mine;
      }
      // Everybody's own stay in the order they were asked for.
      for (const one of PEOPLE) {
        const own = state.upcoming
          .filter(({ requester }) => requester === one)
          .map(({ id }) => Number(id.slice(1)));
        expect(own).toEqual([...own].sort((a, b) => a - b));
      }
    }),
    { numRuns: 40 },
  );
});
