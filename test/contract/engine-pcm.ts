import { systemClock } from "../../src/base/system-clock.ts";
import type {
  ConnectionStats,
  Engine,
  EngineOutput,
  OwnFrame,
  ReceivedPcm,
} from "../../src/media/engine/engine.ts";
import { dominantFrequency, fromInt16, rmsDb } from "../support/measure.ts";
import { connect, describeConnections, Party, pause, until } from "./engine-behaviour.ts";
import type { ConnectOver } from "./engine-behaviour.ts";

const AMPLITUDE = 0.25;
const SINE_DB = 20 * Math.log10(AMPLITUDE) - 3.01;

/** Writes a tone as a channel does, 20 ms at a time in real time, until stopped. */
export function playPcm(
  output: EngineOutput,
  hertz: number,
  own: () => ReadonlyMap<object, OwnFrame> | undefined = () => undefined,
): { stop(): void } {
  const pcm = new Int16Array(960 * 2);
  const begin = systemClock.now();
  let frames = 0;
  const timer = setInterval(() => {
    while (frames * 20 <= systemClock.now() - begin) {
      for (let i = 0; i < 960; i++) {
        const value = AMPLITUDE * Math.sin((2 * Math.PI * hertz * (frames * 960 + i)) / 48_000);
        pcm.fill(Math.round(32_767 * value), 2 * i, 2 * i + 2);
      }
      output.write({ opus: null, pcm, timestamp: frames * 960, marker: frames === 0, own: own() });
      frames++;
    }
  }, 10);
  return { stop: () => clearInterval(timer) };
}

const LOUD_DB = SINE_DB - 6;
const sounds = ({ samples }: ReceivedPcm): boolean => rmsDb(fromInt16(samples)) > LOUD_DB;
/** The last second, mono. */
function lastSecond(party: Party): Float32Array {
  const parts = party.pcm.slice(-100).map(({ samples, channels }) => {
    const all = fromInt16(samples);
    return all.filter((_, index) => index % channels === 0);
  });
  return Float32Array.from(parts.flatMap((part) => [...part]));
}
const hears = (party: Party): boolean => party.pcm.filter(sounds).length >= 130;

/** Waits until a second of that tone was heard, at its level. A busy machine has some of it concealed, and takes longer. */
export async function expectTone(party: Party, hertz: number): Promise<void> {
  const deadline = systemClock.now() + 20_000;
  for (;;) {
    await until(() => hears(party), `${hertz} Hz is heard`, 20_000);
    const levels = party.pcm.slice(-100).map(({ samples }) => rmsDb(fromInt16(samples)));
    const heard = {
      hertz: dominantFrequency(lastSecond(party), 48_000),
      db: levels.toSorted((a, b) => a - b)[50]!,
    };
    if (Math.abs(heard.hertz - hertz) < 3 && Math.abs(heard.db - SINE_DB) < 1.5) return;
    if (systemClock.now() > deadline) throw new Error(`not ${hertz} Hz: ${JSON.stringify(heard)}`);
    await pause(250);
  }
}

