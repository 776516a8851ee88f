import { createSocket } from "node:dgram";
import { systemClock } from "../../src/base/system-clock.ts";
import type {
  ConnectionStats,
  Engine,
  EngineConnection,
  EngineOutput,
  OwnFrame,
  ReceivedOpus,
  ReceivedPcm,
  SenderClock,
} from "../../src/media/engine/engine.ts";
import type { IceSettings, PeerState } from "../../src/media/messages.ts";
import { LossyWay } from "../support/lossy-way.ts";
import type { Way } from "../support/lossy-way.ts";

const FRAME_UNITS = 960;

/** One connection of an engine with everything that it told. */
export class Party {
  readonly output: EngineOutput;
  readonly connection: EngineConnection;
  readonly states: PeerState[] = [];
  readonly audio: ReceivedOpus[] = [];
  readonly pcm: ReceivedPcm[] = [];
  readonly clocks: SenderClock[] = [];
  readonly refused: string[] = [];
  readonly candidates: string[] = [];

  constructor(
    engine: Engine,
    label: string,
    {
      output = engine.createOutput(),
      allowed = () => true,
      ice = { servers: [], allowPrivate: "true" },
    }: { output?: EngineOutput; allowed?: (candidate: string) => boolean; ice?: IceSettings } = {},
  ) {
    this.output = output;
    this.connection = engine.createConnection(
      {
        label,
        output,
        ice,
        candidateAllowed: (candidate) => {
          const yes = allowed(candidate);
          if (!yes) this.refused.push(candidate);
          return yes;
        },
      },
      {
        onState: (state) => this.states.push(state),
        onCandidate: (candidate) => this.candidates.push(candidate),
        onAudio: (audio) => {
          if (audio.kind === "opus") this.audio.push({ ...audio, payload: Uint8Array.from(audio.payload) });
          else this.pcm.push({ ...audio, samples: Int16Array.from(audio.samples) });
        },
        onSenderClock: (clock) => this.clocks.push(clock),
      },
    );
  }

  get connected(): boolean {
    return this.states.at(-1) === "connected";
  }
}

