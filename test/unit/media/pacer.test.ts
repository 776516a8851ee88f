import { Pacer } from "../../../src/media/audio/pacer.ts";
import type { FrameSlot } from "../../../src/media/audio/pacer.ts";
import { FakeClock } from "../../fakes/clock.ts";

function setUp({ frames = Infinity, firstTimestamp = 1000 } = {}): {
  clock: FakeClock;
  pacer: Pacer;
  sent: (FrameSlot & { atMs: number })[];
  more: (count: number) => void;
} {
  const clock = new FakeClock(0);
  const sent: (FrameSlot & { atMs: number })[] = [];
  let left = frames;
  const pacer = new Pacer({
    clock,
    firstTimestamp,
    onFrame: (slot) => {
      if (left <= 0) return false;
      left--;
      sent.push({ ...slot, atMs: clock.now() });
      return true;
    },
  });
  return { clock, pacer, sent, more: (count) => (left = count) };
}

test("sends a frame every 20 ms from the start on, the first one marked", () => {
  const { clock, pacer, sent } = setUp();
  pacer.start();
  clock.tick(1000);
  expect(sent).toHaveLength(51);
  expect(sent.map((frame) => frame.atMs)).toEqual(sent.map((_, i) => i * 20));
  expect(sent.map((frame) => frame.timestamp)).toEqual(sent.map((_, i) => 1000 + i * 960));
  expect(sent.map((frame) => frame.marker)).toEqual(sent.map((_, i) => i === 0));
  expect(pacer.lateFrames).toBe(0);
});

test("does not drift when every timer is late", () => {
  const clock = new FakeClock(0);
  let sent = 0;
  const late = {
    now: () => clock.now(),
    wall: () => clock.wall(),
    timer: (ms: number, run: () => void) => clock.timer(ms + 7, run),
  };
  const pacer = new Pacer({ clock: late, onFrame: () => ++sent > 0 });
  pacer.start();
  clock.tick(60_000);
  pacer.close();
  expect(Math.abs(sent - 3000)).toBeLessThanOrEqual(1);
});

test("has no timer in silence; its timestamps go on with the clock, and the next frame is marked", () => {
  const { clock, pacer, sent, more } = setUp({ frames: 2 });
  pacer.start();
  clock.tick(100);
  expect(clock.pending).toBe(0);
  expect(pacer.running).toBe(false);
  clock.tick(9_900);
  more(2);
  pacer.start();
  clock.tick(100);
  expect(sent.map((frame) => frame.atMs)).toEqual([0, 20, 10_000, 10_020]);
  expect(sent.map((frame) => frame.timestamp - 1000)).toEqual([0, 960, 480_000, 480_960]);
  expect(sent.map((frame) => frame.marker)).toEqual([true, false, true, false]);
});

test("never gives two frames one timestamp, however soon it is started again", () => {
  const { clock, pacer, sent, more } = setUp({ frames: 1 });
  pacer.start();
  clock.tick(21);
  more(3);
  pacer.start();
  clock.tick(60);
  const steps = sent.slice(1).map((frame, i) => frame.timestamp - sent[i]!.timestamp);
  expect(Math.min(...steps)).toBeGreaterThanOrEqual(960);
});

test("makes up for a short stall at once, and skips what is older than 200 ms", () => {
  const { clock, pacer, sent } = setUp();
  let stalledMs = 0;
  const stalling = new Pacer({
    clock: {
      now: () => clock.now() + stalledMs,
      wall: () => clock.wall(),
      timer: (ms, run) => clock.timer(ms, run),
    },
    firstTimestamp: 0,
    onFrame: (slot) => {
      sent.push({ ...slot, atMs: clock.now() + stalledMs });
      return true;
    },
  });
  pacer.close();
  stalling.start();
  clock.tick(100);
  expect(sent).toHaveLength(6);
  stalledMs = 100;
  clock.tick(20);
  expect(sent).toHaveLength(6 + 6);
  expect(stalling.lateFrames).toBe(4);
  stalledMs = 5_100;
  sent.length = 0;
  clock.tick(20);
  expect(sent.length).toBeLessThanOrEqual(11);
  expect(stalling.lateFrames).toBeGreaterThanOrEqual(240);
  // Media time is where the clock is.
  expect(Math.abs(sent.at(-1)!.timestamp / 48 - (clock.now() + stalledMs))).toBeLessThanOrEqual(20);
  stalling.close();
  expect(clock.pending).toBe(0);
});

test("timestamps wrap at 32 bits", () => {
  const { clock, pacer, sent } = setUp({ firstTimestamp: 2 ** 32 - 960 });
  pacer.start();
  clock.tick(20);
  expect(sent.map((frame) => frame.timestamp)).toEqual([2 ** 32 - 960, 0]);
});
