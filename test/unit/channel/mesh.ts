import * as fc from "fast-check";
import { CHANNEL, scene } from "./bots.ts";
import type { Bot } from "./bots.ts";

/** A plain generator of numbers in [0, 1), so that a failing case of fast-check can be played again. */
function randomOf(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const everybodyElse = (bots: readonly Bot[], bot: Bot): string[] =>
  bots
    .filter((other) => other !== bot)
    .map((other) => other.key)
    .sort();

/** 2 to 5 bots join in any order and at any distance: all end connected to all, with hardly more offers than pairs. */
export function joinInAnyOrder(numRuns: number): Promise<void> {
  return fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 2, maxLength: 5 }),
      fc.integer(),
      async (delays, seed) => {
        const random = randomOf(seed);
        await scene(
          async ({ bot, clock, room }) => {
            const bots = delays.map((_, index) => bot(`bot${index}`));
            delays.forEach((delayMs, index) => {
              clock.timer(delayMs, () => void bots[index]?.session.join());
            });
            await clock.advance(20_000);
            for (const one of bots) expect(one.connected).toEqual(everybodyElse(bots, one));
            // One connection for each pair on each side, and hardly more offers than pairs.
            for (const one of bots) expect(one.plane.peers(CHANNEL)).toHaveLength(bots.length - 1);
            const offers = bots.flatMap((one) => room.signals(one.userId, "offer")).length;
            expect(offers).toBeLessThanOrEqual(bots.length * (bots.length - 1));
          },
          { writeMs: () => 5 + random() * 100, syncMs: () => 10 + random() * 300 },
        );
      },
    ),
    { numRuns },
  );
}

type Deed = { at: number; who: number; what: "join" | "leave" | "crash" | "fail" | "overwrite" };
const deeds = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 40_000 }),
    who: fc.integer({ min: 0, max: 3 }),
    what: fc.constantFrom<Deed["what"]>("join", "join", "join", "leave", "crash", "fail", "overwrite"),
  }),
  { minLength: 3, maxLength: 25 },
);

/**
 * Bots join, leave, lose their media and their entries, while events are delayed, overtaken and doubled: nothing leaks,
 * offers are bounded, calm connects all to all, and then nothing more is sent but refreshes.
 */
export function storm(numRuns: number): Promise<void> {
  return fc.assert(
    fc.asyncProperty(deeds, fc.integer(), async (script, seed) => {
      const random = randomOf(seed);
      let calm = false;
      await scene(
        async ({ bot, clock, room }) => {
          const bots = [0, 1, 2, 3].map((index) => bot(`bot${index}`));
          for (const { at, who, what } of script) {
            const one = bots[who];
            if (!one) continue;
            clock.timer(at, () => {
              if (what === "join") one.session.join().catch(() => {});
              else if (what === "leave") void one.session.leave();
              else if (what === "crash") {
                one.plane.crash();
                clock.timer(random() * 2000, () => one.plane.up());
              } else if (what === "fail") {
                for (const peer of one.plane.peers(CHANNEL)) {
                  one.plane.emit({ kind: "peer.state", channel: CHANNEL, peer, state: "failed" });
                }
              } else room.send("@mallory:hs", { join_state: "LEFT", timestamp: 1 }, one.key);
            });
          }
          await clock.advance(45_000);
          const stormy = bots.flatMap((one) => room.signals(one.userId)).length;
          expect(stormy).toBeLessThan(40 * script.length);
          calm = true;
          for (const one of bots) one.session.join().catch(() => {});
          await clock.advance(180_000);
          for (const one of bots) {
            expect(one.session.state).toBe("in");
            expect(one.connected).toEqual(everybodyElse(bots, one));
            expect(one.plane.peers(CHANNEL).sort()).toEqual(everybodyElse(bots, one));
          }
          const settled = bots.flatMap((one) => room.signals(one.userId)).length;
          await clock.advance(120_000);
          expect(bots.flatMap((one) => room.signals(one.userId)).length).toBe(settled);
          await Promise.all(
            bots.map(async (one) => {
              const left = one.session.leave();
              await clock.advance(10_000);
              await left;
            }),
          );
          for (const one of bots) expect(one.plane.isOpen(CHANNEL)).toBe(false);
        },
        {
          writeMs: () => 5 + random() * (calm ? 50 : 1500),
          syncMs: () => 10 + random() * (calm ? 100 : 3000),
          copies: () => (random() < 0.2 ? 2 : 1),
          unordered: true,
        },
      );
    }),
    { numRuns },
  );
}
