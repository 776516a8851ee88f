import {
  emptyQueue,
  etaMs,
  etasMs,
  HEARD_MS,
  MAX_FAILURES,
  MIN_REPEATED_MS,
  MAX_QUEUE,
  playName,
  reduceQueue,
  SKIP_WINDOW_MS,
} from "../../../src/player/queue.ts";
import type { QueueEffect, QueueEvent, QueueState, Track } from "../../../src/player/queue.ts";
import { loadQueue } from "../../../src/player/saved.ts";
import { FakeDocuments } from "../../fakes/documents.ts";

const track = (id: string, durationMs: number | null = 60_000): Track => ({
  ...{ id, title: `Title ${id}`, artist: null, durationMs, requester: "@a:b" },
  source: { kind: "library", path: `${id}.mp3` },
});

function run(
  events: readonly QueueEvent[],
  from: QueueState = emptyQueue,
): { state: QueueState; effects: QueueEffect[] } {
  let state = from;
  const effects: QueueEffect[] = [];
  for (const event of events) {
    const step = reduceQueue(state, event);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects };
}

const add = (...ids: string[]): QueueEvent[] => ids.map((id) => ({ kind: "add", track: track(id) }));
const kinds = (effects: readonly QueueEffect[]): string[] => effects.map(({ kind }) => kind);

test("the first track is on, the others wait in order", () => {
  const { state } = run(add("a", "b", "c"));
  expect(state.now).toMatchObject({ track: { id: "a" }, phase: "playing", positionMs: 0 });
  expect(state.upcoming.map(({ id }) => id)).toEqual(["b", "c"]);
});

test("a track that is over makes room for the next; the end of one that is gone changes nothing", () => {
  const { state } = run([...add("a", "b"), { kind: "finished", id: "a" }]);
  expect(state.now?.track.id).toBe("b");
  expect(reduceQueue(state, { kind: "finished", id: "a" })).toEqual({ state, effects: [] });
  // Whoever pauses in its last moment wants no other to sound.
  const held = run([...add("a", "b"), { kind: "pause" }, { kind: "finished", id: "a" }]).state;
  expect(held.now).toMatchObject({ track: { id: "b" }, phase: "paused", positionMs: 0 });
  const again = run([
    ...add("a"),
    { kind: "loop", loop: "track" },
    { kind: "pause" },
    { kind: "finished", id: "a" },
  ]);
  expect(again.state.now).toMatchObject({ track: { id: "a" }, phase: "paused" });
  expect(reduceQueue(state, { kind: "failed", id: "a", reason: "x" })).toEqual({ state, effects: [] });
});

test("a second skip within two seconds is of the track that is already gone", () => {
  const skip = (nowMs: number, meant: string | null = null): QueueEvent => ({ kind: "skip", meant, nowMs });
  const first = run([...add("a", "b", "c"), skip(10_000, "a")]);
  expect(first.state.now?.track.id).toBe("b");
  const second = reduceQueue(first.state, skip(10_000 + SKIP_WINDOW_MS - 1, "b"));
  expect(kinds(second.effects)).toEqual(["already-skipped"]);
  expect(second.state.now?.track.id).toBe("b");
  expect(reduceQueue(first.state, skip(10_000 + SKIP_WINDOW_MS, "b")).state.now?.track.id).toBe("c");
  // Long after, but said while the track before was on.
  expect(kinds(reduceQueue(first.state, skip(60_000, "a")).effects)).toEqual(["already-skipped"]);
});

test("five failures in a row hold the queue, and resume goes on with what waits", () => {
  const ids = Array.from({ length: MAX_FAILURES + 2 }, (_, index) => `t${index}`);
  const failures = ids
    .slice(0, MAX_FAILURES)
    .map((id): QueueEvent => ({ kind: "failed", id, reason: "broken" }));
  const { state, effects } = run([...add(...ids), ...failures]);
  expect(state.now).toBeNull();
  expect(effects.filter(({ kind }) => kind === "failed")).toHaveLength(MAX_FAILURES);
  expect(effects).toContainEqual({ kind: "gave-up", failures: MAX_FAILURES, waiting: 2 });
  expect(reduceQueue(state, { kind: "resume" }).state.now?.track.id).toBe(`t${MAX_FAILURES}`);
});

