import { Pace, SHARE } from "../../../src/player/library/pace.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";

/** Works for `workMs` in steps of 5 ms, as long as `totalMs` have passed. @returns the share of the time that it worked */
async function shareOf(totalMs: number, hurried: boolean): Promise<number> {
  const clock = new FakeClock();
  const pace = new Pace(clock);
  if (hurried) pace.hurry();
  let workedMs = 0;
  const beganMs = clock.now();
  const work = (async (): Promise<void> => {
    while (clock.now() - beganMs < totalMs) {
      clock.tick(5);
      workedMs += 5;
      await pace.rest();
    }
  })();
  while (clock.now() - beganMs < totalMs) {
    if (clock.pending > 0) await clock.advance(5);
    else await settle();
  }
  await clock.advance(10_000);
  await work;
  return workedMs / totalMs;
}

test("work takes its share of the time and no more", async () => {
  const share = await shareOf(10_000, false);
  expect(share).toBeGreaterThan(SHARE * 0.9);
  expect(share).toBeLessThan(SHARE * 1.1);
});

test("it takes all of it while somebody waits", async () => {
  expect(await shareOf(500, true)).toBe(1);
});
