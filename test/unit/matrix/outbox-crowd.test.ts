// The budget of docs/PROTOCOL.md "Times and limits", simulated against the letter of Synapse's limiter.
import * as fc from "fast-check";
import { LimitedWorld, type WebClient } from "./limited-world.ts";

const A = "!a:hs";
const B = "!b:hs";
const C = "!c:hs";

async function play(world: LimitedWorld, scene: (world: LimitedWorld) => Promise<void>): Promise<void> {
  try {
    await scene(world);
  } finally {
    await world.close();
    await world.clock.advance(60_000);
  }
  expect(world.clock.pending).toBe(0);
}

/** How long after `sinceMs` the last of them heard the bot; Infinity when one does not. */
const lastMs = (clients: readonly WebClient[], sinceMs: number): number =>
  Math.max(...clients.map(({ connectedMs }) => (connectedMs ?? Infinity) - sinceMs));

const count = (world: LimitedWorld, what: string): number =>
  world.sent.filter((sent) => sent.what === what).length;

test("8 who join within 20 s hear the bot at once, and stay for three minutes", () =>
  play(new LimitedWorld([A]), async (world) => {
    await world.join();
    await world.clock.advance(30_000);
    const clients = await world.crowd(A, 8, 20_000);
    await world.clock.advance(180_000);
    expect(
      Math.max(...clients.map(({ connectedMs, joinedMs }) => (connectedMs ?? Infinity) - joinedMs)),
    ).toBeLessThan(2000);
    expect(clients.every(({ connected, forgotten }) => connected && forgotten === 0)).toBe(true);
    expect(count(world, "answer")).toBe(8);
    expect(world.refusals).toBe(0);
  }));

test("25 who join within a minute are all answered within two, and nobody forgets the bot meanwhile", () =>
  play(new LimitedWorld([A]), async (world) => {
    await world.join();
    await world.clock.advance(30_000);
    const sinceMs = world.clock.now();
    const clients = await world.crowd(A, 25, 60_000);
    await world.clock.advance(240_000);
    expect(lastMs(clients, sinceMs)).toBeLessThan(103_000);
    expect(clients.every(({ connected, forgotten }) => connected && forgotten === 0)).toBe(true);
    // Whenever they look.
    expect(Math.max(...clients.map(({ oldestMs }) => oldestMs))).toBeLessThanOrEqual(20_000);
    // No answer is made for nothing, and no offer.
    expect([count(world, "answer"), count(world, "offer")]).toEqual([25, 0]);
    expect(world.longestRefreshMs(A)).toBeLessThanOrEqual(20_000);
    expect(world.refusals).toBeLessThanOrEqual(2);
  }));

test("those who believed a LEFT under our key are back before the newcomers of a crowd are answered", () =>
  play(new LimitedWorld([A]), async (world) => {
    await world.join();
    const friends = await world.crowd(A, 5, 5000);
    await world.clock.advance(60_000);
    const crowd = await world.crowd(A, 15, 5000);
    await world.clock.advance(10_000);
    expect(crowd.filter(({ connected }) => connected).length).toBeLessThan(13);
    const before = world.sent.length;
    world.overwrite(A);
    // JOINED, then one token for each who was connected, and one in four for the refresh.
    const lost = world.clients.filter(({ connectedMs }) => connectedMs !== null).length;
    await world.clock.advance(2000 + Math.ceil(((lost + 1) * 4) / 3) * 5000);
    expect(friends.every(({ connected }) => connected)).toBe(true);
    const sent = world.sent.slice(before).map(({ what }) => what);
    expect(sent[0]).toBe("JOINED");
    expect(sent.filter((what) => what !== "JOINED").slice(0, lost)).toEqual(
      Array.from({ length: lost }, () => "offer"),
    );
    await world.clock.advance(240_000);
    expect(world.clients.every(({ connected }) => connected)).toBe(true);
  }));

test("the bot that joins 8 who are there has offered to all of them within 15 s", () =>
  play(new LimitedWorld([A]), async (world) => {
    const clients = await world.crowd(A, 8, 3000);
    await world.clock.advance(5000);
    const sinceMs = world.clock.now();
    await world.join();
    await world.clock.advance(60_000);
    expect(lastMs(clients, sinceMs)).toBeLessThan(15_000);
    expect(clients.every(({ forgotten }) => forgotten === 0)).toBe(true);
    expect(count(world, "offer")).toBe(8);
  }));

test("8 who join a room that has just talked the budget away all hear the bot within a minute", () =>
  play(new LimitedWorld([A]), async (world) => {
    await world.join();
    await world.clock.advance(30_000);
    for (let i = 0; i < 25; i++) void world.say(A);
    await world.clock.advance(30_000);
    const sinceMs = world.clock.now();
    const clients = await world.crowd(A, 8, 20_000);
    await world.clock.advance(240_000);
    expect(lastMs(clients, sinceMs)).toBeLessThan(60_000);
    expect(clients.every(({ forgotten }) => forgotten === 0)).toBe(true);
    // Those who talked are answered as well, later.
    expect(count(world, "said")).toBeGreaterThanOrEqual(25);
  }));

test("replies wait behind a crowd: the last of 12 who join while 20 are owed is answered as without them", () =>
  play(new LimitedWorld([A]), async (world) => {
    await world.join();
    await world.clock.advance(30_000);
    const sinceMs = world.clock.now();
    for (let i = 0; i < 20; i++) void world.say(A);
    const clients = await world.crowd(A, 12, 12_000);
    await world.clock.advance(120_000);
    expect(lastMs(clients, sinceMs)).toBeLessThan(75_000);
  }));