/** What every engine does that takes and gives PCM. */
export function describePcmEngine(
  name: string,
  create: () => Engine | Promise<Engine>,
  connectOver: ConnectOver,
): void {
  describeConnections(name, create);
  describe(`engine ${name} with PCM`, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await create();
    });
    afterAll(() => engine.close());

    test("it says what it takes and gives", () => {
      expect(engine).toMatchObject({ audio: "pcm", hasClock: false });
    });

    test("both sides speak at once, and hear each other as it was said, with times that go on", async () => {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b");
      await connect(a, b);
      const tones = [playPcm(a.output, 440), playPcm(b.output, 1000)];
      try {
        await expectTone(b, 440);
        await expectTone(a, 1000);
      } finally {
        tones.forEach((tone) => tone.stop());
      }
      const heard = b.pcm.slice(b.pcm.findIndex(sounds));
      for (const [i, { samples, channels, sampleRate, timestamp, arrivalMs }] of heard.entries()) {
        expect(sampleRate).toBe(48_000);
        if (i > 0) {
          const before = heard[i - 1]!;
          expect(timestamp).toBe(before.timestamp + before.samples.length / before.channels);
        }
        expect(samples.length).toBe(480 * channels);
        expect(arrivalMs).toBeLessThanOrEqual(systemClock.now());
      }
      const spanMs = heard.at(-1)!.arrivalMs - heard[0]!.arrivalMs;
      // A busy machine delivers late, and all at once; a clock of another rate would be off by as much as there is.
      expect(Math.abs((heard.at(-1)!.timestamp - heard[0]!.timestamp) / 48 - spanMs)).toBeLessThan(700);
      expect(a.states).toEqual(["connecting", "connected"]);
      for (const { connection } of [a, b]) connection.close();
    });

    test("where nobody speaks nothing is heard", async () => {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b");
      await connect(a, b);
      await pause(1500);
      expect(b.pcm).toEqual([]);
      const tone = playPcm(a.output, 440);
      await until(() => hears(b), "it is heard");
      tone.stop();
      await pause(2500);
      const count = b.pcm.length;
      await pause(500);
      expect(b.pcm.length).toBe(count);
      for (const { connection } of [a, b]) connection.close();
    });

    test("one output reaches three listeners, and those that left no more", async () => {
      const output = engine.createOutput();
      const pairs = ["x", "y", "z"].map((label) => ({
        own: new Party(engine, `to ${label}`, { output }),
        peer: new Party(engine, label),
      }));
      await Promise.all(pairs.map(({ own, peer }) => connect(own, peer)));
      const tone = playPcm(output, 440);
      try {
        await Promise.all(pairs.map(({ peer }) => expectTone(peer, 440)));
        pairs[0]!.own.connection.close();
        await until(() => pairs[0]!.peer.states.at(-1) === "closed", "its end is seen");
        const [left, ...others] = pairs.map(({ peer }) => peer.pcm.length);
        await until(
          () => pairs.slice(1).every(({ peer }, i) => peer.pcm.length > others[i]! + 50),
          "they hear on",
        );
        expect(pairs[0]!.peer.pcm).toHaveLength(left!);
      } finally {
        tone.stop();
      }
      for (const { own, peer } of pairs) [own, peer].forEach(({ connection }) => connection.close());
      output.close();
    });

    test("what one listener gets of its own, and then no more, nobody else gets", async () => {
      const output = engine.createOutput();
      const pairs = ["x", "y"].map((label) => ({
        own: new Party(engine, `to ${label}`, { output }),
        peer: new Party(engine, label),
      }));
      await Promise.all(pairs.map(({ own, peer }) => connect(own, peer)));
      const [first, second] = pairs as [(typeof pairs)[0], (typeof pairs)[0]];
      const apart = new Int16Array(960 * 2);
      // 1000 Hz fits into 20 ms.
      for (let i = 0; i < 960; i++)
        apart.fill(
          Math.round(32_767 * AMPLITUDE * Math.sin((2 * Math.PI * 1000 * i) / 48_000)),
          2 * i,
          2 * i + 2,
        );
      let own: ReadonlyMap<object, OwnFrame> | undefined;
      const tone = playPcm(output, 440, () => own);
      try {
        await expectTone(first.peer, 440);
        own = new Map([[first.own.connection, { opus: null, pcm: apart }]]);
        await expectTone(first.peer, 1000);
        await expectTone(second.peer, 440);
        own = undefined;
        await expectTone(first.peer, 440);
        expect(first.peer.states).toEqual(["connecting", "connected"]);
      } finally {
        tone.stop();
      }
      for (const { own: one, peer } of pairs) [one, peer].forEach(({ connection }) => connection.close());
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
      const tone = playPcm(output, 440);
      try {
        await expectTone(b2, 440);
      } finally {
        tone.stop();
      }
      expect(b1.pcm).toEqual([]);
      expect(old.states).toHaveLength(told);
      for (const { connection } of [fresh, b1, b2]) connection.close();
      output.close();
    });

    test("sound that pauses is heard again", async () => {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b");
      await connect(a, b);
      playPcm(a.output, 440).stop();
      const first = playPcm(a.output, 440);
      await until(() => hears(b), "it is heard");
      first.stop();
      await pause(4000);
      const before = b.pcm.length;
      const again = playPcm(a.output, 1000);
      try {
        await until(() => b.pcm.slice(before).some(sounds), "it is heard again");
        await expectTone(b, 1000);
      } finally {
        again.stop();
      }
      for (const { connection } of [a, b]) connection.close();
    });

    test("figures are about what happened, and loss and the kind of the way are told", async () => {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b");
      const unknown = { missedRecently: null, arrivalJitterMs: null, lossRecently: null, lossInAll: null };
      const nothing = { packetsSent: 0, packetsReceived: 0, packetsMissed: 0, lastHeardAtMs: null };
      expect(a.connection.stats()).toMatchObject({ ...unknown, ...nothing, way: null, relayed: null });
      const end = await connectOver(a, b, { loses: (index) => index % 4 === 1, delayMs: 30 });
      const tone = playPcm(a.output, 440);
      try {
        const figures = (): ConnectionStats => a.connection.stats();
        const near = (value: number | null): boolean => Math.abs((value ?? 0) - 0.25) < 0.03;
        await until(
          () => near(figures().lossInAll) && near(figures().lossRecently) && figures().roundTripMs !== null,
          "its loss is told",
          25_000,
        );
        const { packetsSent, packetsSentRecently, reportedAtMs, roundTripMs, jitterMs } = figures();
        expect(packetsSent).toBeGreaterThan(100);
        expect(packetsSentRecently).toBeLessThanOrEqual(packetsSent);
        expect(systemClock.now() - reportedAtMs!).toBeLessThan(10_000);
        expect(roundTripMs).toBeGreaterThan(55);
        expect(jitterMs).not.toBeNull();
        await until(() => near(b.connection.stats().missedRecently), "what was missed is told");
        const received = b.connection.stats();
        expect(Math.abs(received.packetsMissed / received.packetsReceived - 1 / 3)).toBeLessThan(0.05);
        expect(received.arrivalJitterMs).not.toBeNull();
        expect(received.lastHeardAtMs).toBeGreaterThan(systemClock.now() - 3000);
        expect(received).toMatchObject({ lossRecently: null, lossInAll: null, packetsSentRecently: 0 });
        for (const { connection } of [a, b]) {
          expect(connection.stats().relayed).toBe(false);
          expect(Object.values(connection.stats().way!)).not.toContain("relay");
          expect(connection.stats().candidatesUsed).toBeGreaterThan(0);
        }
      } finally {
        tone.stop();
        for (const { connection } of [a, b]) connection.close();
        end();
      }
      expect(a.connection.stats().way).toBeNull();
    }, 40_000);
  });
}
