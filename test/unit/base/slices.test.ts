import { inSlices, type Steps } from "../../../src/base/slices.ts";
import { FakeClock } from "../../fakes/clock.ts";

const clock = new FakeClock();

function* working(steps: number, eachMs: number): Steps<string> {
  for (let i = 0; i < steps; i++) {
    clock.tick(eachMs);
    yield;
  }
  return "done";
}

/** How often others have had their turn meanwhile. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let next: NodeJS.Immediate;
  const turn = (): void => {
    turns++;
    next = setImmediate(turn);
  };
  next = setImmediate(turn);
  await work.finally(() => clearImmediate(next));
  return turns;
}

test("what is long stops every 5 ms for others, and is whole", async () => {
  const work = inSlices(clock, working(100, 1));
  expect(await turnsDuring(work)).toBeGreaterThan(15);
  expect(await work).toBe("done");
});

test("what is short does not stop", async () => {
  let isDone = false;
  void inSlices(clock, working(1_000, 0)).then(() => (isDone = true));
  await Promise.resolve();
  await Promise.resolve();
  expect(isDone).toBe(true);
});

test("what fails between two rests fails for who waits", async () => {
  function* failing(): Steps<never> {
    yield* working(20, 1);
    throw new Error("hostile");
  }
  await expect(inSlices(clock, failing())).rejects.toThrow("hostile");
});