describe("three rooms at once", () => {
  const three = (scene: (world: LimitedWorld) => Promise<void>): Promise<void> =>
    play(new LimitedWorld([A, B, C]), async (world) => {
      await world.join();
      for (const room of [A, B, C]) {
        world.client(room);
        world.client(room);
        await world.clock.advance(2000);
      }
      // Until what the burst holds is gone.
      await world.clock.advance(600_000);
      await scene(world);
    });

  test("the refresh gets longer first, and within what the web client bears", () =>
    three(async (world) => {
      const sinceMs = world.clock.now() - 300_000;
      for (const room of [A, B, C]) {
        expect(world.longestRefreshMs(room, sinceMs)).toBeGreaterThan(14_500);
        expect(world.longestRefreshMs(room, sinceMs)).toBeLessThanOrEqual(21_000);
      }
      expect(world.clients.every(({ connected }) => connected)).toBe(true);
    }));

  test("an answer goes out with the next token or the one after", () =>
    three(async (world) => {
      for (const room of [A, B, C, A, B, C]) {
        const client = world.client(room);
        await world.clock.advance(40_000);
        expect((client.connectedMs ?? Infinity) - client.joinedMs).toBeLessThan(11_000);
      }
    }));

  test("a LEFT goes out with the next token", () =>
    three(async (world) => {
      for (const room of [A, B, C]) {
        const startMs = world.clock.now();
        world.leave(room);
        await world.clock.advance(6000);
        const left = world.sent.find(({ what, roomId }) => what === "LEFT" && roomId === room);
        expect((left?.atMs ?? Infinity) - startMs).toBeLessThan(6000);
      }
    }));

  test("replies are late, and not lost", () =>
    three(async (world) => {
      const said = [A, B, C].map((room) => world.say(room));
      await world.clock.advance(150_000);
      await expect(Promise.all(said)).resolves.toHaveLength(3);
    }));

  test("the operator is told once", () =>
    three(async (world) => {
      await world.crowd(A, 20, 20_000);
      await world.clock.advance(700_000);
      expect(world.logged.filter((event) => event === "budget_degraded")).toHaveLength(1);
    }));
});

test("an exempt bot is held up by nothing, once it has noticed", () =>
  play(new LimitedWorld([A, B, C], null), async (world) => {
    await world.join();
    const clients = await world.crowd(A, 25, 5000);
    await world.clock.advance(2000);
    expect(clients.every(({ connected }) => connected)).toBe(true);
    for (let i = 0; i < 50; i++) void world.say(B);
    await world.clock.advance(50 * 70);
    expect(count(world, "said")).toBe(50);
    expect(world.logged).not.toContain("budget_degraded");
  }));

test("an exempt bot that only talks notices soon", () =>
  play(new LimitedWorld([A], null), async (world) => {
    const startMs = world.clock.now();
    const said = Array.from({ length: 30 }, () => world.say(A));
    await world.clock.advance(40_000);
    await Promise.all(said);
    expect((world.sent.at(-1)?.atMs ?? Infinity) - startMs).toBeLessThan(30_000);
  }));

/** Two look at the bot in a moment when its refresh is late, and have to be offered to. */
const twoToOfferTo = {
  joins: [
    { atMs: 118_658, room: B },
    { atMs: 87_397, room: A },
    { atMs: 44_648, room: A },
    { atMs: 69_951, room: C },
    { atMs: 118_107, room: B },
    { atMs: 93_739, room: B },
    { atMs: 4_556, room: B },
    { atMs: 90_374, room: B },
  ],
  says: [
    { atMs: 87_396, room: A },
    { atMs: 56_906, room: C },
    { atMs: 106_978, room: B },
    { atMs: 8_941, room: B },
    { atMs: 96_340, room: A },
    { atMs: 71_177, room: A },
    { atMs: 68_983, room: B },
    { atMs: 81_824, room: C },
    { atMs: 46_916, room: C },
    { atMs: 19_995, room: A },
  ],
};

test("whoever joins whenever, in one room or three, is answered in bounded time", async () => {
  const script = fc.record({
    joins: fc.array(fc.record({ atMs: fc.nat(120_000), room: fc.constantFrom(A, B, C) }), { maxLength: 16 }),
    says: fc.array(fc.record({ atMs: fc.nat(120_000), room: fc.constantFrom(A, B, C) }), { maxLength: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(script, ({ joins, says }) =>
      play(new LimitedWorld([A, B, C]), async (world) => {
        await world.join();
        for (const { atMs, room } of joins) world.clock.timer(atMs, () => world.client(room));
        for (const { atMs, room } of says) world.clock.timer(atMs, () => void world.say(room));
        await world.clock.advance(300_000);
        expect(world.clients.map(({ connected }) => connected)).toEqual(joins.map(() => true));
        // At worst all the answers, and a third of the tokens for refreshes.
        const boundMs = 20_000 + (joins.length * 1.5 * 1000) / 0.2;
        for (const { connectedMs, joinedMs } of world.clients) {
          expect((connectedMs ?? Infinity) - joinedMs).toBeLessThan(boundMs);
        }
        expect(world.refusals).toBeLessThanOrEqual(6);
        expect(world.logged.filter((event) => event === "budget_degraded").length).toBeLessThanOrEqual(1);
      }),
    ),
    // An example that fails is told before the test's time is over: what makes it smaller takes long.
    {
      numRuns: 12,
      examples: [[twoToOfferTo]],
      interruptAfterTimeLimit: 10_000,
      markInterruptAsFailure: true,
    },
  );
});
