import { Reception, Source } from "../../../src/media/engine/reception.ts";

const sender = { ntpSeconds: 0x0001_b705, ntpFraction: 0x2000_0000, timestamp: 0, packets: 0, octets: 0 };

function feed(source: Source, sequences: readonly number[]): boolean[] {
  return sequences.map((sequence, i) => source.take(sequence & 0xffff, sequence * 960, i * 20));
}

describe("Source", () => {
  test("one that nobody named needs two packets in a row", () => {
    const source = new Source(1, 10, false);
    expect(feed(source, [10, 12, 14, 15, 16])).toEqual([false, false, false, true, true]);
    expect([source.received, source.missed]).toEqual([2, 0]);
  });

  test("counts what is missing over the wrap of sequence numbers, and late packets back", () => {
    const source = new Source(1, 65_533, true);
    feed(source, [65_533, 65_534, 65_536 + 1, 65_536 + 2]);
    expect([source.received, source.missed]).toEqual([4, 2]);
    expect(source.report(1000)).toMatchObject({
      highestSequence: 65_538,
      cumulativeLost: 2,
      fractionLost: 85,
    });
    source.take(65_535, 0, 100);
    expect(source.missed).toBe(1);
    // The late one makes this interval better than expected.
    expect(source.report(2000)).toMatchObject({ cumulativeLost: 1, fractionLost: 0 });
  });

  test("one stray number far away is dropped, two in a row are a new beginning", () => {
    const source = new Source(1, 100, true);
    feed(source, [100, 101]);
    expect(source.take(30_000, 0, 0)).toBe(false);
    expect(source.take(102, 0, 0)).toBe(true);
    expect(source.take(40_000, 0, 0)).toBe(false);
    expect(source.take(40_001, 0, 0)).toBe(true);
    expect([source.received, source.missed]).toEqual([1, 0]);
  });

  test("jitter is a sixteenth of each deviation, across the wrap of timestamps", () => {
    const source = new Source(1, 0, true);
    const start = 2 ** 32 - 960;
    source.take(0, start, 1000);
    source.take(1, (start + 960) % 2 ** 32, 1020);
    expect(source.jitter).toBe(0);
    source.take(2, (start + 1920) % 2 ** 32, 1050);
    expect(source.jitter).toBe(480 / 16);
    source.take(3, (start + 2880) % 2 ** 32, 1070);
    expect(source.jitter).toBeCloseTo(30 - 30 / 16, 6);
  });

  test("a report names the last sender report and its age", () => {
    const source = new Source(1, 0, true);
    source.take(0, 0, 0);
    expect(source.report(10)).toMatchObject({ lastSenderReport: 0, delaySinceLastSenderReport: 0 });
    source.onSenderReport(sender, 1000);
    expect(source.report(6250)).toMatchObject({
      lastSenderReport: 0xb705_2000,
      delaySinceLastSenderReport: 0x0005_4000,
    });
  });
});

describe("Reception", () => {
  test("the source that the description names speaks at once, a stray one not at all", () => {
    const reception = new Reception([5]);
    expect(reception.take(5, 1, 0, 0)).toBe(true);
    expect(reception.take(6, 77, 0, 10)).toBe(false);
    expect(reception.take(5, 2, 960, 20)).toBe(true);
    expect(reception.received).toBe(2);
  });

  test("a sender that starts anew with another SSRC takes over; the old one may not come back in between", () => {
    const reception = new Reception([5]);
    reception.take(5, 1, 0, 0);
    expect(reception.take(6, 1, 0, 100)).toBe(false);
    expect(reception.take(6, 2, 960, 120)).toBe(true);
    expect(reception.take(5, 2, 960, 130)).toBe(false);
    expect(reception.take(6, 3, 1920, 140)).toBe(true);
    expect(reception.take(5, 3, 1920, 700)).toBe(true);
  });

  test("eight sources are kept, the oldest silent one gives way", () => {
    const reception = new Reception([]);
    for (let ssrc = 1; ssrc <= 8; ssrc++) for (const n of [1, 2]) reception.take(ssrc, n, 0, ssrc * 100 + n);
    for (const n of [1, 2, 3]) expect(reception.take(9, n, 0, 900 + n)).toBe(false);
    expect(reception.reports(1000, 0).map(({ ssrc }) => ssrc)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(reception.take(9, 4, 0, 5000)).toBe(false);
    expect(reception.take(9, 5, 0, 5020)).toBe(true);
    expect(reception.reports(6000, 0).map(({ ssrc }) => ssrc)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    // What the source that gave way had received still counts.
    expect(reception.received).toBe(9);
  });

  test("reports are about who was heard since the last one", () => {
    const reception = new Reception([1, 2]);
    reception.take(1, 1, 0, 100);
    reception.take(2, 1, 0, 6000);
    expect(reception.reports(7000, 5000).map(({ ssrc }) => ssrc)).toEqual([2]);
  });

  test("after a goodbye the source is gone; sender reports of unknown ones are no clock", () => {
    const reception = new Reception([1]);
    reception.take(1, 1, 0, 0);
    expect(reception.onSenderReport(1, sender, 0)).toBe(true);
    expect(reception.onSenderReport(2, sender, 0)).toBe(false);
    reception.onGoodbye(1);
    expect(reception.onSenderReport(1, sender, 0)).toBe(false);
    expect(reception.reports(100, 0)).toEqual([]);
  });
});
