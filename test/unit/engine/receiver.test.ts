import type { ReceivedAudio, SenderClock } from "../../../src/media/engine/engine.ts";
import { Liveness } from "../../../src/media/engine/libdatachannel/liveness.ts";
import { NtpClock, Output } from "../../../src/media/engine/libdatachannel/output.ts";
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
  ntp: { ms: number };
} {
  const audio: ReceivedAudio[] = [];
  const clocks: SenderClock[] = [];
  const ntp = { ms: 1_700_000_000_000 };
  let goodbyes = 0;
  const receiver = new Receiver({
    payloadType: 111,
    levelExtension: 1,
    declared: [THEIRS],
    ownSsrc: OWN,
    onGoodbye: () => goodbyes++,
    ntpNow: () => ntp.ms,
    events: { onAudio: (one) => audio.push(one), onSenderClock: (clock) => clocks.push(clock) },
  });
  return { receiver, audio, clocks, goodbyes: () => goodbyes, ntp };
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

describe("Output", () => {
  test("one packet goes to every listener with that listener's payload type", () => {
    const clock = new FakeClock();
    const output = new Output(clock, new NtpClock(clock), 96_000);
    const got: number[][] = [];
    const listener = (sendPayloadType: number): { sendPayloadType: number; send(packet: Buffer): void } => ({
      sendPayloadType,
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
