import { Adaptation } from "../../../src/media/audio/adaptation.ts";
import type { EncoderSettings, ListenerLoss } from "../../../src/media/audio/adaptation.ts";

const EVERY_MS = 5000;
const QUIET = { bitrate: 128_000, expectedLoss: 3, fec: false };

/** Listeners who take no redundant packets, unless a depth is given. */
const listeners = (losses: readonly (number | null)[], redundancy: number | null = null): ListenerLoss[] =>
  losses.map((loss) => ({ loss, redundancy }));

class Room {
  readonly adaptation = new Adaptation(128_000);
  #nowMs = 0;

  /** So many readings of the same; what came of each. */
  hears(all: readonly ListenerLoss[], readings: number): EncoderSettings[] {
    return Array.from({ length: readings }, () => {
      this.#nowMs += EVERY_MS;
      return this.adaptation.take(this.#nowMs, all);
    });
  }
}

test("does nothing where nobody listens, reports or loses", () => {
  const room = new Room();
  for (const all of [[], listeners([null, null]), listeners([0, 0.01, 0.015])])
    expect(room.hears(all, 5).at(-1)).toEqual(QUIET);
});

describe("forward error correction", () => {
  test("goes on at 2 % in two readings running, off after 30 s under 1 %", () => {
    const room = new Room();
    const on = room.hears(listeners([0.05]), 3).map(({ fec }) => fec);
    expect(on).toEqual([false, true, true]);
    expect(room.hears(listeners([0.015]), 20).every(({ fec }) => fec)).toBe(true);
    const off = room.hears(listeners([0.005]), 8).map(({ fec }) => fec);
    expect(off).toEqual([true, true, true, true, true, true, false, false]);
    expect(room.hears(listeners([0.015]), 5).at(-1)).toEqual(QUIET);
  });

  test("one bad reading between good ones changes nothing", () => {
    const room = new Room();
    for (let i = 0; i < 5; i++)
      expect(
        [...room.hears(listeners([0.3]), 1), ...room.hears(listeners([0]), 1)].map(({ fec }) => fec),
      ).toEqual([false, false]);
  });

  test("assumes 10 to 20 %, in steps of 5", () => {
    const room = new Room();
    const assumed = (loss: number, readings: number): number[] =>
      room.hears(listeners([loss]), readings).map(({ expectedLoss }) => expectedLoss);
    expect(assumed(0.05, 4)).toEqual([3, 10, 10, 10]);
    expect(assumed(0.6, 4)).toEqual([15, 20, 20, 20]);
    expect(assumed(0.12, 3)).toEqual([15, 12, 12]);
  });

  test("is for those who take no redundant packets", () => {
    expect(new Room().hears(listeners([0.09, 0.09], 1), 9).at(-1)).toEqual(QUIET);
    expect(new Room().hears([...listeners([0.05, 0], 1), ...listeners([0.05])], 9).at(-1)?.fec).toBe(true);
  });

  test("takes a third of all who report", () => {
    expect(new Room().hears(listeners([0.05, 0, 0, 0]), 9).at(-1)?.fec).toBe(false);
    expect(new Room().hears(listeners([0.05, 0.05, 0, 0]), 9).at(-1)?.fec).toBe(true);
    expect(new Room().hears(listeners([0.05, 0, 0, null, null]), 9).at(-1)?.fec).toBe(true);
  });
});

describe("the bit rate", () => {
  test("goes down to 96 kbit/s at 10 %, to 64 at 20 %, and back; no step is larger than a sixth", () => {
    const room = new Room();
    const all = [
      ...room.hears(listeners([0.12]), 10),
      ...room.hears(listeners([0.25]), 10),
      ...room.hears(listeners([0]), 20),
    ].map(({ bitrate }) => bitrate);
    expect(all[9]).toBe(96_000);
    expect(all[19]).toBe(64_000);
    expect(all.at(-1)).toBe(128_000);
    all.reduce((before, rate) => {
      expect(Math.abs(rate - before) / before).toBeLessThan(1 / 6);
      return rate;
    }, 128_000);
  });

  test("between 5 and 10 % it stays where it is", () => {
    const room = new Room();
    room.hears(listeners([0.12]), 2);
    const held = room.hears(listeners([0.07]), 5).map(({ bitrate }) => bitrate);
    expect(new Set(held).size).toBe(1);
    expect(held[0]).toBeLessThan(128_000);
  });

  test("is never raised above what was set, nor to a floor above it", () => {
    const low = new Adaptation(48_000);
    expect(low.take(0, listeners([0.5])).bitrate).toBe(48_000);
    expect(low.take(5000, listeners([0])).bitrate).toBe(48_000);
  });

  test("a new setting holds at once", () => {
    const room = new Room();
    room.hears(listeners([0.3]), 10);
    room.adaptation.configure(96_000);
    expect(room.adaptation.settings.bitrate).toBe(96_000);
  });
});

describe("one who reports a loss of everything", () => {
  test.each([3, 4, 10])("among %i others changes nothing", (others) => {
    const room = new Room();
    expect(room.hears(listeners([1, ...Array<number>(others).fill(0)]), 50).at(-1)).toEqual(QUIET);
  });

  test.each([1, 2])("among %i others at most switches FEC on, at the full bit rate", (others) => {
    const room = new Room();
    for (const settings of room.hears(listeners([1, ...Array<number>(others).fill(0)]), 50)) {
      expect(settings.bitrate).toBe(128_000);
      expect(settings.expectedLoss).toBeLessThanOrEqual(20);
    }
  });

  test("who takes redundant packets changes nothing, even beside one other", () => {
    expect(new Room().hears([...listeners([1], 2), ...listeners([0])], 50).at(-1)).toEqual(QUIET);
  });
});
