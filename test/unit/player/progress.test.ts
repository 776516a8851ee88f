import { Progress } from "../../../src/player/progress.ts";
import { emptyQueue, playName, type QueueState, type StoredSource } from "../../../src/player/queue.ts";

/** Plays, and was a minute into it when the plane told of it last. */
function at(source: StoredSource, speed: number): QueueState {
  const track = { id: "t", title: "T", artist: null, durationMs: 100_000, requester: "@a:test", source };
  const now = { track, phase: "playing" as const, positionMs: 60_000 };
  return { ...emptyQueue, now, filters: { ...emptyQueue.filters, speed } };
}

test.each<[string, StoredSource, number]>([
  ["a file at the room's speed", { kind: "library", path: "x" }, 60_600],
  ["a stream in its own time", { kind: "stream", url: "https://radio.example/l", format: "hls" }, 60_400],
])("goes on between what the plane tells: %s", (_, source, expected) => {
  const state = at(source, 1.5);
  const progress = new Progress();
  progress.note(playName(state) ?? "", 1_000);
  expect(progress.positionMs(state, 1_400)).toBe(expected);
});

test("what was not told of has not sounded: a plane that hung before it fell is no second ahead of what was heard", () => {
  const state = at({ kind: "library", path: "x" }, 2);
  const progress = new Progress();
  progress.note(playName(state) ?? "", 1_000);
  expect(progress.positionMs(state, 2_400)).toBe(60_600);
});
