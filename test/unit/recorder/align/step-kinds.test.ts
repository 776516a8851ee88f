import type { Fastest } from "../../../../src/recorder/export/align/envelope.ts";
import { sortSteps } from "../../../../src/recorder/export/align/step-kinds.ts";

const STEP = { index: 5, ms: -18 };
const points = (roundTripMs: number) =>
  Array.from({ length: 12 }, (_, i) => ({ t: i * 10, ms: i < STEP.index ? 0 : STEP.ms, roundTripMs }));
/** One report each ten seconds that says so much of the step, and is off by some ms, as a browser's are. */
const reports = (told: number): Fastest[] =>
  points(1).map(({ t }, i) => ({
    ...{ t, delayMs: 0, roundTripMs: NaN, jumpMs: 0, jumpT: t },
    ...{ reportT: t, reportMs: (i < STEP.index ? 0 : told) + (i % 3) - 1 },
  }));

test("a way of a millisecond cannot become 18 ms shorter: it was the clock, where its reports say more of it than not", () => {
  expect(sortSteps([STEP], points(1), reports(-35), 0)).toEqual({ clock: [STEP], route: [] });
  expect(sortSteps([STEP], points(1), reports(-10), 0)).toEqual({ clock: [STEP], route: [] });
});

test("where the way is long enough to change by that, only reports that say the same make it the clock's", () => {
  expect(sortSteps([STEP], points(60), reports(-35), 0)).toEqual({ clock: [], route: [STEP] });
  expect(sortSteps([STEP], points(60), reports(-17), 0)).toEqual({ clock: [STEP], route: [] });
  expect(sortSteps([STEP], points(NaN), reports(-35), 0)).toEqual({ clock: [], route: [STEP] });
});

test("what the reports do not say at all is what the sender's machine added on the way out", () => {
  expect(sortSteps([STEP], points(1), reports(0), 0)).toEqual({ clock: [], route: [STEP] });
});
