import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import type { Clock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { createEngine } from "../../src/media/engine/libdatachannel/index.ts";
import {
  connect,
  describeEngine,
  Party,
  pause,
  speak,
  until,
  withoutCandidates,
} from "./engine-behaviour.ts";

describeEngine("libdatachannel", () => createEngine({ clock: systemClock, log: silentLog }));

async function bind(type: "udp4" | "udp6", options: { port: number; address?: string }): Promise<Socket> {
  const socket = createSocket({ type, ipv6Only: type === "udp6" });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(options, resolve);
  });
  return socket;
}

describe("libdatachannel alone", () => {
  test("a peer that falls silent is suspect, and back when it is heard again", async () => {
    let skippedMs = 0;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + skippedMs };
    // Its timers never run, so it sends no reports of its own.
    const mute: Clock = { ...systemClock, timer: () => ({ cancel() {} }) };
    const engine = createEngine({ clock, log: silentLog });
    const other = createEngine({ clock: mute, log: silentLog });
    try {
      const a = new Party(engine, "a");
      const b = new Party(other, "b");
      await connect(b, a);
      skippedMs = 10_500;
      await until(() => a.states.at(-1) === "disconnected", "silence is noticed", 3000);
      await speak(b, 1);
      await until(() => a.states.at(-1) === "connected", "it is heard again", 3000);
      expect(a.states).toEqual(["connecting", "connected", "disconnected", "connected"]);
    } finally {
      await other.close();
      await engine.close();
    }
  });

  test("an allowed candidate is contacted, so that the test of refused ones means something", async () => {
    const socket = await bind("udp4", { port: 0, address: "127.0.0.1" });
    let packets = 0;
    socket.on("message", () => packets++);
    const engine = createEngine({ clock: systemClock, log: silentLog });
    try {
      const a = new Party(engine, "a");
      const b = new Party(engine, "b");
      const { sdp } = withoutCandidates(await a.connection.createOffer());
      const line = `candidate:7 1 udp 2113937151 127.0.0.1 ${socket.address().port} typ host`;
      await b.connection.createAnswer(`${sdp}a=${line}\r\n`);
      await until(() => packets > 0, "a check arrived", 3000);
    } finally {
      socket.close();
      await engine.close();
    }
  });

  test("uses the ports of the range, and says so when none of them is free", async () => {
    const v4 = await bind("udp4", { port: 0 });
    const { port } = v4.address();
    const v6 = await bind("udp6", { port });
    const engine = createEngine({ clock: systemClock, log: silentLog });
    const events = { onState() {}, onCandidate() {}, onAudio() {}, onSenderClock() {} };
    const ice = { servers: [], allowPrivate: "true" as const, portRange: [port, port] as [number, number] };
    const make = (): ReturnType<typeof engine.createConnection> =>
      engine.createConnection(
        { label: "x", output: engine.createOutput(), ice, candidateAllowed: () => true },
        events,
      );
    try {
      const offer = await new Party(engine, "a").connection.createOffer();
      await expect(make().createOffer()).rejects.toMatchObject({ code: "engine_failed", retryable: true });
      await expect(make().createAnswer(offer)).rejects.toMatchObject({ code: "engine_failed" });
      v4.close();
      v6.close();
      const sdp = await make().createOffer();
      const ports = withoutCandidates(sdp).candidates.map((candidate) => Number(candidate.split(" ")[5]));
      expect(ports.length).toBeGreaterThan(0);
      expect(new Set(ports)).toEqual(new Set([port]));
    } finally {
      await engine.close();
    }
  });

  test("an exception of a listener is logged and ends nothing", async () => {
    const errors: unknown[] = [];
    const engine = createEngine({
      clock: systemClock,
      log: { ...silentLog, error: (event, fields) => errors.push([event, fields?.["error"]]) },
    });
    try {
      const boom = new Error("boom");
      const loud = (): never => {
        throw boom;
      };
      const output = engine.createOutput();
      const a = engine.createConnection(
        { label: "a", output, ice: { servers: [], allowPrivate: "true" }, candidateAllowed: () => true },
        { onState: loud, onCandidate: loud, onAudio: loud, onSenderClock: loud },
      );
      const b = new Party(engine, "b");
      await a.acceptAnswer(await b.connection.createAnswer(await a.createOffer()));
      await until(() => b.connected, "it is connected");
      await speak(b, 3);
      output.write({ opus: Uint8Array.of(1), pcm: null, timestamp: 0, marker: true });
      await until(() => b.audio.length === 1, "it still sends");
      await until(() => errors.length >= 5, "every exception was told");
      expect(errors).toContainEqual(["engine_error", boom]);
    } finally {
      await engine.close();
    }
  });

  test("connections can be closed from inside of every callback", async () => {
    const engine = createEngine({ clock: systemClock, log: silentLog });
    try {
      for (const when of ["state", "audio"] as const) {
        const b = new Party(engine, "b");
        let closed = false;
        const a = engine.createConnection(
          {
            label: "a",
            output: engine.createOutput(),
            ice: { servers: [], allowPrivate: "true" },
            candidateAllowed: () => true,
          },
          {
            onState: (state) => {
              if (when === "state" && state === "connected") close();
            },
            onAudio: () => close(),
            onCandidate() {},
            onSenderClock() {},
          },
        );
        const close = (): void => {
          a.close();
          closed = true;
        };
        await a.acceptAnswer(await b.connection.createAnswer(await a.createOffer()));
        if (when === "audio") {
          await until(() => b.connected, "it is connected");
          await speak(b, 2);
        }
        await until(() => closed && b.states.at(-1) === "closed", `it is closed in ${when}`);
      }
      await pause(50);
    } finally {
      await engine.close();
    }
  });
});
