import * as fc from "fast-check";
import { BotError } from "../../../src/base/errors.ts";
import { Bot, CHANNEL, scene } from "./bots.ts";
import type { DialectMember } from "./dialects.ts";

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

/** 2 to 6 bots join in any order and at any distance: all end connected to all, with hardly more offers than pairs. */
export function joinInAnyOrder(numRuns: number): Promise<void> {
  return fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 2, maxLength: 6 }),
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

type MixedDeed = {
  at: number;
  who: number;
  what: "join" | "leave" | "crash" | "fail" | "overwrite" | "snapshot" | "lapse";
};
const mixedDeeds = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 40_000 }),
    who: fc.nat(),
    what: fc.constantFrom<MixedDeed["what"]>(
      ...(["join", "join", "join", "leave", "crash", "fail", "overwrite", "snapshot", "lapse"] as const),
    ),
  }),
  { minLength: 3, maxLength: 25 },
);
const casts = fc
  .array(fc.constantFrom("bot" as const, "web" as const, "readme" as const), { minLength: 1, maxLength: 5 })
  .map((others) => ["bot" as const, ...others]);

/**
 * 2 to 6 members, one or more of them bots, the others strict web clients and strict README readers, in a room that delays,
 * reorders, doubles and loses. Calm connects every bot to everybody, each heard and hearing, without a leaked connection
 * and with bounded offers; then the bots send nothing but refreshes.
 */
export function dialectStorm(numRuns: number): Promise<void> {
  return fc.assert(
    fc.asyncProperty(casts, mixedDeeds, fc.integer(), async (cast, script, seed) => {
      const random = randomOf(seed);
      let calm = false;
      await scene(
        async ({ bot, clock, room, member }) => {
          const bots: Bot[] = [];
          const others: DialectMember[] = [];
          const loses = (): boolean => !calm && random() < 0.1;
          const actors = cast.map((kind, index) => {
            if (kind !== "bot") {
              const made = member(`guest${index}`, { name: kind, loses });
              others.push(made);
              return made;
            }
            const made = bot(`bot${index}`);
            bots.push(made);
            return made;
          });
          for (const { at, who, what } of script) {
            const one = actors[who % actors.length];
            if (one) clock.timer(at, () => (one instanceof Bot ? ofBot : ofGuest)[what](one as never));
          }
          const ofBot: Record<MixedDeed["what"], (one: Bot) => void> = {
            join: (one) => void one.session.join().catch(() => {}),
            leave: (one) => void one.session.leave(),
            crash: (one) => {
              one.plane.crash();
              clock.timer(random() * 2000, () => one.plane.up());
            },
            fail: (one) => {
              for (const peer of one.plane.peers(CHANNEL)) {
                one.plane.emit({ kind: "peer.state", channel: CHANNEL, peer, state: "failed" });
              }
            },
            overwrite: (one) => void room.send("@mallory:hs", { join_state: "LEFT", timestamp: 1 }, one.key),
            snapshot: (one) => room.snapshot(one.session),
            // Its next refreshes are refused.
            lapse: (one) => {
              for (let time = 0; time < 3; time++) {
                room.refuse(one.userId, new BotError("homeserver", "502", { retryable: true }));
              }
            },
          };
          const ofGuest: Record<MixedDeed["what"], (one: DialectMember) => void> = {
            join: (one) => void one.join(),
            leave: (one) => void one.leave(),
            crash: (one) => one.crash(),
            // The page is loaded again and its person joins at once.
            fail: (one) => {
              one.crash();
              void one.join();
            },
            overwrite: () => {},
            snapshot: () => {},
            lapse: (one) => room.refuse(one.userId, new BotError("homeserver", "429")),
          };
          await clock.advance(45_000);
          const count = (): number => bots.flatMap((one) => room.signals(one.userId)).length;
          expect(count()).toBeLessThan(60 * script.length);
          calm = true;
          room.forgive();
          for (const one of bots) one.session.join().catch(() => {});
          for (const one of others) void one.join();
          await clock.advance(240_000);
          for (const one of bots) {
            const everybody = actors.filter((other) => other !== one).map(({ key }) => key);
            expect(one.session.state).toBe("in");
            expect(one.connected).toEqual(everybody.sort());
            expect(one.plane.peers(CHANNEL).sort()).toEqual(everybody);
            for (const other of others)
              expect([other.key, other.connectedTo(one.key)]).toEqual([other.key, true]);
          }
          const settled = count();
          await clock.advance(120_000);
          expect(count()).toBe(settled);
          for (const one of others) void one.leave();
          await clock.advance(10_000);
          for (const one of bots) {
            expect(one.connected).toEqual(bots.filter((other) => other !== one).map(({ key }) => key));
          }
        },
        {
          writeMs: () => 5 + random() * (calm ? 50 : 1500),
          syncMs: () => 10 + random() * (calm ? 100 : 3000),
          copies: () => (calm || random() < 0.75 ? 1 : random() < 0.8 ? 2 : 0),
          unordered: true,
        },
      );
    }),
    { numRuns },
  );
}
