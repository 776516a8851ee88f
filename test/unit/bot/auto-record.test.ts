import fc from "fast-check";
import {
  decideAuto,
  EMPTY_MS,
  newGathering,
  RETRY_MS,
  type AutoEvent,
} from "../../../src/bot/auto-decision.ts";
import { AutoRecord } from "../../../src/bot/auto-record.ts";
import { BotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { RoomSettings } from "../../../src/settings/room-settings.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeDocuments } from "../../fakes/documents.ts";

/** A room by hand, that does what it is told and notes it. */
class Bench {
  readonly clock = new FakeClock();
  readonly documents: FakeDocuments;
  readonly settings: RoomSettings;
  readonly did: string[] = [];
  count = 0;
  joined = false;
  playing = false;
  held = false;
  off = false;
  recording: "automatic" | "by hand" | null = null;
  refusals: BotError[] = [];
  /** What the way into the channel waits for. */
  gate: Promise<void> = Promise.resolve();
  readonly auto: AutoRecord;

  constructor(documents = new FakeDocuments()) {
    this.documents = documents;
    this.settings = new RoomSettings({ documents, prefix: "!", log: silentLog, tell: () => undefined });
    const isJoined = (): boolean => this.joined;
    this.auto = new AutoRecord({
      settings: this.settings,
      documents,
      isOff: () => this.off,
      isHeld: () => this.held,
      people: () => this.count,
      channel: {
        get joined() {
          return isJoined();
        },
        join: async () => {
          await this.gate;
          const refusal = this.refusals.shift();
          if (refusal) throw refusal;
          this.did.push("join");
          this.joined = true;
        },
        leave: async () => {
          this.did.push("leave");
          this.joined = false;
          this.auto.out();
        },
      },
      isPlaying: () => this.playing,
      recording: () => this.recording,
      start: async (people) => {
        this.did.push(`start for ${people}`);
        this.recording = "automatic";
      },
      end: async () => {
        this.did.push("end");
        this.recording = null;
        this.auto.ended();
      },
      tell: ({ code }) => void this.did.push(`told ${code}`),
      clock: this.clock,
      log: silentLog,
    });
  }

  async people(count: number): Promise<void> {
    this.count = count;
    this.auto.check();
    await settle();
  }

  /** Somebody says `!record stop`. */
  async stopped(): Promise<void> {
    this.recording = null;
    this.auto.ended();
    await settle();
  }

  taken(): string[] {
    return this.did.splice(0);
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  bench.settings.set("record.auto", "2");
  bench.auto.begin();
});

test("off by default: whoever comes, nothing is recorded", async () => {
  bench.settings.reset("record.auto");
  await bench.people(50);
  expect(bench.taken()).toEqual([]);
});

test("comes and records from so many people on, until all have been gone for 30 s, and leaves again", async () => {
  await bench.people(1);
  expect(bench.taken()).toEqual([]);
  await bench.people(2);
  expect(bench.taken()).toEqual(["join", "start for 2"]);
  await bench.people(1);
  await bench.people(0);
  await bench.clock.advance(EMPTY_MS - 1);
  expect(bench.taken()).toEqual([]);
  await bench.clock.advance(1);
  expect(bench.taken()).toEqual(["end", "leave"]);
  await bench.people(3);
  expect(bench.taken()).toEqual(["join", "start for 3"]);
});

test("who reconnects within 30 s is in the same recording", async () => {
  await bench.people(2);
  await bench.people(0);
  await bench.clock.advance(EMPTY_MS - 1);
  await bench.people(1);
  await bench.clock.advance(EMPTY_MS);
  expect(bench.taken()).toEqual(["join", "start for 2"]);
});

test("what somebody has stopped is not begun again before everybody was gone", async () => {
  await bench.people(3);
  await bench.stopped();
  bench.taken();
  for (const count of [2, 5, 1, 3, 0, 3]) await bench.people(count);
  await bench.clock.advance(10 * EMPTY_MS);
  expect(bench.taken()).toEqual([]);
  await bench.people(0);
  await bench.clock.advance(EMPTY_MS);
  await bench.people(2);
  expect(bench.taken()).toEqual(["start for 2"]);
});

test("also not by a restart of the bot; the day after it is another gathering", async () => {
  await bench.people(3);
  await bench.stopped();
  const restarted = new Bench(bench.documents);
  await restarted.people(3);
  restarted.auto.begin();
  await restarted.people(4);
  expect(restarted.taken()).toEqual([]);
  const later = new Bench(bench.documents);
  later.clock.tick(13 * 3_600_000);
  later.auto.begin();
  await later.people(3);
  expect(later.taken()).toEqual(["join", "start for 3"]);
});

test("leaves a recording alone that somebody has started by hand, also when all are gone", async () => {
  bench.recording = "by hand";
  await bench.people(3);
  await bench.people(0);
  await bench.clock.advance(10 * EMPTY_MS);
  expect(bench.taken()).toEqual([]);
});

test("who sends the bot away means this gathering", async () => {
  await bench.people(1);
  bench.joined = true;
  bench.auto.sentAway();
  bench.joined = false;
  bench.auto.out();
  await bench.people(2);
  expect(bench.taken()).toEqual([]);
});

test("stays where it plays, or where it was before", async () => {
  await bench.people(2);
  bench.playing = true;
  await bench.people(0);
  await bench.clock.advance(EMPTY_MS);
  expect(bench.taken()).toEqual(["join", "start for 2", "end"]);
  bench.playing = false;
  await bench.people(2);
  await bench.people(0);
  await bench.clock.advance(EMPTY_MS);
  expect(bench.taken()).toEqual(["start for 2", "end"]);
});

test("people who left while it was on its way in are not recorded, nor is a room that has switched it off", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  bench.gate = promise;
  await bench.people(2);
  await bench.people(1);
  resolve();
  await settle();
  expect(bench.taken()).toEqual(["join"]);
  bench.settings.set("record.auto", "off");
  await bench.people(2);
  expect(bench.taken()).toEqual([]);
});

