import type { ReceivedAudio, SenderClock } from "../../../src/media/engine/engine.ts";
import { Liveness } from "../../../src/media/engine/libdatachannel/liveness.ts";
import { NtpClock, Output } from "../../../src/media/engine/libdatachannel/output.ts";
import type { Listener } from "../../../src/media/engine/libdatachannel/output.ts";
import { Receiver } from "../../../src/media/engine/libdatachannel/receiver.ts";
import { readRtcp, writeRtcp } from "../../../src/media/engine/rtcp.ts";
import { RtpWriter, setPayloadType } from "../../../src/media/engine/rtp.ts";
import { FakeClock } from "../../fakes/clock.ts";

const OWN = 1000;
const THEIRS = 2000;

function setUp(): {
  receiver: Receiver;
  audio: ReceivedAudio[];
  clocks: SenderClock[];
  goodbyes: () => number;
  floods: () => number;
  ntp: { ms: number };
} {
  const audio: ReceivedAudio[] = [];
  const clocks: SenderClock[] = [];
  const ntp = { ms: 1_700_000_000_000 };
  let goodbyes = 0;
  let floods = 0;
  const receiver = new Receiver({
    payloadType: 111,
    redPayloadType: 63,
    levelExtension: 1,
    declared: [THEIRS],
    ownSsrc: OWN,
    onGoodbye: () => goodbyes++,
    onFlood: () => floods++,
    firstSent: () => 0,
    ntpNow: () => ntp.ms,
    events: { onAudio: (one) => audio.push(one), onSenderClock: (clock) => clocks.push(clock) },
  });
  return { receiver, audio, clocks, goodbyes: () => goodbyes, floods: () => floods, ntp };
}

function rtp(writer: RtpWriter, payload: number[], timestamp: number, payloadType = 111): Buffer {
  const packet = writer.write(Uint8Array.from(payload), timestamp, false);
  setPayloadType(packet, payloadType);
  return Buffer.from(packet);
}

describe("Receiver", () => {
  test("hands over the negotiated type only, and no empty packets", () => {
    const { receiver, audio } = setUp();
    const writer = new RtpWriter(THEIRS, 5);
    receiver.onRtp(rtp(writer, [1, 2], 0), 100);
    receiver.onRtp(rtp(writer, [9], 0, 13), 110);
    receiver.onRtp(rtp(writer, [], 960), 120);
    receiver.onRtp(Buffer.from([1, 2, 3]), 130);
    receiver.onRtp(rtp(writer, [3], 1920), 140);
    expect(audio.map((one) => one.kind === "opus" && [one.sequence, ...one.payload])).toEqual([
      [5, 1, 2],
      [8, 3],
    ]);
    expect(audio[0]).toMatchObject({ ssrc: THEIRS, timestamp: 0, arrivalMs: 100, levelDbov: null });
    expect(receiver.dropped).toBe(2);
    expect(receiver.reception.received).toBe(3);
  });

  test("a sender report of somebody who sends gives its clock and is answered", () => {
    const { receiver, clocks } = setUp();
    const sender = {
      ntpSeconds: 0xe000_0001,
      ntpFraction: 0x8000_0000,
      timestamp: 777,
      packets: 1,
      octets: 1,
    };
    const report = (ssrc: number): Buffer => writeRtcp({ ssrc, cname: "c", sender, blocks: [], bye: null });
    receiver.onRtcp(report(THEIRS), 50);
    expect(clocks).toEqual([]);
    receiver.onRtp(rtp(new RtpWriter(THEIRS, 5), [1], 0), 100);
    receiver.onRtcp(report(THEIRS), 1000);
    receiver.onRtcp(report(THEIRS + 1), 1000);
    expect(clocks).toEqual([
      { ssrc: THEIRS, ntpMs: (0xe000_0001 - 2_208_988_800) * 1000 + 500, timestamp: 777, arrivalMs: 1000 },
    ]);
    const own = readRtcp(receiver.report(2000, { sender: null, cname: "me", sinceMs: 0, bye: false }))!;
    expect(own).toEqual([
      {
        kind: "rr",
        ssrc: OWN,
        blocks: [
          expect.objectContaining({
            ssrc: THEIRS,
            lastSenderReport: 0x0001_8000,
            delaySinceLastSenderReport: 65_536,
          }),
        ],
      },
    ]);
  });

  test("a report about our stream gives loss, jitter and round trip; one about another's nothing", () => {
    const { receiver, ntp } = setUp();
    const block = {
      ssrc: OWN,
      fractionLost: 64,
      cumulativeLost: 3,
      highestSequence: 9,
      jitter: 480,
      // Our report of the middle second, held for a quarter of one.
      lastSenderReport: ((1_700_000_000 + 2_208_988_800) & 0xffff) * 65_536,
      delaySinceLastSenderReport: 16_384,
    };
    const about = (ssrc: number): Buffer =>
      writeRtcp({ ssrc: THEIRS, cname: "c", sender: null, blocks: [{ ...block, ssrc }], bye: null });
    ntp.ms += 300;
    receiver.onRtcp(about(OWN + 1), 10);
    expect(receiver.heard).toBeNull();
    receiver.onRtcp(about(OWN), 10);
    expect(receiver.heard).toMatchObject({ lossFraction: 0.25, jitterMs: 10 });
    expect(receiver.heard!.roundTripMs).toBeCloseTo(50, 1);
  });

  test("our own last word is a goodbye to the other side; a stream's end is none", () => {
    const { receiver, goodbyes } = setUp();
    receiver.onRtcp(writeRtcp({ ssrc: THEIRS, cname: "c", sender: null, blocks: [], bye: "muted" }), 0);
    expect(goodbyes()).toBe(0);
    const other = setUp();
    receiver.onRtcp(other.receiver.report(0, { sender: null, cname: "c", sinceMs: 0, bye: true }), 0);
    expect(goodbyes()).toBe(1);
    receiver.onRtcp(Buffer.from([0x80, 201, 0, 9]), 0);
    expect(receiver.dropped).toBe(1);
  });
});

