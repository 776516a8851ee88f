import * as fc from "fast-check";
import { PcmRing } from "../../../src/media/audio/ring.ts";

test("gives back exactly what was written, in order, whatever the sizes of chunks and reads", () => {
  const steps = fc.array(fc.record({ bytes: fc.nat(40), read: fc.nat(12) }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (script) => {
      const ring = new PcmRing(32, 16);
      const target = new Int16Array(64);
      let written = 0;
      let expected = 0;
      for (const step of script) {
        const held = written - expected * 4;
        const size = Math.min(step.bytes, 128 - held);
        ring.write(Uint8Array.from({ length: size }, (_, i) => (written + i) % 251));
        written += size;
        expect(ring.available).toBe(Math.floor((written - expected * 4) / 4));
        const count = ring.read(target, step.read);
        const bytes = new Uint8Array(target.buffer, 0, count * 4);
        for (let i = 0; i < bytes.length; i++) expect(bytes[i]).toBe((expected * 4 + i) % 251);
        expected += count;
      }
    }),
  );
});

test("says when it is full enough, and when it wants more", () => {
  const ring = new PcmRing(100, 50);
  ring.write(new Uint8Array(49 * 4));
  expect(ring.hasRoom).toBe(true);
  ring.write(new Uint8Array(4));
  expect(ring.hasRoom).toBe(false);
  ring.read(new Int16Array(200), 25);
  expect(ring.wantsMore).toBe(false);
  ring.read(new Int16Array(200), 1);
  expect(ring.wantsMore).toBe(true);
});

test("tells how much of what comes first is quiet, over its own end too", () => {
  const ring = new PcmRing(10, 5);
  ring.write(new Uint8Array(32));
  ring.read(new Int16Array(16), 8);
  ring.write(new Uint8Array(new Int16Array([0, 0, 3, -4, 0, -5, 9, 9]).buffer));
  expect(ring.quiet(10, 4)).toBe(2);
  expect(ring.quiet(10, 8)).toBe(3);
  expect(ring.quiet(1, 99)).toBe(1);
  expect(ring.quiet(10, 99)).toBe(4);
  expect(ring.available).toBe(4);
});

test("refuses what does not fit instead of growing or overwriting", () => {
  const ring = new PcmRing(10, 5);
  ring.write(new Uint8Array(40));
  expect(() => ring.write(new Uint8Array(1))).toThrow(RangeError);
});