/** Waits (at most `ms`) until `condition` holds. */
export async function until(condition: () => boolean, what: string, ms = 8000): Promise<void> {
  const deadline = systemClock.now() + ms;
  while (!condition()) {
    if (systemClock.now() > deadline) throw new Error(`waited ${ms} ms in vain until ${what}`);
    await pause(5);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export async function connect(offerer: Party, answerer: Party): Promise<void> {
  const offer = await offerer.connection.createOffer();
  const answer = await answerer.connection.createAnswer(offer);
  answerer.connection.answerSent();
  await offerer.connection.acceptAnswer(answer);
  await until(() => offerer.connected && answerer.connected, "both sides are connected");
}

/** Writes `count` frames, one each 4 ms (engines do not pace), whose payload tells their number. */
export async function speak(
  party: Party,
  count: number,
  timestamp = 0,
  own?: (index: number) => ReadonlyMap<object, OwnFrame> | undefined,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const opus = Uint8Array.of(0xfc, i & 0xff, 0xaa, 0x55);
    party.output.write({
      opus,
      pcm: null,
      timestamp: (timestamp + i * FRAME_UNITS) >>> 0,
      marker: i === 0,
      own: own?.(i),
    });
    await pause(4);
  }
}

/** A description without its candidates, and those. */
export function withoutCandidates(sdp: string): { sdp: string; candidates: string[] } {
  const lines = sdp.split("\r\n");
  const isCandidate = (line: string): boolean => line.startsWith("a=candidate:");
  return {
    sdp: lines.filter((line) => !isCandidate(line)).join("\r\n"),
    candidates: lines.filter(isCandidate).map((line) => line.slice(2)),
  };
}

/** Connects two parties over a way that loses and delays; @returns what ends the way. */
export type ConnectOver = (offerer: Party, answerer: Party, way: Way) => Promise<() => void>;

/** For engines with a network: a way between two sockets of this machine. */
export const connectOverLossyWay: ConnectOver = async (a, b, impairment) => {
  const way = await LossyWay.open(impairment);
  const offer = withoutCandidates(await a.connection.createOffer());
  const answer = withoutCandidates(
    await b.connection.createAnswer(`${offer.sdp}a=${way.candidateFor(1)}\r\n`),
  );
  b.connection.answerSent();
  await a.connection.acceptAnswer(`${answer.sdp}a=${way.candidateFor(0)}\r\n`);
  await until(() => a.connected && b.connected, "both sides are connected over the way", 20_000);
  return () => way.close();
};

/** What every engine does, whatever it takes and gives. */
export function describeConnections(name: string, create: () => Engine | Promise<Engine>): void {
  describe(`engine ${name}`, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await create();
    });
    afterAll(() => engine.close());

    test("each side sees that the other one closed", async () => {
      for (const which of ["offerer", "answerer"] as const) {
        const offerer = new Party(engine, "offerer");
        const answerer = new Party(engine, "answerer");
        await connect(offerer, answerer);
        const [closing, other] = which === "offerer" ? [offerer, answerer] : [answerer, offerer];
        closing.connection.close();
        await until(() => other.states.at(-1) === "closed", `the ${which}'s end is seen`);
        await pause(50);
        expect(closing.states.at(-1)).toBe("connected");
        expect(other.states.filter((state) => state === "closed")).toHaveLength(1);
      }
    });

    test.each([
      ["nothing", () => ""],
      ["no description", () => "hello"],
      ["no media", () => "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"],
      ["another codec only", (sdp: string) => sdp.replaceAll("opus/48000/2", "PCMU/8000")],
      ["no encryption", (sdp: string) => sdp.replaceAll("UDP/TLS/RTP/SAVPF", "RTP/AVP")],
      ["no fingerprint", (sdp: string) => sdp.replace(/a=fingerprint:.*\r\n/g, "")],
      ["a cut fingerprint", (sdp: string) => sdp.replace(/(a=fingerprint:sha-256 [0-9A-F:]{20}).*/g, "$1")],
      ["no ICE password", (sdp: string) => sdp.replace(/a=ice-pwd:.*\r\n/g, "")],
      ["too much", (sdp: string) => sdp + "a=x:y\r\n".repeat(8000)],
    ])("a description with %s is refused as bad_sdp", async (_, damage) => {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b");
      const c = new Party(engine, "c");
      const offer = await a.connection.createOffer();
      await expect(b.connection.createAnswer(damage(offer))).rejects.toMatchObject({ code: "bad_sdp" });
      const answer = await c.connection.createAnswer(offer);
      await expect(a.connection.acceptAnswer(damage(answer))).rejects.toMatchObject({ code: "bad_sdp" });
      // The connection that offered still waits for a good one.
      await a.connection.acceptAnswer(answer);
      await until(() => a.connected && c.connected, "the good answer connects");
      for (const { connection } of [a, b, c]) connection.close();
    });

    test("candidates that come before the description are kept for it", async () => {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b");
      const offer = withoutCandidates(await a.connection.createOffer());
      expect(offer.candidates.length).toBeGreaterThan(0);
      for (const candidate of offer.candidates) b.connection.addCandidate(candidate, "0");
      const answer = withoutCandidates(await b.connection.createAnswer(offer.sdp));
      for (const candidate of answer.candidates) a.connection.addCandidate(candidate, null);
      await a.connection.acceptAnswer(answer.sdp);
      await until(() => a.connected && b.connected, "both sides are connected");
      for (const { connection } of [a, b]) connection.close();
    });

    test("candidates that come after the description connect", async () => {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b");
      const offer = withoutCandidates(await a.connection.createOffer());
      const answer = withoutCandidates(await b.connection.createAnswer(offer.sdp));
      await a.connection.acceptAnswer(answer.sdp);
      await pause(100);
      expect([a.connected, b.connected]).toEqual([false, false]);
      for (const candidate of answer.candidates) a.connection.addCandidate(candidate, "0");
      await until(() => a.connected && b.connected, "both sides are connected");
      for (const { connection } of [a, b]) connection.close();
    });

    test("a refused candidate is never contacted, in a description or alone", async () => {
      const socket = createSocket("udp4");
      let packets = 0;
      socket.on("message", () => packets++);
      await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
      const { port } = socket.address();
      try {
        const a = new Party(engine, "a");
        const b = new Party(engine, "b", { allowed: (candidate) => !candidate.includes("127.0.0.1") });
        const { sdp } = withoutCandidates(await a.connection.createOffer());
        const line = `candidate:7 1 udp 2113937151 127.0.0.1 ${port} typ host`;
        await b.connection.createAnswer(`${sdp}a=${line}\r\n`);
        b.connection.answerSent();
        b.connection.addCandidate(line, "0");
        for (const odd of ["", "candidate:", "candidate:1 1 udp 1 x.local 5000 typ host", "x".repeat(5000)])
          b.connection.addCandidate(odd, "0");
        await pause(600);
        expect(packets).toBe(0);
        expect(b.refused.filter((candidate) => candidate.includes(String(port)))).toHaveLength(2);
        for (const { connection } of [a, b]) connection.close();
      } finally {
        socket.close();
      }
    });

    test("candidates that the policy refuses are counted", async () => {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b", { allowed: () => false });
      await b.connection.createAnswer(await a.connection.createOffer());
      b.connection.answerSent();
      b.connection.addCandidate("candidate:9 1 UDP 1 192.0.2.9 5000 typ host", "0");
      await until(() => b.connection.stats().candidatesRefused >= 2, "both were refused");
      expect(b.connection.stats().candidatesUsed).toBe(0);
      for (const { connection } of [a, b]) connection.close();
    });

    test("whatever comes after close is harmless", async () => {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b");
      const offer = await a.connection.createOffer();
      const answering = b.connection.createAnswer(offer);
      b.connection.close();
      await expect(answering).rejects.toMatchObject({ code: "cancelled" });
      a.connection.close();
      a.connection.close();
      a.connection.addCandidate("candidate:1 1 udp 1 192.0.2.77 5000 typ host", "0");
      expect(a.connection.stats().packetsSent).toBe(0);
      await expect(a.connection.createOffer()).rejects.toMatchObject({ code: "engine_failed" });
      await expect(a.connection.acceptAnswer(offer.replace("actpass", "active"))).rejects.toMatchObject({
        code: "engine_failed",
      });
      const frame = {
        ...(engine.audio === "opus"
          ? { opus: Uint8Array.of(1), pcm: null }
          : { opus: null, pcm: new Int16Array(1920) }),
        ...{ timestamp: 0, marker: true },
      };
      a.output.write(frame);
      a.output.close();
      a.output.write(frame);
      const states = a.states.length;
      await pause(50);
      expect(a.states).toHaveLength(states);
      expect(() => new Party(engine, "late", { output: a.output })).toThrow("closed");
    });

    test("a closed engine makes nothing new, and its connections are closed", async () => {
      const other = await create();
      const a = new Party(other, "a");
      const b = new Party(engine, "b");
      await connect(a, b);
      await other.close();
      await other.close();
      await until(() => b.states.at(-1) === "closed", "the end is seen");
      expect(() => other.createOutput()).toThrow("closed");
    });
  });
}

