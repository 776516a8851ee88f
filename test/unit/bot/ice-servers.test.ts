import { createHmac } from "node:crypto";
import { silentLog } from "../../../src/base/log.ts";
import type { LogFields } from "../../../src/base/log.ts";
import { IceServers, turnCredentials } from "../../../src/bot/ice-servers.ts";
import type { IceConfig } from "../../../src/bot/ice-servers.ts";
import { FakeClock, settle } from "../../fakes/clock.ts";
import { FakeHomeserver } from "../../fakes/homeserver.ts";

const TURN = /\/voip\/turnServer$/;
const HOUR = 3_600_000;

function build(answer: () => unknown, config: Partial<IceConfig> = {}) {
  const clock = new FakeClock();
  const homeserver = new FakeHomeserver().on("GET", TURN, answer);
  const lines: [string, LogFields | undefined][] = [];
  const note = (event: string, fields?: LogFields): void => void lines.push([event, fields]);
  let renewals = 0;
  const ice = new IceServers({
    homeserver,
    clock,
    log: { ...silentLog, info: note, warn: note },
    config: {
      ...{ iceAllowPrivate: "auto", iceServers: [], iceTurnSecret: null, icePorts: null },
      ...{ iceAnnounce: [], iceLocalSubnets: [], ...config },
    },
    onRenewed: () => renewals++,
  });
  return { ice, clock, homeserver, lines, renewals: () => renewals };
}

const turn = (password: string, ttl: number): object => ({
  uris: ["turn:turn.test?transport=udp"],
  username: "1:x",
  password,
  ttl,
});

test("the homeserver's servers come after those of the configuration, with everything else that was configured", async () => {
  const { ice } = build(() => turn("one", 600), {
    iceServers: [{ uri: "stun:stun.test" }, { uri: "turn:own.test", username: "u", password: "p" }],
    icePorts: [50_000, 50_010],
    iceAnnounce: ["203.0.113.7"],
    iceLocalSubnets: ["10.1.0.0/16"],
  });
  await ice.start();
  expect(ice.settings()).toEqual({
    servers: [
      { uri: "stun:stun.test" },
      { uri: "turn:own.test", username: "u", password: "p" },
      { uri: "turn:turn.test?transport=udp", username: "1:x", password: "one" },
    ],
    allowPrivate: "auto",
    portRange: [50_000, 50_010],
    announce: ["203.0.113.7"],
    localSubnets: ["10.1.0.0/16"],
  });
  ice.close();
});

test("credentials are renewed before they expire, and nobody reads them in the log", async () => {
  let number = 0;
  const { ice, clock, homeserver, lines, renewals } = build(() => turn(`password-${++number}`, 600));
  await ice.start();
  await clock.advance(479_000);
  expect([homeserver.requests.length, renewals()]).toEqual([1, 1]);
  await clock.advance(2_000);
  expect([homeserver.requests.length, renewals()]).toEqual([2, 2]);
  expect(ice.settings().servers).toMatchObject([{ password: "password-2" }]);
  expect(lines.map(([event]) => event)).toEqual(["turn_renewed", "turn_renewed"]);
  expect(JSON.stringify(lines)).not.toContain("password-");
  ice.close();
  await clock.advance(HOUR);
  expect(homeserver.requests).toHaveLength(2);
  expect(clock.pending).toBe(0);
});

test("a homeserver that fails keeps what there was, is asked again in a minute, and is told of once", async () => {
  let fails = false;
  const { ice, clock, lines, renewals } = build(() => {
    if (fails) throw new Error("down");
    return turn("one", 100);
  });
  await ice.start();
  fails = true;
  await clock.advance(80_000 + 3 * 60_000);
  expect(ice.settings().servers).toMatchObject([{ password: "one" }]);
  expect(lines.filter(([event]) => event === "turn_unavailable")).toHaveLength(1);
  fails = false;
  await clock.advance(60_000);
  expect(renewals()).toBe(2);
  ice.close();
});

test("a homeserver without TURN changes nothing, one with a life of a moment is not asked without end", async () => {
  const without = build(() => ({}));
  await without.ice.start();
  expect(without.renewals()).toBe(0);
  expect(without.ice.settings().servers).toEqual([]);
  without.ice.close();
  const hasty = build(() => turn("x", 0.001));
  await hasty.ice.start();
  await hasty.clock.advance(60_000);
  expect(hasty.homeserver.requests.length).toBeLessThanOrEqual(13);
  hasty.ice.close();
});

test("a slow homeserver does not hold the start for more than a second", async () => {
  const { ice, clock } = build(() => new Promise(() => {}));
  let started = false;
  void ice.start().then(() => (started = true));
  await clock.advance(999);
  expect(started).toBe(false);
  await clock.advance(1);
  expect(started).toBe(true);
  ice.close();
  await settle();
  expect(clock.pending).toBe(0);
});

test("a shared secret makes credentials that expire, and new ones in time", async () => {
  const { ice, clock, renewals } = build(() => ({}), {
    iceServers: [{ uri: "turn:own.test" }, { uri: "turn:other.test", username: "u", password: "p" }],
    iceTurnSecret: "north",
  });
  await ice.start();
  const expiry = (): number => Number(ice.settings().servers[0]!.username!.split(":")[0]) * 1000;
  const first = ice.settings().servers;
  expect(first[1]).toEqual({ uri: "turn:other.test", username: "u", password: "p" });
  expect(first[0]!.password).toBe(createHmac("sha1", "north").update(first[0]!.username!).digest("base64"));
  const firstExpiry = expiry();
  expect(firstExpiry - clock.wall()).toBeGreaterThan(11 * HOUR);
  while (renewals() === 0 && clock.wall() < firstExpiry) await clock.advance(HOUR / 4);
  expect(renewals()).toBe(1);
  expect(clock.wall()).toBeLessThan(firstExpiry - HOUR);
  expect(expiry()).toBeGreaterThan(firstExpiry);
  ice.close();
  expect(clock.pending).toBe(0);
});

test("credentials are the HMAC of their name, as TURN servers compute it", () => {
  // printf '1700000000:voicebot' | openssl dgst -sha1 -hmac north -binary | base64
  expect(turnCredentials("north", 1_700_000_000_999)).toEqual({
    username: "1700000000:voicebot",
    password: "/mIsR8KcqW2jRthiFujcrmyyYP8=",
  });
});