test.each<[string, QueueEvent, number]>([
  ["was heard for ten seconds", { kind: "position", id: "b", positionMs: HEARD_MS }, 0],
  ["was heard to its end", { kind: "finished", id: "b" }, 0],
  ["was skipped", { kind: "skip", meant: "b", nowMs: 0 }, 0],
  ["has only begun", { kind: "position", id: "b", positionMs: HEARD_MS - 1 }, 1],
])("a row of failures and a track that %s", (_, event, failures) => {
  const events: QueueEvent[] = [...add("a", "b", "c"), { kind: "failed", id: "a", reason: "x" }, event];
  expect(run(events).state.failures).toBe(failures);
});

test("the time until a track starts counts what is left, and is unknown behind a stream", () => {
  const { state } = run([...add("a", "b", "c"), { kind: "position", id: "a", positionMs: 20_000 }]);
  expect(etaMs(state, 0)).toBe(40_000);
  expect(etaMs(state, 1)).toBe(100_000);
  const live = run([{ kind: "add", track: track("live", null) }, ...add("b")]).state;
  expect(etaMs(live, 0)).toBeNull();
});

const held = ({ now, upcoming }: QueueState): string[] => [
  ...(now ? [now.track.id] : []),
  ...upcoming.map(({ id }) => id),
];
const after = (state: QueueState, ...events: QueueEvent[]): QueueState => run(events, state).state;
const by = (requester: string, ...ids: string[]): Track[] => ids.map((id) => ({ ...track(id), requester }));
const fair = { fair: true, maxPerPerson: 0 };
const four = run(add("a", "b", "c", "d")).state;

test("next is before all that wait; the others keep their order", () => {
  expect(held(after(four, { kind: "add", track: track("x"), next: true }))).toEqual([
    "a",
    "x",
    "b",
    "c",
    "d",
  ]);
});

test("remove, move and clear are about what waits", () => {
  expect(held(after(four, { kind: "remove", ids: ["b", "d"] }))).toEqual(["a", "c"]);
  expect(kinds(reduceQueue(four, { kind: "remove", ids: ["a", "gone"] }).effects)).toEqual(["refused"]);
  expect(held(after(four, { kind: "move", id: "d", to: 0 }))).toEqual(["a", "d", "b", "c"]);
  expect(held(after(four, { kind: "move", id: "b", to: 2 }))).toEqual(["a", "c", "d", "b"]);
  expect(held(after(four, { kind: "move", id: "b", to: 99 }))).toEqual(["a", "c", "d", "b"]);
  expect(held(after(four, { kind: "clear" }))).toEqual(["a"]);
});

test("shuffling makes another order of the same, the same from the same seed", () => {
  const ids = Array.from({ length: 30 }, (_, index) => `t${index}`);
  const full = run(add("on", ...ids)).state;
  const one = after(full, { kind: "shuffle", seed: 1, fair: false });
  expect(held(one)).not.toEqual(held(full));
  expect([...held(one)].sort()).toEqual([...held(full)].sort());
  expect(held(after(full, { kind: "shuffle", seed: 1, fair: false }))).toEqual(held(one));
  expect(held(after(full, { kind: "shuffle", seed: 2, fair: false }))).not.toEqual(held(one));
});

test("a track comes again and again, under a new name, until somebody skips it or it fails", () => {
  const looped = after(four, { kind: "loop", loop: "track" });
  const again = after(looped, { kind: "finished", id: "a" });
  expect(held(again)).toEqual(["a", "b", "c", "d"]);
  expect(playName(again)).toBe("a.1");
  expect(again.history).toEqual([]);
  // What is still said of the time before.
  expect(after(again, { kind: "finished", id: "a" }, { kind: "position", id: "a", positionMs: 9 })).toBe(
    again,
  );
  expect(playName(after(again, { kind: "finished", id: "a.1" }))).toBe("a.2");
  expect(held(after(again, { kind: "skip", meant: "a", nowMs: 0 }))).toEqual(["b", "c", "d"]);
  expect(held(after(again, { kind: "failed", id: "a.1", reason: "x" }))).toEqual(["b", "c", "d"]);
});

test("what is hardly a sound does not come again and again", () => {
  const blip = run([{ kind: "add", track: track("blip", 100) }, ...add("b")]).state;
  for (const loop of ["track", "queue"] as const)
    expect(held(after(blip, { kind: "loop", loop }, { kind: "finished", id: "blip" }))).toEqual(["b"]);
});

test.each(["track", "queue"] as const)(
  "what has no known length and ends at once does not come again and again (%s)",
  (loop) => {
    const { state } = run([
      { kind: "add", track: track("a", null) },
      { kind: "loop", loop },
    ]);
    const after = (positionMs: number): string | undefined =>
      run(
        [
          { kind: "position", id: "a", positionMs },
          { kind: "finished", id: "a" },
        ],
        state,
      ).state.now?.track.id;
    expect([after(MIN_REPEATED_MS - 1), after(MIN_REPEATED_MS)]).toEqual([undefined, "a"]);
    // Skipped at once it comes again all the same, where everything does.
    const skipped = run([{ kind: "skip", meant: "a", nowMs: 0 }], state).state.now?.track.id;
    expect(skipped).toBe(loop === "queue" ? "a" : undefined);
  },
);

