import fc from "fast-check";
import {
  GOOD_MS,
  LATE_MS,
  MAX_STALLED,
  QUIET_MS,
  RESTING,
  watchdog,
  type StallCause,
  type Verdict,
  type WatchdogEvent,
  type WatchdogState,
} from "../../../src/player/watchdog.ts";

/** A run of the watchdog: what it decided, and its state. */
class Run {
  state: WatchdogState = RESTING;
  verdicts: Verdict[] = [];
  nowMs = 0;

  feed(event: WatchdogEvent): Verdict | null {
    const { state, verdict } = watchdog(this.state, event);
    this.state = state;
    if (verdict) this.verdicts.push(verdict);
    return verdict;
  }

  watch(track: string, play = track): void {
    this.feed({ kind: "watch", track, play, nowMs: this.nowMs });
  }

  /** Sounds by the clock, with a look every three seconds. */
  play(play: string, forMs: number, fromMs = 0): void {
    for (let ms = 1_000; ms <= forMs; ms += 1_000) {
      this.nowMs += 1_000;
      this.feed({ kind: "moved", play, positionMs: fromMs + ms, nowMs: this.nowMs });
      if (ms % 3_000 === 0) this.look();
    }
  }

  quiet(forMs: number): void {
    for (let ms = 0; ms < forMs; ms += 1_000) {
      this.nowMs += 1_000;
      this.look();
    }
  }

  look(lateMs = 0): void {
    this.feed({ kind: "look", nowMs: this.nowMs, lateMs });
  }

  stalled(track: string, cause: StallCause): string {
    return this.feed({ kind: "stalled", track, cause })?.act ?? "nothing";
  }
}

test("what stands still is started once more, then passed over: never a third time", () => {
  const run = new Run();
  run.watch("a");
  run.play("a", 20_000);
  run.quiet(QUIET_MS - 1_000);
  expect(run.verdicts).toEqual([]);
  run.quiet(60_000);
  expect(run.verdicts).toEqual([{ act: "again", cause: "silent" }]);
  run.watch("a", "a.1");
  run.quiet(60_000);
  expect(run.verdicts.map(({ act }) => act)).toEqual(["again", "skip"]);
});

test("two who find out about one stall make one attempt of it", () => {
  const run = new Run();
  run.watch("a");
  run.play("a", 5_000);
  expect(run.stalled("a", "source")).toBe("again");
  run.quiet(60_000);
  expect(run.verdicts).toHaveLength(1);
});

test("what was heard for long after its second attempt has another one; what was heard for a moment has not", () => {
  for (const [heardMs, act] of [
    [GOOD_MS + 1_000, "again"],
    [GOOD_MS - 5_000, "skip"],
  ] as const) {
    const run = new Run();
    run.watch("a");
    run.play("a", 4_000);
    expect(run.stalled("a", "source")).toBe("again");
    run.watch("a", "a.1");
    run.play("a.1", heardMs, 4_000);
    expect(run.stalled("a", "source")).toBe(act);
  }
});

test("when track after track stalls it stops trying and keeps what waits, and begins anew after that", () => {
  const run = new Run();
  for (let index = 1; index < MAX_STALLED; index++) {
    run.watch(`t${index}`);
    expect(run.stalled(`t${index}`, "unanswered")).toBe("again");
    expect(run.stalled(`t${index}`, "unanswered")).toBe("skip");
  }
  expect(run.stalled("last", "unanswered")).toBe("again");
  expect(run.stalled("last", "unanswered")).toBe("hold");
  expect(run.stalled("last", "unanswered")).toBe("again");
});

test("what nobody gets is no fault of the track", () => {
  const run = new Run();
  run.watch("a");
  expect([run.stalled("a", "unsent"), run.stalled("a", "unsent")]).toEqual(["again", "hold"]);
});

test("a seek, filters that make it fast, and a slow source are no stall; the same position again and again is", () => {
  const run = new Run();
  run.watch("a");
  for (const positionMs of [1_000, 50_000, 0, 2_000, 4_000, 4_100]) {
    run.nowMs += QUIET_MS - 1_000;
    run.look();
    run.feed({ kind: "moved", play: "a", positionMs, nowMs: run.nowMs });
  }
  expect(run.verdicts).toEqual([]);
  for (let i = 0; i < 14; i++) {
    run.nowMs += 1_000;
    run.feed({ kind: "moved", play: "a", positionMs: 4_100, nowMs: run.nowMs });
    run.look();
  }
  expect(run.verdicts).toHaveLength(1);
});

test("what an earlier play of the track still says is no sound of this one", () => {
  const run = new Run();
  run.watch("a", "a.1");
  run.play("a", QUIET_MS + 2_000);
  expect(run.verdicts).toEqual([{ act: "again", cause: "silent" }]);
});

test("a machine that is late is given its time, and the watch goes on", () => {
  const run = new Run();
  run.watch("a");
  run.nowMs += 60_000;
  run.look(LATE_MS);
  run.quiet(QUIET_MS - 1_000);
  expect(run.verdicts).toEqual([]);
  run.quiet(2_000);
  expect(run.verdicts).toHaveLength(1);
});

test("whatever happens: nothing is decided while it rests or moves, and never twice in a row to try again", () => {
  const step = fc.oneof(
    fc.constant("rest" as const),
    fc.constant("watch" as const),
    { weight: 4, arbitrary: fc.constant("moves" as const) },
    { weight: 3, arbitrary: fc.constant("quiet" as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
      const run = new Run();
      let take = 0;
      let quietMs = 0;
      let heardMs = 0;
      let watched = false;
      for (const each of steps) {
        const before = run.verdicts.length;
        const play = `a.${take}`;
        run.nowMs += 1_000;
        if (each === "rest") run.feed({ kind: "rest" });
        if (each === "watch" && !watched) run.watch("a", play);
        if (each === "moves") run.feed({ kind: "moved", play, positionMs: run.nowMs, nowMs: run.nowMs });
        const fresh = each === "moves" || (each === "watch" && !watched);
        watched = each === "rest" ? false : watched || each === "watch";
        quietMs = fresh || !watched ? 0 : quietMs + 1_000;
        run.look();
        if (each === "moves" && watched) heardMs += 1_000;
        if (run.verdicts.length === before) continue;
        expect(watched && quietMs >= QUIET_MS).toBe(true);
        const [last, previous] = run.verdicts.toReversed();
        if (last?.act === "again" && previous?.act === "again")
          expect(heardMs).toBeGreaterThanOrEqual(GOOD_MS);
        take++;
        heardMs = 0;
        watched = false;
      }
    }),
  );
});