test("switching it on means now, whatever was before", async () => {
  bench.settings.set("record.auto", "off");
  await bench.people(2);
  bench.recording = "by hand";
  await bench.stopped();
  bench.settings.set("record.auto", "3");
  await settle();
  expect(bench.taken()).toEqual([]);
  bench.settings.set("record.auto", "2");
  await settle();
  expect(bench.taken()).toEqual(["join", "start for 2"]);
});

test("what may pass is tried three times and then told; what may not is told at once; each once a gathering", async () => {
  const passing = new BotError("media_plane_down", "x", { retryable: true });
  bench.refusals = [passing, passing, passing];
  await bench.people(2);
  await bench.clock.advance(2 * RETRY_MS);
  expect(bench.taken()).toEqual(["told media_plane_down"]);
  await bench.people(3);
  await bench.clock.advance(10 * RETRY_MS);
  expect(bench.taken()).toEqual([]);
  await bench.people(0);
  await bench.clock.advance(EMPTY_MS);
  bench.refusals = [new BotError("room_power", "x")];
  await bench.people(2);
  expect(bench.taken()).toEqual(["told room_power"]);
  await bench.people(0);
  await bench.clock.advance(EMPTY_MS);
  bench.refusals = [passing];
  await bench.people(2);
  expect(bench.taken()).toEqual([]);
  await bench.clock.advance(RETRY_MS);
  expect(bench.taken()).toEqual(["join", "start for 2"]);
});

test("a room that takes the place of one that was set so goes on with that", async () => {
  const moved = new Bench();
  await moved.people(2);
  moved.documents.write("settings", { "record.auto": "2" });
  moved.settings.reload();
  await settle();
  expect(moved.taken()).toEqual(["join", "start for 2"]);
});

test("nothing before begin(), in a room that is held, and after close()", async () => {
  const early = new Bench(bench.documents);
  await early.people(5);
  early.held = true;
  early.auto.begin();
  await early.people(6);
  await early.clock.advance(10_000);
  expect(early.taken()).toEqual([]);
  early.off = true;
  early.held = false;
  await early.people(7);
  await early.clock.advance(10_000);
  expect(early.taken()).toEqual([]);
  early.off = false;
  await early.people(6);
  expect(early.taken()).toEqual(["join", "start for 6"]);
  await early.people(0);
  early.auto.close();
  await early.clock.advance(EMPTY_MS);
  expect(early.taken()).toEqual([]);
  expect(early.clock.pending).toBe(0);
});

test("a recording that goes on after a restart ends when everybody has left", async () => {
  const restarted = new Bench(bench.documents);
  restarted.recording = "automatic";
  restarted.joined = true;
  restarted.auto.begin();
  await restarted.clock.advance(EMPTY_MS);
  expect(restarted.taken()).toEqual(["end"]);
});

test("whatever happens: never a start for too few, nor twice in one gathering", () => {
  const step = fc.record({
    kind: fc.constantFrom<AutoEvent["kind"]>("look", "ended", "sent away"),
    people: fc.integer({ min: 0, max: 4 }),
    afterMs: fc.integer({ min: 0, max: 40_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let memory = newGathering;
      let [nowMs, people, recording]: [number, number, "automatic" | null] = [0, 0, null];
      let [spent, emptyForMs] = [false, 0];
      for (const { kind, people: next, afterMs } of steps) {
        nowMs += afterMs;
        emptyForMs = people === 0 ? emptyForMs + afterMs : 0;
        people = next;
        if (people > 0 && emptyForMs < EMPTY_MS) emptyForMs = 0;
        if (emptyForMs >= EMPTY_MS) spent = false;
        if (kind !== "look") [recording, spent] = [null, people > 0 || emptyForMs < EMPTY_MS];
        const event: AutoEvent = {
          kind: kind === "sent away" ? "sent away" : kind === "ended" ? "ended" : "look",
        };
        let { memory: after, act } = decideAuto(memory, event, { nowMs, from: 2, people, recording });
        if (act === "start") {
          expect(people).toBeGreaterThanOrEqual(2);
          expect(spent).toBe(false);
          expect(recording).toBeNull();
          recording = "automatic";
          ({ memory: after } = decideAuto(after, { kind: "done" }, { nowMs, from: 2, people, recording }));
        } else if (act === "end") {
          expect(people).toBe(0);
          recording = null;
          ({ memory: after, act } = decideAuto(
            after,
            { kind: "ended" },
            { nowMs, from: 2, people, recording },
          ));
          ({ memory: after, act } = decideAuto(
            after,
            { kind: "done" },
            { nowMs, from: 2, people, recording },
          ));
          expect(act).toBeNull();
        }
        memory = after;
      }
    }),
  );
});
