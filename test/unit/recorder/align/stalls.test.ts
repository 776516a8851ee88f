import { TrackObserver } from "../../../../src/recorder/export/align/observer.ts";
import { findStalls } from "../../../../src/recorder/export/align/stalls.ts";
import { farEvents, type FarClock } from "../../../support/far-clock.ts";

const CLOCK: FarClock = {
  ...{ seed: 5, fromMs: 0, lengthMs: 600_000, driftPpm: 150, jitterMs: 4, loss: 0.02 },
  routes: [{ atMs: 0, thereMs: 30, backMs: 30 }],
  reports: { wallPpm: -20 },
};

function stallsOf(clock: FarClock) {
  const observer = new TrackObserver({ own: false });
  for (const event of farEvents(clock)) {
    if (event.type === "packet") observer.packet({ ...event, atMs: event.arrivalMs });
    if (event.type === "senderClock") observer.report(event);
  }
  return findStalls(observer.clocks[0]!.envelope.fastest);
}

test("the time that a sender lost, and when, whatever its drift", () => {
  const steps = Array.from({ length: 30 }, (_, i) => ({
    atMs: 7_000 + i * 19_300,
    ms: 25 + ((i * 41) % 120),
  }));
  const found = stallsOf({ ...CLOCK, steps });
  expect(found).toHaveLength(steps.length);
  for (const [i, { t, ms }] of found.entries()) {
    expect(Math.abs(ms - steps[i]!.ms)).toBeLessThan(5);
    // What is written down is the clock's own time, in which nothing is lost.
    expect(Math.abs(t * 1_000 - steps[i]!.atMs)).toBeLessThan(1_500);
  }
});

test("none, where none was lost: jitter, congestion and a report that is wrong are not stalls", () => {
  const bursts = { everyMs: 20_000, forMs: 10_000, ms: 120, hereAlone: true };
  expect(stallsOf({ ...CLOCK, bursts })).toEqual([]);
  const set = [
    { atMs: 200_000, ms: 50 },
    { atMs: 204_500, ms: -50 },
  ];
  expect(stallsOf({ ...CLOCK, reports: { wallPpm: 20, sets: set } })).toEqual([]);
});
