// The queue beside a second one, as naive as people think of it: lists of names, written from what people are told.
import fc from "fast-check";
import {
  emptyQueue,
  MAX_FAILURES,
  playName,
  reduceQueue,
  SKIP_WINDOW_MS,
  type QueueEvent,
  type QueueState,
  type Track,
} from "../../../src/player/queue.ts";

class Naive {
  now: string | null = null;
  held = false;
  waiting: string[] = [];
  before: string[] = [];
  loop = "off";
  failures = 0;
  #skippedMs = -Infinity;

  add(names: string[], first: boolean): void {
    this.waiting = first ? [...names, ...this.waiting] : [...this.waiting, ...names];
    if (this.now === null) this.#begin(this.waiting.shift());
  }

  skip(meant: string | null, nowMs: number, count: number): void {
    if (nowMs - this.#skippedMs < SKIP_WINDOW_MS || this.now === null) return;
    if (meant !== null && meant !== this.now) return;
    this.#skippedMs = nowMs;
    this.failures = 0;
    for (let left = Math.min(count, this.waiting.length + 1); left > 0; left--) this.#over();
  }

  /** Paused in its last moment: what follows is held. */
  finished(): void {
    const { held } = this;
    if (this.now !== null) this.failures = 0;
    if (this.loop !== "track" && this.now !== null) this.#over();
    this.held = held && this.now !== null;
  }

  failed(): void {
    if (this.now === null) return;
    const isLast = ++this.failures === MAX_FAILURES;
    this.now = isLast ? null : (this.waiting.shift() ?? null);
    this.held = false;
    if (isLast) this.failures = 0;
  }

  remove(name: string): void {
    this.waiting = this.waiting.filter((each) => each !== name);
  }

  move(name: string, to: number): void {
    if (!this.waiting.includes(name)) return;
    this.remove(name);
    this.waiting.splice(to, 0, name);
  }

  previous(): void {
    const before = [...this.before];
    while (before.at(-1) === this.now && this.now !== null) before.pop();
    const isRound = this.loop === "queue" && this.now !== null;
    const name = before.pop() ?? (isRound ? this.waiting.at(-1) : undefined);
    // Refused, it changes nothing.
    if (name === undefined) return;
    this.before = before;
    this.remove(name);
    if (this.now !== null) this.waiting.unshift(this.now);
    this.#begin(name);
  }

  stop(): void {
    if (this.now === null && this.waiting.length === 0) return;
    this.#remember();
    Object.assign(this, { now: null, held: false, waiting: [], loop: "off", failures: 0 });
  }

  resume(): void {
    if (this.now === null && this.waiting.length > 0) this.#begin(this.waiting.shift());
    else this.held = false;
  }

  #begin(name: string | undefined): void {
    Object.assign(this, { now: name ?? null, held: false, failures: 0 });
  }

  #over(): void {
    this.#remember();
    if (this.loop === "queue" && this.now !== null) this.waiting.push(this.now);
    this.now = this.waiting.shift() ?? null;
    this.held = false;
  }

  #remember(): void {
    if (this.now !== null && this.before.at(-1) !== this.now) this.before.push(this.now);
  }
}

let made = 0;
const newTrack = (): Track => {
  const id = `t${made++}`;
  const source = { kind: "library", path: id } as const;
  return { id, title: id, artist: null, durationMs: 60_000, requester: "@a:b", source };
};
const LOOPS = ["off", "track", "queue"] as const;
const RULES = { fair: false, maxPerPerson: 0 };

/** What number `kind` of the things that people and the media plane do is for the two; `at` and `much` choose what is meant. */
function step(state: QueueState, naive: Naive, { kind, at, much }: Choice, nowMs: number): QueueEvent {
  const play = playName(state) ?? "none";
  const one = naive.waiting[at % Math.max(1, naive.waiting.length)] ?? "none";
  const isOdd = much % 2 === 1;
  const both = <T extends QueueEvent>(event: T, then: () => void): T => (then(), event);
  const tracks = Array.from({ length: 1 + (much % 3) }, newTrack);
  const ids = tracks.map(({ id }) => id);
  const meant = much === 0 ? `t${at}` : naive.now;
  const count = 1 + (at % 3);
  const loop = LOOPS[at % 3] ?? "off";
  const things: (() => QueueEvent)[] = [
    () => both({ kind: "add-many", tracks, next: isOdd, rules: RULES }, () => naive.add(ids, isOdd)),
    () => both({ kind: "skip", meant, nowMs, count }, () => naive.skip(meant, nowMs, count)),
    () => both({ kind: "loop", loop }, () => void (naive.loop = loop)),
    () => both({ kind: "finished", id: play }, () => naive.finished()),
    () => both({ kind: "failed", id: play, reason: "x" }, () => naive.failed()),
    () =>
      both(
        { kind: "position", id: play, positionMs: isOdd ? 10_000 : 9_999 },
        () => isOdd && naive.now !== null && (naive.failures = 0),
      ),
    () => both({ kind: "remove", ids: [one] }, () => naive.remove(one)),
    () => both({ kind: "move", id: one, to: much }, () => naive.move(one, much)),
    () => both({ kind: "previous" }, () => naive.previous()),
    () => both({ kind: "pause" }, () => void (naive.held = naive.now !== null)),
    () => both({ kind: "resume" }, () => naive.resume()),
    () => both({ kind: "replay" }, () => (naive.now === null ? naive.previous() : (naive.held = false))),
    () =>
      at % 3 === 0
        ? both({ kind: "stop" }, () => naive.stop())
        : both({ kind: "clear" }, () => void (naive.waiting = [])),
  ];
  return (things[kind % things.length] ?? things[0]!)();
}

type Choice = { kind: number; at: number; much: number };
const choices = fc.array(fc.record({ kind: fc.nat(12), at: fc.nat(20), much: fc.nat(5) }), {
  maxLength: 40,
  size: "max",
});

test("whatever is done in whatever order, it is as people would have written it down", () => {
  fc.assert(
    fc.property(choices, fc.array(fc.nat(1_500), { minLength: 40, maxLength: 40 }), (list, waits) => {
      const naive = new Naive();
      let state = emptyQueue;
      let nowMs = 0;
      for (const [index, choice] of list.entries()) {
        nowMs += waits[index] ?? 0;
        const event = step(state, naive, choice, nowMs);
        ({ state } = reduceQueue(state, event));
        const { now, upcoming, history, loop, failures } = state;
        const ids = (tracks: readonly Track[]): string[] => tracks.map(({ id }) => id);
        const is = { now: now?.track.id ?? null, held: now?.phase === "paused", loop, failures };
        const was = { now: naive.now, held: naive.held, loop: naive.loop, failures: naive.failures };
        const both = [
          { ...is, waiting: ids(upcoming), before: ids(history) },
          { ...was, waiting: naive.waiting, before: naive.before },
        ].map((each) => JSON.stringify(each));
        // One comparison a step: thousands of expectations take their time.
        if (both[0] !== both[1]) throw new Error(`${JSON.stringify(event)}\nis  ${both[0]}\nnot ${both[1]}`);
      }
    }),
    { numRuns: 300 },
  );
});
