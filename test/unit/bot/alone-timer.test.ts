import { AloneTimer } from "../../../src/bot/alone-timer.ts";
import { FakeClock } from "../../fakes/clock.ts";

const LIMIT_MS = 300_000;

class Bench {
  readonly clock = new FakeClock();
  alone = true;
  busy = false;
  told = 0;
  readonly timer = new AloneTimer({
    clock: this.clock,
    limitMs: LIMIT_MS,
    isAlone: () => this.alone,
    isBusy: () => this.busy,
    onAlone: () => this.told++,
  });

  set(state: { alone?: boolean; busy?: boolean }): void {
    Object.assign(this, state);
    this.timer.check();
  }
}

test("alone for five minutes: told once", () => {
  const bench = new Bench();
  bench.timer.check();
  bench.clock.tick(LIMIT_MS - 1);
  bench.timer.check();
  expect(bench.told).toBe(0);
  bench.clock.tick(1);
  expect(bench.told).toBe(1);
  bench.clock.tick(LIMIT_MS * 2);
  expect(bench.told).toBe(1);
});

test("somebody who comes begins it anew", () => {
  const bench = new Bench();
  bench.timer.check();
  bench.clock.tick(LIMIT_MS - 1);
  bench.set({ alone: false });
  bench.clock.tick(LIMIT_MS);
  bench.set({ alone: true });
  bench.clock.tick(LIMIT_MS - 1);
  expect(bench.told).toBe(0);
  bench.clock.tick(1);
  expect(bench.told).toBe(1);
});

test("a recording is waited for; when it ends after ten minutes alone, the bot has been alone for long enough", () => {
  const bench = new Bench();
  bench.set({ busy: true });
  bench.clock.tick(2 * LIMIT_MS);
  expect(bench.told).toBe(0);
  bench.set({ busy: false });
  expect(bench.told).toBe(1);
});

test("a recording that ends sooner does not shorten the five minutes", () => {
  const bench = new Bench();
  bench.set({ busy: true });
  bench.clock.tick(1000);
  bench.set({ busy: false });
  bench.clock.tick(LIMIT_MS - 1001);
  expect(bench.told).toBe(0);
  bench.clock.tick(1);
  expect(bench.told).toBe(1);
});

test("nothing after close()", () => {
  const bench = new Bench();
  bench.timer.check();
  bench.timer.close();
  bench.clock.tick(2 * LIMIT_MS);
  bench.timer.check();
  expect(bench.told).toBe(0);
  expect(bench.clock.pending).toBe(0);
});
