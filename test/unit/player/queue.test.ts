import fc from "fast-check";
import {
  emptyQueue,
  etaMs,
  MAX_FAILURES,
  MAX_QUEUE,
  reduceQueue,
  SKIP_WINDOW_MS,
} from "../../../src/player/queue.ts";
import type { QueueEffect, QueueEvent, QueueState, Track } from "../../../src/player/queue.ts";

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

test("a track that sounded ends a row of failures", () => {
  const events: QueueEvent[] = [
    ...add("a", "b", "c"),
    { kind: "failed", id: "a", reason: "x" },
    { kind: "started", id: "b" },
  ];
  expect(run(events).state.failures).toBe(0);
});

test("the time until a track starts counts what is left, and is unknown behind a stream", () => {
  const { state } = run([...add("a", "b", "c"), { kind: "position", id: "a", positionMs: 20_000 }]);
  expect(etaMs(state, 0)).toBe(40_000);
  expect(etaMs(state, 1)).toBe(100_000);
  const live = run([{ kind: "add", track: track("live", null) }, ...add("b")]).state;
  expect(etaMs(live, 0)).toBeNull();
});

describe("whatever happens", () => {
  const id = fc.integer({ min: 0, max: 30 }).map((number) => `t${number}`);
  let count = 0;
  const event: fc.Arbitrary<QueueEvent> = fc.oneof(
    fc.constant(null).map((): QueueEvent => ({ kind: "add", track: track(`t${count++ % 31}`) })),
    fc.record({ kind: fc.constant("skip" as const), meant: fc.option(id), nowMs: fc.nat(100_000) }),
    fc.constantFrom<QueueEvent>({ kind: "stop" }, { kind: "pause" }, { kind: "resume" }),
    fc.record({ kind: fc.constant("volume" as const), percent: fc.nat(200) }),
    fc.record({ kind: fc.constantFrom("started" as const, "finished" as const), id }),
    fc.record({ kind: fc.constant("failed" as const), id, reason: fc.string() }),
    fc.record({ kind: fc.constant("position" as const), id, positionMs: fc.nat(100_000) }),
  );

  test("nothing is lost, doubled or out of bounds, and effects say what changed", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), (events) => {
        let state = emptyQueue;
        for (const next of events) {
          const before = state;
          const step = reduceQueue(state, next);
          state = step.state;
          const all = (of: QueueState): number => of.upcoming.length + (of.now ? 1 : 0);
          const gone = all(before) - all(state);
          expect(gone).toBeGreaterThanOrEqual(next.kind === "add" ? -1 : 0);
          if (next.kind !== "stop") expect(gone).toBeLessThanOrEqual(1);
          expect(state.upcoming.length).toBeLessThanOrEqual(MAX_QUEUE);
          expect(state.failures).toBeLessThan(MAX_FAILURES);
          // What waits keeps its order.
          const rest = state.upcoming.filter((entry) => before.upcoming.includes(entry));
          expect(rest).toEqual(before.upcoming.filter((entry) => rest.includes(entry)));
          const sounds = before.now?.track !== state.now?.track || before.now?.phase !== state.now?.phase;
          if (sounds) expect(kinds(step.effects)).toEqual(expect.arrayContaining(["sound", "save"]));
          if (before.now && !state.now) expect(kinds(step.effects)).toContain("idle");
        }
      }),
      { numRuns: 300 },
    );
  });

  test("it does not change what it was given", () => {
    const frozen = Object.freeze({ ...run(add("a", "b")).state });
    Object.freeze(frozen.upcoming);
    fc.assert(fc.property(event, (next) => void reduceQueue(frozen, next)));
  });
});