describe("Receiver of somebody hostile", () => {
  test("who speaks loses nothing, also when seconds of it come at once", () => {
    const { receiver, audio, floods } = setUp();
    const writer = new RtpWriter(THEIRS, 5);
    for (let i = 0; i < 3000; i++) {
      // 20 ms frames of 128 kbit/s; ten seconds of them arrive together.
      const arrivalMs = i >= 1000 && i < 1500 ? 30_000 : i * 20;
      receiver.onPacket(rtp(writer, Array<number>(320).fill(7), i * 960), arrivalMs);
    }
    expect(audio).toHaveLength(3000);
    expect(floods()).toBe(0);
  });

  test.each([
    ["packets", 1, 120 * 10 + 600],
    ["bytes", 1400, (64_000 * 10 + 256_000) / 1400],
  ])("of too many %s a bounded number is handed over", (_, size, most) => {
    const { receiver, audio, floods } = setUp();
    const writer = new RtpWriter(THEIRS, 5);
    const payload = Array<number>(size).fill(7);
    for (let i = 0; i < 3000; i++) receiver.onPacket(rtp(writer, payload, i * 960), (i * 10_000) / 3000);
    expect(floods()).toBe(0);
    expect(audio.length).toBeLessThanOrEqual(most);
    expect(audio.length).toBeGreaterThan(most / 2);
  });

  test.each([
    ["one stream", (): [number, number] => [THEIRS, 111]],
    ["streams without end", (i: number): [number, number] => [i, 111]],
    ["another type", (): [number, number] => [THEIRS, 13]],
  ])("a flood of %s ends the connection, once", (_, kind) => {
    const { receiver, audio, floods } = setUp();
    for (let i = 0; i < 20_000; i++) {
      const [ssrc, type] = kind(i);
      receiver.onPacket(rtp(new RtpWriter(ssrc, i), [1, 2, 3], i * 960, type), i / 10);
    }
    expect(floods()).toBe(1);
    expect(audio.length).toBeLessThanOrEqual(700);
  });

  test("a flood of reports, of clocks in them, or of bytes is bounded alike", () => {
    const sender = { ntpSeconds: 1, ntpFraction: 0, timestamp: 0, packets: 1, octets: 1 };
    const one = writeRtcp({ ssrc: THEIRS, cname: "c", sender, blocks: [], bye: null });
    const { receiver, clocks, floods } = setUp();
    receiver.onPacket(rtp(new RtpWriter(THEIRS, 5), [1], 0), 0);
    const many = Buffer.concat(Array.from({ length: 30 }, () => one));
    for (let i = 0; i < 300; i++) receiver.onPacket(many, i * 20);
    expect(clocks.length).toBeLessThanOrEqual(10 + 2 * 6);
    expect(floods()).toBe(0);
    for (let i = 0; i < 10_000; i++) receiver.onPacket(many, 6000 + i / 10);
    expect(floods()).toBe(1);
    const heavy = setUp();
    for (let i = 0; i < 900; i++) heavy.receiver.onPacket(Buffer.alloc(60_000, 0x80), i);
    expect(heavy.floods()).toBe(1);
  });

  test.each(["rtp", "rtcp"])(
    "streams without end end the connection, however slowly they come (%s)",
    (kind) => {
      // The library keeps something for each stream that it ever decrypted, for as long as the connection lasts.
      const { receiver, floods } = setUp();
      for (let ssrc = 1; ssrc <= 250; ssrc++) {
        const report = writeRtcp({ ssrc, cname: "c", sender: null, blocks: [], bye: null });
        const packet = kind === "rtp" ? rtp(new RtpWriter(ssrc, 1), [1], 0) : report;
        for (let again = 0; again < 3; again++) receiver.onPacket(packet, ssrc * 60_000);
      }
      expect(floods()).toBe(0);
      for (let ssrc = 251; ssrc <= 400; ssrc++)
        receiver.onPacket(rtp(new RtpWriter(ssrc, 1), [1], 0), ssrc * 60_000);
      expect(floods()).toBe(1);
    },
  );

  test("goodbyes of every stream, again and again, do not end the connection or the next words", () => {
    const { receiver, audio, goodbyes } = setUp();
    const writer = new RtpWriter(THEIRS, 5);
    for (let i = 0; i < 100; i++) {
      const nowMs = i * 100;
      receiver.onPacket(writeRtcp({ ssrc: THEIRS, cname: "c", sender: null, blocks: [], bye: "" }), nowMs);
      receiver.onPacket(rtp(writer, [1], i * 4800), nowMs);
    }
    expect(goodbyes()).toBe(0);
    expect(audio).toHaveLength(100);
  });

  test("reports that lie give figures that can be shown", () => {
    const { receiver } = setUp();
    const huge = 0xffff_ffff;
    const block = { ssrc: OWN, fractionLost: 255, cumulativeLost: -1, highestSequence: huge, jitter: huge };
    const delays = { lastSenderReport: huge, delaySinceLastSenderReport: huge };
    const blocks = [{ ...block, ...delays }];
    receiver.onRtcp(writeRtcp({ ssrc: THEIRS, cname: "c", sender: null, blocks, bye: null }), 0);
    const { lossFraction, jitterMs, roundTripMs } = receiver.heard!;
    expect(lossFraction).toBeLessThanOrEqual(1);
    expect(jitterMs).toBe(60_000);
    expect(roundTripMs === null || roundTripMs <= 60_000).toBe(true);
  });
});

