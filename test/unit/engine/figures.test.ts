import { LossReports, missedShare, RecentCounts } from "../../../src/media/engine/figures.ts";
import type { ReportBlock } from "../../../src/media/engine/rtcp.ts";

const block = (highestSequence: number, cumulativeLost: number): ReportBlock => ({
  ...{ ssrc: 1, fractionLost: 0, highestSequence, cumulativeLost },
  ...{ jitter: 0, lastSenderReport: 0, delaySinceLastSenderReport: 0 },
});

describe("RecentCounts", () => {
  test("counts since the beginning until ten seconds have passed, then only those", () => {
    const recent = new RecentCounts();
    const at = (second: number): { sent: number; received: number; missed: number } => ({
      sent: second * 50,
      received: second <= 20 ? second * 50 : 1000 + (second - 20) * 40,
      missed: second <= 20 ? 0 : (second - 20) * 10,
    });
    expect(recent.since(500, { sent: 25, received: 3, missed: 1 })).toEqual({
      sent: 25,
      received: 3,
      missed: 1,
    });
    for (let second = 1; second <= 20; second++) recent.take(second * 1000, at(second));
    expect(recent.since(20_000, at(20))).toEqual({ sent: 500, received: 500, missed: 0 });
    for (let second = 21; second <= 30; second++) recent.take(second * 1000, at(second));
    expect(recent.since(30_000, at(30))).toEqual({ sent: 500, received: 400, missed: 100 });
    expect(missedShare(recent.since(30_000, at(30)))).toBeCloseTo(0.2);
  });

  test("a stream that began anew, or late packets, make no negative counts", () => {
    const recent = new RecentCounts();
    recent.take(0, { sent: 100, received: 100, missed: 50 });
    const since = recent.since(10_000, { sent: 100, received: 5, missed: 3 });
    expect(since).toEqual({ sent: 0, received: 0, missed: 0 });
    expect(missedShare(since)).toBeNull();
  });

  test("keeps a bounded number, whatever the rate", () => {
    const recent = new RecentCounts();
    for (let i = 0; i < 1000; i++) recent.take(i, { sent: i, received: 0, missed: 0 });
    // Nothing that old is known any more: everything counts.
    expect(recent.since(999, { sent: 999, received: 0, missed: 0 }).sent).toBe(999);
  });
});

describe("LossReports", () => {
  test("loss in all from the first packet on, recently from the report before the last ten seconds", () => {
    const loss = new LossReports();
    expect([loss.inAll(), loss.recently(0), loss.reportedAtMs]).toEqual([null, null, null]);
    // 250 packets in 5 s from number 1000 on: none lost in 20 s, then every fifth.
    for (let i = 1; i <= 4; i++) loss.take(block(999 + i * 250, 0), 1000, i * 5000);
    expect([loss.inAll(), loss.recently(20_000)]).toEqual([0, 0]);
    for (let i = 5; i <= 6; i++) loss.take(block(999 + i * 250, (i - 4) * 50), 1000, i * 5000);
    expect(loss.inAll()).toBeCloseTo(100 / 1500);
    expect(loss.recently(30_000)).toBeCloseTo(100 / 500);
    expect(loss.reportedAtMs).toBe(30_000);
  });

  test("old reports say nothing of now; what is paused loses nothing", () => {
    const loss = new LossReports();
    loss.take(block(499, 50), 0, 1000);
    expect(loss.recently(10_999)).toBeCloseTo(0.1);
    expect(loss.recently(11_000)).toBeNull();
    loss.take(block(499, 50), 0, 12_000);
    expect([loss.inAll(), loss.recently(12_000)]).toEqual([0.1, null]);
  });

  test("numbers wrap, before the other side saw one or after", () => {
    const loss = new LossReports();
    loss.take(block(65_536 + 49, 5), 65_486, 1000);
    expect(loss.inAll()).toBeCloseTo(5 / 100);
    const late = new LossReports();
    // It saw none before the wrap, so its turns count from 0.
    late.take(block(49, 0), 65_486, 1000);
    expect(late.inAll()).toBe(0);
  });

  test("packets that came twice are no gain", () => {
    const loss = new LossReports();
    loss.take(block(99, -20), 0, 1000);
    expect(loss.inAll()).toBe(0);
  });

  test.each([
    ["more lost than sent", block(9, 500)],
    ["numbers from before the first", block(0xfffe_0000, 0)],
  ])("a report that contradicts itself is passed over: %s", (_, lie) => {
    const loss = new LossReports();
    loss.take(block(99, 10), 0, 1000);
    loss.take(lie, 0, 2000);
    expect([loss.inAll(), loss.reportedAtMs]).toEqual([0.1, 1000]);
  });

  test("a flood of reports leaves the window as it is", () => {
    const loss = new LossReports();
    for (let atMs = 0; atMs <= 30_000; atMs += 50) {
      const due = atMs / 20;
      loss.take(block(Math.floor(due), atMs > 20_000 ? Math.floor((due - 1000) / 2) : 0), 0, atMs);
    }
    expect(loss.recently(30_000)).toBeCloseTo(0.5, 1);
  });
});