/** What every engine does that takes and gives Opus. */
export function describeEngine(name: string, create: () => Engine, connectOver: ConnectOver): void {
  describeConnections(name, create);
  describe(`engine ${name} with Opus`, () => {
    let engine: Engine;
    beforeAll(() => {
      engine = create();
    });
    afterAll(() => engine.close());

    test("an exchanged offer and answer connect, and frames arrive in order with their times", async () => {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b");
      await connect(a, b);
      // Times wrap at 32 bits.
      const start = 2 ** 32 - 5 * FRAME_UNITS;
      await speak(a, 20, start);
      await until(() => b.audio.length >= 20, "20 frames arrived");
      expect(b.audio.map(({ payload }) => payload[1])).toEqual(Array.from({ length: 20 }, (_, i) => i));
      expect(b.audio.map(({ payload }) => payload.length)).toEqual(Array.from({ length: 20 }, () => 4));
      const first = b.audio[0]!;
      for (const [i, audio] of b.audio.entries()) {
        expect(audio.sequence).toBe((first.sequence + i) & 0xffff);
        expect(audio.timestamp).toBe((start + i * FRAME_UNITS) % 2 ** 32);
        expect(audio.marker).toBe(i === 0);
        expect(audio.ssrc).toBe(first.ssrc);
        expect(audio.arrivalMs).toBeLessThanOrEqual(systemClock.now());
      }
      expect(a.audio).toEqual([]);
      expect(a.states).toEqual(["connecting", "connected"]);
      a.connection.close();
      b.connection.close();
    });

    test("both sides speak at once", async () => {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b");
      await connect(a, b);
      await Promise.all([speak(a, 10), speak(b, 10)]);
      await until(() => a.audio.length === 10 && b.audio.length === 10, "10 frames arrived at each");
      expect(a.audio[0]!.ssrc).not.toBe(b.audio[0]!.ssrc);
      a.connection.close();
      b.connection.close();
    });

    test("one output reaches three listeners with the same packets, and those that left no more", async () => {
      const output = engine.createOutput();
      const pairs = ["x", "y", "z"].map((label) => ({
        own: new Party(engine, `to ${label}`, { output }),
        peer: new Party(engine, label),
      }));
      await Promise.all(pairs.map(({ own, peer }) => connect(own, peer)));
      await speak(pairs[0]!.own, 10);
      await until(() => pairs.every(({ peer }) => peer.audio.length === 10), "all heard 10 frames");
      const [x, y, z] = pairs.map(({ peer }) =>
        peer.audio.map(({ ssrc, sequence, timestamp }) => ({ ssrc, sequence, timestamp })),
      );
      expect(y).toEqual(x);
      expect(z).toEqual(x);
      pairs[0]!.own.connection.close();
      await speak(pairs[1]!.own, 5);
      await until(() => pairs[2]!.peer.audio.length === 15, "the others heard 5 more");
      expect(pairs[0]!.peer.audio).toHaveLength(10);
      for (const { own, peer } of pairs) [own, peer].forEach(({ connection }) => connection.close());
      output.close();
    });

    test("what one listener gets of its own comes in the same stream, and nobody else gets it", async () => {
      const output = engine.createOutput();
      const pairs = ["x", "y"].map((label) => ({
        own: new Party(engine, `to ${label}`, { output }),
        peer: new Party(engine, label),
      }));
      await Promise.all(pairs.map(({ own, peer }) => connect(own, peer)));
      const [first, second] = pairs as [(typeof pairs)[0], (typeof pairs)[0]];
      const apart = (i: number): Uint8Array => Uint8Array.of(0xfc, i, 0x11, 0x22, 0x33);
      await speak(first.own, 30, 0, (i) =>
        i < 10 || i >= 20 ? undefined : new Map([[first.own.connection, { opus: apart(i), pcm: null }]]),
      );
      await until(() => pairs.every(({ peer }) => peer.audio.length === 30), "both heard 30 frames");
      const numbers = ({ peer }: (typeof pairs)[0]): unknown[] =>
        peer.audio.map(({ ssrc, sequence, timestamp, marker }) => ({ ssrc, sequence, timestamp, marker }));
      expect(numbers(first)).toEqual(numbers(second));
      const common = (i: number): Uint8Array => Uint8Array.of(0xfc, i, 0xaa, 0x55);
      expect(second.peer.audio.map(({ payload }) => payload)).toEqual(
        Array.from({ length: 30 }, (_, i) => common(i)),
      );
      expect(first.peer.audio.map(({ payload }) => payload)).toEqual(
        Array.from({ length: 30 }, (_, i) => (i < 10 || i >= 20 ? common(i) : apart(i))),
      );
      for (const { own, peer } of pairs) [own, peer].forEach(({ connection }) => connection.close());
      output.close();
    });

    test("a connection that replaces another is heard; the replaced one says nothing any more", async () => {
      const output = engine.createOutput();
      const old = new Party(engine, "old", { output });
      const b1 = new Party(engine, "b1");
      await connect(old, b1);
      old.connection.close();
      const told = old.states.length;
      const fresh = new Party(engine, "fresh", { output });
      const b2 = new Party(engine, "b2");
      await connect(fresh, b2);
      await speak(fresh, 10);
      await until(() => b2.audio.length === 10, "the new connection hears");
      expect(b1.audio).toEqual([]);
      expect(old.states).toHaveLength(told);
      for (const { connection } of [fresh, b1, b2]) connection.close();
      output.close();
    });

    test("figures are about what happened", async () => {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b");
      const nothing: Partial<ConnectionStats> = { packetsSent: 0, packetsReceived: 0, packetsMissed: 0 };
      expect(a.connection.stats()).toMatchObject({ ...nothing, lossFraction: null, lastHeardAtMs: null });
      await connect(a, b);
      const before = systemClock.now();
      await speak(a, 50);
      await until(() => b.audio.length === 50, "50 frames arrived");
      expect(a.connection.stats().packetsSent).toBe(50);
      expect(b.connection.stats()).toMatchObject({ packetsSent: 0, packetsReceived: 50, packetsMissed: 0 });
      expect(b.connection.stats().lastHeardAtMs).toBeGreaterThanOrEqual(before);
      await until(() => a.connection.stats().lossFraction !== null, "a report about the stream came", 12_000);
      expect(a.connection.stats().lossFraction).toBe(0);
      for (const { connection } of [a, b]) connection.close();
    });

    test("loss is told by both sides, lately and in all, and the round trip and kind of the way", async () => {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b");
      const unknown = { missedRecently: null, arrivalJitterMs: null, lossRecently: null, lossInAll: null };
      expect(a.connection.stats()).toMatchObject({
        ...unknown,
        reportedAtMs: null,
        way: null,
        relayed: null,
      });
      const end = await connectOver(a, b, { loses: (index) => index % 4 === 1, delayMs: 30 });
      try {
        // A report about everything comes seconds after it, and a round trip needs one of each side.
        const figures = (): ConnectionStats => a.connection.stats();
        const deadline = systemClock.now() + 25_000;
        await speak(a, 200);
        while (Math.abs((figures().lossInAll ?? 0) - 0.25) > 0.01 || figures().roundTripMs === null) {
          if (systemClock.now() > deadline) throw new Error(`in vain: ${JSON.stringify(figures())}`);
          await speak(a, 4);
          await pause(100);
        }
        const { packetsSent, packetsSentRecently, lossRecently, reportedAtMs, roundTripMs } = figures();
        expect(packetsSentRecently).toBeGreaterThanOrEqual(200);
        expect(packetsSentRecently).toBeLessThanOrEqual(packetsSent);
        expect(Math.abs(lossRecently! - 0.25)).toBeLessThan(0.02);
        expect(systemClock.now() - reportedAtMs!).toBeLessThan(10_000);
        expect(roundTripMs).toBeGreaterThan(55);
        expect(roundTripMs).toBeLessThan(1000);
        await until(() => b.audio.length === packetsSent * 0.75, "what was not lost arrived");
        const received = b.connection.stats();
        expect(received).toMatchObject({
          packetsReceived: packetsSent * 0.75,
          packetsMissed: packetsSent / 4,
        });
        expect(Math.abs(received.missedRecently! - 0.25)).toBeLessThan(0.02);
        expect(received.arrivalJitterMs).not.toBeNull();
        // Of the direction in which nothing was said nothing is known.
        expect(received).toMatchObject({ lossRecently: null, lossInAll: null, packetsSentRecently: 0 });
        expect(figures()).toMatchObject({ missedRecently: null, packetsMissed: 0 });
        for (const { connection } of [a, b]) {
          expect(connection.stats().relayed).toBe(false);
          expect(Object.values(connection.stats().way!)).not.toContain("relay");
          expect(connection.stats().candidatesUsed).toBeGreaterThan(0);
        }
      } finally {
        for (const { connection } of [a, b]) connection.close();
        end();
      }
      expect(a.connection.stats().way).toBeNull();
    }, 40_000);
  });
}