test("with the queue repeated what is over waits at the end, also alone and when it was skipped", () => {
  const looped = after(four, { kind: "loop", loop: "queue" });
  expect(held(after(looped, { kind: "finished", id: "a" }))).toEqual(["b", "c", "d", "a"]);
  expect(held(after(looped, { kind: "skip", meant: "a", nowMs: 0, count: 2 }))).toEqual(["c", "d", "a", "b"]);
  expect(held(after(looped, { kind: "failed", id: "a", reason: "x" }))).toEqual(["b", "c", "d"]);
  const alone = after(looped, { kind: "clear" }, { kind: "finished", id: "a" });
  expect([held(alone), playName(alone)]).toEqual([["a"], "a.1"]);
  // All the way round: it is the same track, and has to start anew.
  expect(playName(after(looped, { kind: "skip", meant: "a", nowMs: 0, count: 4 }))).toBe("a.1");
  expect(held(after(looped, { kind: "previous" }))).toEqual(["d", "a", "b", "c"]);
  // Who waits last may have come since: it is not what was on before.
  const joined = after(looped, { kind: "finished", id: "a" }, { kind: "add", track: track("new") });
  expect(held(after(joined, { kind: "previous" }))).toEqual(["a", "b", "c", "d", "new"]);
});

test("previous goes back through what was on, and what was on comes after it", () => {
  expect(kinds(reduceQueue(four, { kind: "previous" }).effects)).toEqual(["refused"]);
  const third = after(four, { kind: "finished", id: "a" }, { kind: "skip", meant: "b", nowMs: 0 });
  expect([held(third), third.history.map(({ id }) => id)]).toEqual([
    ["c", "d"],
    ["a", "b"],
  ]);
  const second = after(third, { kind: "previous" });
  expect(held(second)).toEqual(["b", "c", "d"]);
  const first = after(second, { kind: "previous" });
  expect([held(first), first.history]).toEqual([["a", "b", "c", "d"], []]);
  const stopped = after(third, { kind: "stop" });
  expect(held(after(stopped, { kind: "previous" }))).toEqual(["c"]);
  expect(held(after(stopped, { kind: "replay" }))).toEqual(["c"]);
});

test("going back needs a place for what is on", () => {
  const full = run(add("a", "b", ...Array.from({ length: MAX_QUEUE - 1 }, (_, index) => `t${index}`))).state;
  const second = after(full, { kind: "finished", id: "a" }, { kind: "add", track: track("last") });
  expect(second.upcoming).toHaveLength(MAX_QUEUE);
  expect(reduceQueue(second, { kind: "previous" }).effects).toEqual([{ kind: "refused", why: "full" }]);
});