test("Receiver hears also who sends redundant packets, once each", () => {
  const { receiver, audio } = setUp();
  const writer = new RtpWriter(THEIRS, 5);
  receiver.onRtp(rtp(writer, [1, 2], 0), 100);
  receiver.onRtp(rtp(writer, [0x80 | 111, 960 >> 6, 0, 2, 111, 1, 2, 3, 4], 960, 63), 120);
  receiver.onRtp(rtp(writer, [111, 5], 1920, 63), 140);
  receiver.onRtp(rtp(writer, [0x80 | 111, 15, 0, 200, 111, 6], 2880, 63), 160);
  expect(audio.map((one) => one.kind === "opus" && [one.timestamp, ...one.payload])).toEqual([
    [0, 1, 2],
    [960, 3, 4],
    [1920, 5],
  ]);
  expect(receiver.dropped).toBe(1);
});

describe("Output", () => {
  test("one packet goes to every listener with that listener's payload type", () => {
    const clock = new FakeClock();
    const output = new Output(clock, new NtpClock(clock), 96_000);
    const got: number[][] = [];
    const listener = (payloadType: number): Listener => ({
      sending: { payloadType, redType: null, redundancy: null },
      send: (packet) => got.push([...packet]),
    });
    const [a, b] = [listener(111), listener(109)];
    output.attach(a);
    output.attach(a);
    output.attach(b);
    output.write({ opus: Uint8Array.of(1, 2), pcm: null, timestamp: 960, marker: true });
    expect(got.map((packet) => packet[1]! & 0x7f)).toEqual([111, 109]);
    const withoutType = got.map((packet) => packet.toSpliced(1, 1));
    expect(withoutType[0]).toEqual(withoutType[1]);
    output.detach(a);
    output.write({ opus: Uint8Array.of(3), pcm: null, timestamp: 1920, marker: false });
    expect(got).toHaveLength(3);
    output.close();
    output.write({ opus: Uint8Array.of(3), pcm: null, timestamp: 2880, marker: false });
    expect(got).toHaveLength(3);
  });

  test("those whose reports asked for it, and who take it, get the packets before along", () => {
    const clock = new FakeClock();
    const output = new Output(clock, new NtpClock(clock), 96_000);
    const got: Record<string, number[]> = {};
    const listener = (name: string, redType: number | null, redundancy: number | null): Listener => ({
      sending: { payloadType: 111, redType, redundancy },
      send: (packet) => (got[name] = [packet[1]!, ...packet.subarray(12)]),
    });
    output.attach(listener("red", 63, 1));
    output.attach(listener("plain", 63, 0));
    output.attach(listener("unable", null, null));
    output.write({ opus: Uint8Array.of(1), pcm: null, timestamp: 960, marker: false });
    expect(got).toEqual({ red: [111, 1], plain: [111, 1], unable: [111, 1] });
    output.write({ opus: Uint8Array.of(2, 3), pcm: null, timestamp: 1920, marker: false });
    // RFC 2198 section 3: 960 units before, one byte.
    const head = [0x80 | 111, 960 >> 6, ((960 & 63) << 2) | 0, 1];
    expect(got).toEqual({ red: [63, ...head, 111, 1, 2, 3], plain: [111, 2, 3], unable: [111, 2, 3] });
    output.close();
  });

  test("a sender report maps the media clock to now, while frames come", () => {
    const clock = new FakeClock();
    const output = new Output(clock, new NtpClock(clock), 96_000);
    expect(output.senderInfo()).toBeNull();
    output.write({ opus: Uint8Array.of(1, 2, 3), pcm: null, timestamp: 2 ** 32 - 48, marker: true });
    clock.tick(10);
    expect(output.senderInfo()).toMatchObject({ timestamp: 432, packets: 1, octets: 3 });
    clock.tick(20_000);
    expect(output.senderInfo()).toBeNull();
  });
});

describe("Liveness", () => {
  test("ten seconds of silence are suspect, from the connection on or the last packet", () => {
    const liveness = new Liveness(() => 0.5);
    expect(liveness.suspect(1e9)).toBe(false);
    liveness.connected(1000);
    expect([liveness.suspect(11_000), liveness.suspect(11_001)]).toEqual([false, true]);
    liveness.heard(9000);
    expect([liveness.suspect(19_000), liveness.suspect(19_001)]).toEqual([false, true]);
  });

  test("the first report comes after a second, the others 2.5 to 7.5 s after each other", () => {
    for (const [chance, interval] of [
      [0, 2500],
      [1, 7500],
    ] as const) {
      const liveness = new Liveness(() => chance);
      expect(liveness.reportDue(1e9)).toBe(false);
      liveness.connected(1000);
      expect([liveness.reportDue(1999), liveness.reportDue(2000), liveness.reportDue(2000)]).toEqual([
        false,
        true,
        false,
      ]);
      expect([liveness.reportDue(1999 + interval), liveness.reportDue(2000 + interval)]).toEqual([
        false,
        true,
      ]);
    }
  });
});
