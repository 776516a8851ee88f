import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import type { Clock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import type { Log, LogFields } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { createEngine } from "../../src/media/engine/libdatachannel/index.ts";
import {
  connect,
  connectOverLossyWay,
  describeEngine,
  Party,
  pause,
  speak,
  until,
  withoutCandidates,
} from "./engine-behaviour.ts";

const localIce = { servers: [], allowPrivate: "true" as const };

/** A log that keeps its warnings. */
function told(): { events: Log; lines: [string, LogFields | undefined][] } {
  const lines: [string, LogFields | undefined][] = [];
  return { lines, events: { ...silentLog, warn: (event, fields) => void lines.push([event, fields]) } };
}

/** Two neighbouring ports that nobody has in this moment. */
async function freePair(): Promise<{ port: number }> {
  for (;;) {
    const first = await bind("udp4", { port: 0 });
    const { port } = first.address();
    const second = await bind("udp4", { port: port + 1 }).catch(() => null);
    first.close();
    second?.close();
    if (second) return { port };
  }
}

function addressesOf(sdp: string): { address: string; port: number }[] {
  return withoutCandidates(sdp).candidates.map((line) => {
    const [, , , , address = "", port] = line.split(" ");
    return { address, port: Number(port) };
  });
}

describeEngine(
  "libdatachannel",
  () => createEngine({ clock: systemClock, log: silentLog }),
  connectOverLossyWay,
);

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
      // Our answer may have to wait for the rate limit: the other side does not know us yet.
      await pause(500);
      expect(packets).toBe(0);
      b.connection.answerSent();
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

  test("with fewer ports than members the others are refused, and nothing else suffers", async () => {
    const { events, lines } = told();
    const engine = createEngine({ clock: systemClock, log: events });
    const other = createEngine({ clock: systemClock, log: silentLog });
    const { port } = await freePair();
    const ice = { ...localIce, portRange: [port, port + 1] as [number, number] };
    try {
      // Half of them offer, half are offered to, all at once.
      const members = ["a", "b", "c", "d"].map((name, index) => ({
        offers: index % 2 === 0,
        own: new Party(engine, `to ${name}`, { ice }),
        peer: new Party(other, name),
      }));
      const results = await Promise.allSettled(
        members.map(({ offers, own, peer }) => (offers ? connect(peer, own) : connect(own, peer))),
      );
      const failed = results.filter((result) => result.status === "rejected");
      expect(failed).toHaveLength(2);
      for (const { reason } of failed)
        expect(reason).toMatchObject({
          code: "engine_failed",
          retryable: true,
          message: expect.stringContaining("UDP port"),
        });
      expect(lines.filter(([event]) => event === "ice_ports_used_up")).toHaveLength(1);
      const happy = members.filter(({ own, peer }) => own.connected && peer.connected);
      expect(happy).toHaveLength(2);
      // Who leaves makes room, also when the next one asks in the same moment.
      happy[0]!.own.connection.close();
      const late = new Party(engine, "late", { ice });
      await connect(late, new Party(other, "late peer"));
      await speak(happy[1]!.own, 5);
      await until(() => happy[1]!.peer.audio.length === 5, "who was there still hears");
    } finally {
      await other.close();
      await engine.close();
    }
  });

  test("announces the configured addresses of a family instead of its own, with the ports that it has", async () => {
    const engine = createEngine({ clock: systemClock, log: silentLog });
    try {
      const announce = ["203.0.113.7", "203.0.113.8"];
      const { connection } = new Party(engine, "a", { ice: { ...localIce, announce } });
      const plain = new Party(engine, "b");
      const answer = await plain.connection.createAnswer(await connection.createOffer());
      const offered = addressesOf(
        await new Party(engine, "c", { ice: { ...localIce, announce } }).connection.createOffer(),
      );
      const ipv4 = offered.filter(({ address }) => !address.includes(":"));
      expect(ipv4.map(({ address }) => address)).toEqual(announce);
      expect(new Set(ipv4.map(({ port }) => port)).size).toBe(1);
      const ipv6 = (list: { address: string }[]): string[] =>
        list.map(({ address }) => address).filter((address) => address.includes(":"));
      expect(ipv6(offered)).toEqual(ipv6(addressesOf(answer)));
    } finally {
      await engine.close();
    }
  });

  test("tells once of servers that it cannot use, without their credentials", async () => {
    const { events, lines } = told();
    const engine = createEngine({ clock: systemClock, log: events });
    const servers = [
      { uri: "turns:secure.test", username: "u", password: "hunter2" },
      { uri: "turn:tcp.test?transport=tcp", username: "u", password: "hunter2" },
      { uri: "stun:127.0.0.1:9" },
      { uri: "stun:second.test" },
      { uri: "http://no.test" },
    ];
    try {
      for (let i = 0; i < 3; i++)
        new Party(engine, "x", { ice: { ...localIce, servers } }).connection.close();
      expect(lines.map(([event, fields]) => [event, fields?.["uri"]])).toEqual(
        [0, 1, 3, 4].map((index) => ["ice_server_unused", servers[index]!.uri]),
      );
      expect(JSON.stringify(lines)).not.toContain("hunter2");
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