test("several are skipped at once, no more than there are, and all of them are remembered", () => {
  const { state, effects } = reduceQueue(four, { kind: "skip", meant: "a", nowMs: 0, count: 3 });
  expect(held(state)).toEqual(["d"]);
  expect(effects).toContainEqual({ kind: "skipped", track: track("a"), count: 3 });
  expect(state.history.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  expect(held(after(four, { kind: "skip", meant: "a", nowMs: 0, count: 500 }))).toEqual([]);
});

test("seeking and replaying start what is on anew; without a length, or beyond the end, there is no seeking", () => {
  const there = after(four, { kind: "seek", positionMs: 30_000 });
  expect([playName(there), there.now?.positionMs]).toEqual(["a.1", 30_000]);
  expect(after(there, { kind: "position", id: "a", positionMs: 1_000 })).toBe(there);
  expect(after(there, { kind: "seek", positionMs: -5 }).now?.positionMs).toBe(0);
  const begun = after(there, { kind: "pause" }, { kind: "replay" });
  expect([playName(begun), begun.now?.positionMs, begun.now?.phase]).toEqual(["a.2", 0, "playing"]);
  const why = (state: QueueState): unknown =>
    reduceQueue(state, { kind: "seek", positionMs: 60_000 }).effects;
  expect(why(four)).toEqual([{ kind: "refused", why: "beyond" }]);
  expect(why(run([{ kind: "add", track: track("live", null) }]).state)).toEqual([
    { kind: "refused", why: "live" },
  ]);
});

test("people take turns: each comes after as many of the others as they have had", () => {
  let state = run([{ kind: "add-many", tracks: by("@ann:a", "a0", "a1", "a2", "a3"), rules: fair }]).state;
  const [b0, b1] = by("@ben:b", "b0", "b1");
  const [c0] = by("@cay:c", "c0");
  if (!b0 || !b1 || !c0) throw new Error("tracks");
  for (const each of [b0, b1, c0]) state = after(state, { kind: "add", track: each, rules: fair });
  expect(held(state)).toEqual(["a0", "b0", "c0", "a1", "b1", "a2", "a3"]);
  // Next is next of one's own.
  const next = after(state, { kind: "add", track: { ...b0, id: "b9" }, next: true, rules: fair });
  expect(held(next)).toEqual(["a0", "b9", "c0", "a1", "b0", "a2", "b1", "a3"]);
  const mixed = after(four, ...[b0, b1].map((each): QueueEvent => ({ kind: "add", track: each })));
  expect(held(mixed)).toEqual(["a", "b", "c", "d", "b0", "b1"]);
  expect(held(after(mixed, { kind: "arrange" }))).toEqual(["a", "b0", "b", "b1", "c", "d"]);
});

test("one person may have so many waiting; of several as many come as fit", () => {
  const rules = { fair: false, maxPerPerson: 2 };
  const { state, effects } = run([{ kind: "add-many", tracks: by("@ann:a", "a", "b", "c", "d"), rules }]);
  expect(held(state)).toEqual(["a", "b"]);
  expect(effects).toContainEqual({ kind: "left-out", count: 2, why: "limit" });
  const more = after(state, { kind: "add", track: { ...track("e"), requester: "@ann:a" }, rules });
  expect(held(more)).toEqual(["a", "b", "e"]);
  const step = reduceQueue(more, { kind: "add", track: { ...track("f"), requester: "@ann:a" }, rules });
  expect(step.effects).toEqual([{ kind: "refused", why: "limit" }]);
  expect(held(after(more, { kind: "add", track: track("f"), rules }))).toHaveLength(4);
});

test("the time until a track is not known while what is on comes again and again", () => {
  expect(etasMs(four)).toEqual([60_000, 120_000, 180_000]);
  expect(etasMs({ ...four, loop: "track" })).toEqual([null, null, null]);
});

test("what earlier versions have kept is read; what cannot be read is set aside", () => {
  const documents = new FakeDocuments();
  documents.write("queue", {
    now: { track: track("a"), phase: "playing" },
    upcoming: [track("b")],
    volume: 70,
  });
  documents.write("position", { id: "a", positionMs: 1234 });
  const { state, isDamaged } = loadQueue(documents);
  expect([held(state), state.now?.positionMs, state.loop, state.history, isDamaged]).toEqual([
    ["a", "b"],
    1234,
    "off",
    [],
    false,
  ]);
  documents.write("queue", { now: "nonsense" });
  expect(loadQueue(documents)).toEqual({ state: emptyQueue, isDamaged: true });
  expect(documents.kept.get("queue.damaged")).toBe('{"now":"nonsense"}');
  expect(loadQueue(documents)).toEqual({ state: emptyQueue, isDamaged: false });
});

test.each<[string, object, object, object]>([
  ["behind the end", {}, { positionMs: 60_001 }, { positionMs: 0 }],
  ["beyond every number", { durationMs: null }, { positionMs: 1e308 }, { positionMs: 0, durationMs: null }],
  ["of another track", {}, { id: "b" }, { positionMs: 0 }],
  ["in a track of a length that none has", { durationMs: 1e308 }, {}, { positionMs: 9, durationMs: null }],
  ["in a track of a length below zero", { durationMs: -1 }, {}, { positionMs: 9, durationMs: null }],
])("a position that was kept %s does no harm", (_, about, position, expected) => {
  const documents = new FakeDocuments();
  const on = { ...track("a"), ...about };
  const kept = { now: { track: on, phase: "playing" }, upcoming: [on, track("b"), track("b")], volume: 70 };
  documents.write("queue", kept);
  documents.write("position", { id: "a", positionMs: 9, ...position });
  const { state, isDamaged } = loadQueue(documents);
  const { track: back, positionMs } = state.now!;
  expect({ durationMs: 60_000, ...expected }).toEqual({ positionMs, durationMs: back.durationMs });
  // Nothing is there twice, and nothing else was lost.
  expect([isDamaged, state.volume, ...state.upcoming.map(({ id }) => id)]).toEqual([false, 70, "b"]);
});
