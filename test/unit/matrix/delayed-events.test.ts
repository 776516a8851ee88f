import { BotError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { DelayedEvents, DELAY_MS } from "../../../src/matrix/delayed-events.ts";
import { HomeserverError } from "../../../src/matrix/homeserver.ts";
import type { SendOptions } from "../../../src/matrix/outbox.ts";
import { pathOf, type Outgoing } from "../../../src/matrix/outgoing.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeHomeserver, Gate, limitExceeded } from "../../fakes/homeserver.ts";

const KEY = "BOT@bot:hs";
const left = (roomId = "!r"): Parameters<DelayedEvents["hold"]>[0] => ({
  ...{ roomId, type: "de.mtorials.test.callstate", stateKey: KEY },
  content: { join_state: "LEFT", timestamp: 1 },
});
const gone = (): never => {
  throw new HomeserverError(404, "M_NOT_FOUND", "Delayed event not found", null);
};

/** A homeserver of MSC4140 with as much of a clock as it takes: what is not restarted within its delay is posted. */
class Bench {
  readonly clock = new FakeClock();
  readonly homeserver = new FakeHomeserver();
  readonly sent: { roomId: string; outgoing: Outgoing; options: SendOptions }[] = [];
  /** Delay ids that wait, with the time at which each is posted. */
  readonly pending = new Map<string, number>();
  readonly posted: string[] = [];
  readonly delayed: DelayedEvents;
  offered: unknown = true;
  send: () => Promise<string> = () => Promise.resolve(this.put(`d${this.sent.length}`));
  #listed: object[] = [];

  constructor() {
    this.homeserver
      .on("GET", /versions$/, () => ({ unstable_features: { "org.matrix.msc4140": this.offered } }))
      .on("GET", /delayed_events$/, () => ({ delayed_events: this.#listed }))
      .on("POST", /delayed_events\/[^/]+\/restart$/, ({ path }) =>
        this.#restart(path.split("/").at(-2) ?? ""),
      )
      .on("POST", /delayed_events\/[^/]+$/, ({ path, body }) => {
        const id = path.split("/").at(-1) ?? "";
        const { action } = body as { action: string };
        if (action === "restart") return this.#restart(id);
        return this.pending.delete(id) ? {} : gone();
      });
    this.delayed = new DelayedEvents({
      homeserver: this.homeserver,
      outbox: {
        send: (roomId, outgoing, options) => {
          this.sent.push({ roomId, outgoing, options });
          return this.send();
        },
      },
      clock: this.clock,
      log: silentLog,
    });
  }

  put(id: string): string {
    this.pending.set(id, this.clock.now() + DELAY_MS);
    return id;
  }

  /** What an earlier run has scheduled. */
  leave(id: string, roomId = "!r"): void {
    const { type, stateKey } = left(roomId);
    this.put(id);
    this.#listed.push({ delay_id: id, room_id: roomId, type, state_key: stateKey, delay: DELAY_MS });
  }

  async advance(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) {
      await this.clock.advance(100);
      for (const [id, atMs] of this.pending) {
        if (atMs > this.clock.now()) continue;
        this.pending.delete(id);
        this.posted.push(id);
      }
    }
  }

  requests(path: RegExp): string[] {
    return this.homeserver.requests.map((request) => request.path).filter((each) => path.test(each));
  }

  #restart(id: string): object {
    if (!this.pending.has(id)) gone();
    this.put(id);
    return {};
  }
}

describe("a state that is posted when we fall silent", () => {
  test("is scheduled once behind everything else, and restarted for as long as we live", async () => {
    const bench = new Bench();
    await bench.delayed.start();
    bench.delayed.hold(left());
    bench.delayed.hold(left());
    await bench.advance(120_000);
    expect(bench.sent).toHaveLength(1);
    const [{ outgoing, options }] = bench.sent as [(typeof bench.sent)[0]];
    expect(options.priority).toBe("card");
    expect(pathOf("!r", outgoing, "")).toBe(
      `/_matrix/client/v3/rooms/!r/state/de.mtorials.test.callstate/BOT%40bot%3Ahs?org.matrix.msc4140.delay=${DELAY_MS}`,
    );
    expect(bench.posted).toEqual([]);
    // Every 8 s: two failures in a row do no harm.
    expect(bench.requests(/restart/)).toHaveLength(15);
    await bench.delayed.close();
    await bench.advance(DELAY_MS - 8100);
    expect(bench.posted).toEqual([]);
    await bench.advance(8200);
    expect(bench.posted).toEqual(["d1"]);
  });

  test("is not asked for where the homeserver does not offer it", async () => {
    const bench = new Bench();
    bench.offered = false;
    await bench.delayed.start();
    bench.delayed.hold(left());
    await bench.advance(120_000);
    expect(bench.sent).toEqual([]);
    expect(bench.requests(/./)).toHaveLength(1);
  });

  test("a homeserver that did not answer is asked again a minute later", async () => {
    const bench = new Bench();
    bench.homeserver.on("GET", /versions$/, () => {
      throw new HomeserverError(502, "", "", null);
    });
    await bench.delayed.start();
    bench.delayed.hold(left());
    bench.homeserver.on("GET", /versions$/, () => ({ unstable_features: { "org.matrix.msc4140": true } }));
    await bench.advance(61_000);
    expect(bench.sent).toHaveLength(1);
  });

  test("is taken back once we have written it ourselves, and only then", async () => {
    const bench = new Bench();
    await bench.delayed.start();
    bench.delayed.hold(left());
    await bench.advance(1000);
    const written = new Gate<string>();
    bench.delayed.release(left(), written.promise);
    await bench.advance(1000);
    expect(bench.pending.size).toBe(1);
    written.open("$left");
    await settle();
    expect(bench.pending.size).toBe(0);
    await bench.advance(60_000);
    expect(bench.posted).toEqual([]);
    expect(bench.requests(/restart/)).toEqual([]);
  });

  test("is left to the homeserver when our own write does not get there", async () => {
    const bench = new Bench();
    await bench.delayed.start();
    bench.delayed.hold(left());
    await bench.advance(1000);
    bench.delayed.release(left(), Promise.reject(new BotError("timeout", "the homeserver hangs")));
    await bench.advance(DELAY_MS);
    expect(bench.posted).toEqual(["d1"]);
  });

  test("close() waits for what is being taken back", async () => {
    const bench = new Bench();
    await bench.delayed.start();
    bench.delayed.hold(left());
    await bench.advance(1000);
    bench.delayed.release(left(), Promise.resolve());
    await bench.delayed.close();
    expect(bench.pending.size).toBe(0);
  });

  test("taken back while it waits in the outbox, it is cancelled if it went out all the same", async () => {
    const bench = new Bench();
    const gate = new Gate<string>();
    bench.send = () => gate.promise;
    await bench.delayed.start();
    bench.delayed.hold(left());
    await settle();
    bench.delayed.release(left(), Promise.resolve());
    expect(bench.sent[0]?.options.signal?.aborted).toBe(true);
    gate.open(bench.put("late"));
    await settle();
    expect(bench.pending.size).toBe(0);
  });

  test("lost (posted, or cancelled because somebody else wrote that state): scheduled again, not in a circle", async () => {
    const bench = new Bench();
    await bench.delayed.start();
    bench.delayed.hold(left());
    await bench.advance(1000);
    bench.pending.clear();
    await bench.advance(8000);
    expect(bench.sent).toHaveLength(2);
    bench.pending.clear();
    await bench.advance(9000);
    expect(bench.sent).toHaveLength(2);
    await bench.advance(30_000);
    expect(bench.sent).toHaveLength(3);
  });

  test("the restart's limit is obeyed, and answers that fail are repeated in time", async () => {
    const bench = new Bench();
    await bench.delayed.start();
    bench.delayed.hold(left());
    await bench.advance(1000);
    const refusals = [limitExceeded(3000), new HomeserverError(502, "", "", null)];
    const normal = bench.requests(/restart/).length;
    let refused = 0;
    bench.homeserver.on("POST", /restart$/, ({ path }) => {
      const error = refusals[refused++];
      if (error) throw error;
      const id = path.split("/").at(-2) ?? "";
      if (!bench.pending.has(id)) gone();
      bench.put(id);
      return {};
    });
    await bench.advance(30_000);
    expect(normal).toBe(0);
    expect(bench.posted).toEqual([]);
    expect(bench.sent).toHaveLength(1);
    expect(refused).toBeGreaterThan(3);
  });

  test("homeservers of the proposal's earlier form, with the action in the body", async () => {
    const bench = new Bench();
    bench.homeserver.on("POST", /restart$/, () => {
      throw new HomeserverError(404, "M_UNRECOGNIZED", "Unrecognized request", null);
    });
    await bench.delayed.start();
    bench.delayed.hold(left());
    await bench.advance(60_000);
    expect(bench.posted).toEqual([]);
    expect(bench.requests(/restart$/)).toHaveLength(1);
  });

  test("one that posts at once what it was to delay, or allows less time, is not asked again", async () => {
    for (const error of [
      new BotError("internal", "event_id instead of delay_id"),
      new HomeserverError(400, "M_MAX_DELAY_EXCEEDED", "too long", null),
    ]) {
      const bench = new Bench();
      bench.send = () => Promise.reject(error);
      await bench.delayed.start();
      bench.delayed.hold(left());
      await bench.advance(300_000);
      expect(bench.sent).toHaveLength(1);
    }
  });

  test("what the outbox gave up for want of budget is tried again later", async () => {
    const bench = new Bench();
    const { send } = bench;
    bench.send = () => Promise.reject(new BotError("timeout", "waited for too long"));
    await bench.delayed.start();
    bench.delayed.hold(left());
    await bench.advance(1000);
    bench.send = send;
    await bench.advance(31_000);
    expect(bench.sent).toHaveLength(2);
    expect(bench.pending.size).toBe(1);
  });

  test("what a killed run has left is kept alive while the new one joins, and taken over by it", async () => {
    const bench = new Bench();
    bench.leave("old");
    bench.leave("older");
    await bench.advance(20_000);
    await bench.delayed.start();
    await bench.advance(10_000);
    expect(bench.posted).toEqual([]);
    bench.delayed.hold(left());
    await bench.advance(60_000);
    expect(bench.sent).toEqual([]);
    expect([...bench.pending.keys()]).toEqual(["old"]);
    expect(bench.posted).toEqual([]);
  });

  test("many rooms: one request a second, and none is posted", async () => {
    const bench = new Bench();
    await bench.delayed.start();
    for (let room = 0; room < 40; room++) bench.delayed.hold(left(`!r${room}`));
    await bench.advance(1000);
    expect(bench.sent).toHaveLength(12);
    const before = bench.requests(/restart/).length;
    await bench.advance(60_000);
    expect(bench.requests(/restart/).length - before).toBeLessThanOrEqual(61);
    expect(bench.posted).toEqual([]);
  });
});
