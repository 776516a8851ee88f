import { createSocket, type Socket } from "node:dgram";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/base/system-clock.ts";
import type { Check, Finding } from "../../../src/check/check.ts";
import { account } from "../../../src/check/checks/account.ts";
import { judge, withoutAnnounced } from "../../../src/check/checks/addresses.ts";
import { clock } from "../../../src/check/checks/clock.ts";
import { configuration } from "../../../src/check/checks/configuration.ts";
import { data } from "../../../src/check/checks/data.ts";
import { judgeLibraries } from "../../../src/check/checks/engine.ts";
import { ffmpeg, lacking } from "../../../src/check/checks/ffmpeg.ts";
import { ytdlp } from "../../../src/check/checks/ytdlp.ts";
import { homeserver } from "../../../src/check/checks/homeserver.ts";
import { instance } from "../../../src/check/checks/instance.ts";
import { media } from "../../../src/check/checks/media.ts";
import { ports } from "../../../src/check/checks/ports.ts";
import { rateLimit } from "../../../src/check/checks/rate-limit.ts";
import { rooms } from "../../../src/check/checks/rooms.ts";
import { stun } from "../../../src/check/checks/stun.ts";
import { turn } from "../../../src/check/checks/turn.ts";
import type { CheckContext } from "../../../src/check/context.ts";
import type { Versions } from "../../../src/check/versions.ts";
import { HomeserverError } from "../../../src/matrix/homeserver.ts";
import { FakeHomeserver } from "../../fakes/homeserver.ts";

const BOT = "@bot:test";
const NOW = 1_700_000_000_000;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "voicebot-check-"));
});
afterAll(() => rm(folder, { recursive: true }));

const versions: Versions = {
  ...{ versions: ["r0.6.1", "v1.1", "v1.12"], unstable: { "org.matrix.msc4140": true }, tookMs: 12 },
  ...{ clockOffsetMs: 300, clockErrorMs: 510 },
};

function context(more: Partial<CheckContext> & { server?: FakeHomeserver } = {}): CheckContext {
  const { server = new FakeHomeserver(), ...rest } = more;
  return {
    config: { homeserverUrl: "http://hs.test", accessToken: "x", deviceName: null },
    problems: [],
    clock: { ...systemClock, wall: () => NOW },
    signal: new AbortController().signal,
    versions: () => Promise.resolve(versions),
    homeserver: () => Promise.resolve(server),
    identity: () => Promise.resolve({ userId: BOT, deviceId: "DEV" }),
    admin: () => Promise.resolve(null),
    ice: () => ({ allowPrivate: "true" }),
    configuredServers: () => [],
    offeredServers: () => Promise.resolve([]),
    running: () => Promise.resolve(false),
    ...rest,
  };
}

async function look(check: Check, more: Parameters<typeof context>[0] = {}): Promise<string[]> {
  const found: Finding[] = [await check.run(context(more))].flat();
  for (const { verdict, todo } of found) {
    if (verdict === "fail") expect(todo).toMatch(/\S/);
  }
  return found.map(({ verdict, what }) => `${verdict} ${what}`);
}
const matching = (...patterns: RegExp[]): unknown[] =>
  patterns.map((pattern) => expect.stringMatching(pattern));

test("each problem of the configuration is a finding of its own", async () => {
  expect(await look(configuration)).toEqual(["ok all settings are right"]);
  const problems = [
    { key: "A", problem: "is not set", hint: "Set it." },
    { key: "B", problem: "is wrong", hint: "Mend it." },
  ];
  expect(await look(configuration, { problems })).toEqual(["fail A is not set", "fail B is wrong"]);
});

test("the homeserver tells its newest version and whether it has delayed events", async () => {
  expect(await look(homeserver)).toEqual([
    "ok http://hs.test answers in 12 ms, speaks up to v1.12, offers delayed events",
  ]);
  const away = (): Promise<never> => Promise.reject(new Error("not reachable"));
  expect(await look(homeserver, { versions: away })).toEqual(["fail http://hs.test: not reachable"]);
  await expect(homeserver.run(context({ config: {} }))).rejects.toThrow("its settings are wrong");
});

test.each([
  [4_000, /^ok no more than 4\.0 s/],
  [5_400, /^ok/],
  [6_000, /^warn 6\.0 s behind the homeserver/],
  [-60_000, /^warn 60\.0 s ahead of/],
])("a clock that is %i ms off", async (clockOffsetMs, expected) => {
  const off = { ...versions, clockOffsetMs };
  expect(await look(clock, { versions: () => Promise.resolve(off) })).toEqual(matching(expected));
});

test("a clock that nobody tells is not looked at", async () => {
  const none = { versions: () => Promise.resolve({ ...versions, clockOffsetMs: null }) };
  await expect(clock.run(context(none))).rejects.toThrow("no date");
});

test("whose the token is, and that one is refused", async () => {
  const none = { config: { homeserverUrl: "http://hs.test", accessToken: null, userId: null } };
  await expect(account.run(context(none))).rejects.toThrow("no account is configured");
  expect(await look(account)).toEqual(["ok @bot:test, device DEV"]);
  const bare = { identity: () => Promise.resolve({ userId: BOT, deviceId: null }) };
  expect(await look(account, bare)).toEqual(["warn @bot:test, without a device"]);
  const refused = new HomeserverError(401, "M_UNKNOWN_TOKEN", "Invalid", null);
  const [finding] = [await account.run(context({ identity: () => Promise.reject(refused) }))].flat();
  expect(finding).toMatchObject({ verdict: "fail", todo: expect.stringContaining("log in again") });
});

describe("another bot with the same account", () => {
  const serving = (join_state: string, ageMs: number, state_key = `DEV${BOT}`): FakeHomeserver =>
    new FakeHomeserver()
      .on("GET", /joined_rooms$/, () => ({ joined_rooms: ["!r:test"] }))
      .on("GET", /rooms\/.*\/state$/, () => [
        { type: "m.room.create", state_key: "", origin_server_ts: 1, content: {} },
        {
          ...{ type: "de.mtorials.test.callstate", state_key, content: { join_state } },
          origin_server_ts: NOW - ageMs,
        },
      ]);

  test("shows by its fresh entry in a channel", async () => {
    const server = serving("JOINED", 9_000);
    expect(await look(instance, { server })).toEqual(matching(/^fail .*DEV@bot:test was refreshed 9 s ago/));
    // It is ours.
    expect(await look(instance, { server, running: () => Promise.resolve(true) })).toEqual([
      "ok a bot is running with this data folder",
    ]);
  });

  test.each([
    ["JOINED", 60_000, `DEV${BOT}`],
    ["LEFT", 1_000, `DEV${BOT}`],
    ["JOINED", 1_000, "DEV@other:test"],
  ])("is not %s of %i ms ago by %s", async (state, ageMs, key) => {
    expect(await look(instance, { server: serving(state, ageMs, key) })).toEqual(matching(/^ok no bot/));
  });
});

test("the rate limit is asked for with an administrator's token, and else it says how", async () => {
  const todo = async (more: Partial<CheckContext>): Promise<string> =>
    [await rateLimit.run(context(more))].flat().map(({ todo: text = "" }) => text)[0] ?? "";
  expect(await look(rateLimit)).toEqual(matching(/^warn not known/));
  const call =
    'POST /_synapse/admin/v1/users/%40bot%3Atest/override_ratelimit {"messages_per_second":0,"burst_count":0}';
  expect(await todo({})).toContain(call);
  const answering = (answer: unknown): Partial<CheckContext> => ({
    admin: () => Promise.resolve(new FakeHomeserver().on("GET", /override_ratelimit$/, () => answer)),
  });
  const exempt = answering({ messages_per_second: 0, burst_count: 0 });
  expect(await look(rateLimit, exempt)).toEqual(["ok @bot:test is exempt"]);
  expect(await look(rateLimit, answering({}))).toEqual(matching(/^warn @bot:test is limited/));
  expect(await todo(answering({}))).toContain(call);
});

describe("rooms", () => {
  const room = (levels: object, encrypted = false): FakeHomeserver => {
    const none = (): never => {
      throw new HomeserverError(404, "M_NOT_FOUND", "none", null);
    };
    return new FakeHomeserver()
      .on("GET", /joined_rooms$/, () => ({ joined_rooms: ["!r:test"] }))
      .on("GET", /m\.room\.create/, () => ({
        ...{ event_id: "$c", type: "m.room.create", sender: "@host:test", state_key: "" },
        ...{ origin_server_ts: 1, content: { room_version: "11" } },
      }))
      .on("GET", /m\.room\.power_levels/, () => levels)
      .on("GET", /m\.room\.encryption/, () => (encrypted ? { algorithm: "m.megolm" } : none()))
      .on("GET", /m\.room\.name/, () => ({ name: "Voice\u202e" }))
      .on("GET", /m\.room\.member/, () => ({ membership: "join" }));
  };
  const open = { events: { "de.mtorials.test.callstate": 0 } };

  test("where all may be sent", async () => {
    expect(await look(rooms, { server: room(open) })).toEqual(["ok Voice (!r:test): nothing is missing"]);
  });

  test("where the bot, or members, may not", async () => {
    const strict = { events: { "de.mtorials.test.callstate": 50 }, users: { [BOT]: 0 } };
    expect(await look(rooms, { server: room(strict) })).toEqual([
      "fail Voice (!r:test): sending de.mtorials.test.callstate needs level 50, the bot has 0",
      "warn Voice (!r:test): sending de.mtorials.test.callstate needs level 50, ordinary members have 0",
    ]);
    expect(await look(rooms, { server: room(open, true) })).toEqual(matching(/^warn .*is encrypted/));
  });

  test("none, and one that cannot be read", async () => {
    const none = new FakeHomeserver().on("GET", /joined_rooms$/, () => ({ joined_rooms: [] }));
    expect(await look(rooms, { server: none })).toEqual(["warn the bot is in no room"]);
    const broken = new FakeHomeserver()
      .on("GET", /joined_rooms$/, () => ({ joined_rooms: ["!r:test"] }))
      .on("GET", /state/, () => {
        throw new HomeserverError(500, "M_UNKNOWN", "broken", null);
      });
    expect(await look(rooms, { server: broken })).toEqual(matching(/^warn !r:test: M_UNKNOWN/));
  });
});

describe("ffmpeg", () => {
  const script = async (name: string, body: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\n${body}\n`);
    await chmod(path, 0o755);
    return path;
  };

  test("what it lacks is read of its lists", () => {
    const list =
      " A....D mp3float             MP3\n  D  mov,mp4,m4a,3gp  QuickTime\n DE ogg             Ogg\n";
    expect(lacking([["mp3float", "mp3"], ["mp4"], ["ogg"], ["flac"]], list)).toEqual(["flac"]);
  });

  test("missing, broken, poor", async () => {
    expect(await look(ffmpeg, { config: { ffmpegPath: join(folder, "none") } })).toEqual(
      matching(/^fail no usable ffmpeg/),
    );
    const broken = await script("broken", "exit 3");
    expect(await look(ffmpeg, { config: { ffmpegPath: broken } })).toEqual(matching(/^fail .* does not run/));
    const poor = await script(
      "poor",
      'echo "ffmpeg version 9.9 x"; echo " D  mp3    MP3"; echo " E ogg  Ogg"',
    );
    expect(await look(ffmpeg, { config: { ffmpegPath: poor } })).toEqual(
      matching(/^fail .*poor 9\.9 lacks libopus, s16le, ffmetadata/),
    );
  });
});

test("yt-dlp is no lack unless somebody wants it; an old one is", async () => {
  const path = join(folder, "yt-dlp");
  const version = async (text: string): Promise<string> => {
    await writeFile(path, `#!/bin/sh\necho ${text}\n`);
    await chmod(path, 0o755);
    return path;
  };
  const of = (ytdlpPath: string | null): Promise<string[]> => look(ytdlp, { config: { ytdlpPath } });
  expect(await of("off")).toEqual(matching(/^ok switched off/));
  expect(await of(join(folder, "none"))).toEqual(matching(/^warn no yt-dlp/));
  expect(await of(await version("2020.01.02"))).toEqual(
    matching(/^warn .*yt-dlp 2020\.01\.02, \d+ days old/),
  );
  expect(await of(await version("2099.01.02"))).toEqual(matching(/^ok .*yt-dlp 2099\.01\.02, 0 days old/));
});

test("the media folder is counted", async () => {
  const mediaDir = join(folder, "media");
  expect(await look(media, { config: { mediaDir } })).toEqual(matching(/^warn .*ENOENT/));
  await mkdir(mediaDir);
  expect(await look(media, { config: { mediaDir } })).toEqual(matching(/^warn .* has no files to play$/));
  await writeFile(join(mediaDir, "a.mp3"), "");
  await writeFile(join(mediaDir, "b.txt"), "");
  expect(await look(media, { config: { mediaDir } })).toEqual(matching(/^ok .* has 1 files to play$/));
});

test("the data folder is judged by rights, space and speed, and left as it was", async () => {
  const dataDir = join(folder, "data");
  expect(await look(data, { config: { dataDir } })).toEqual(matching(/^ok .* is not there yet/));
  await mkdir(dataDir, { mode: 0o700 });
  const well = matching(/^ok .* has mode 700$/, /GB free/, /^(ok|warn) a write of 16 KB .* \d+\.\d ms$/);
  expect(await look(data, { config: { dataDir } })).toEqual(well);
  await chmod(dataDir, 0o755);
  expect((await look(data, { config: { dataDir } }))[0]).toMatch(/^warn .* has mode 755: others/);
  expect(await readdir(dataDir)).toEqual([]);
  await writeFile(join(dataDir, "file"), "");
  expect(await look(data, { config: { dataDir: join(dataDir, "file") } })).toEqual(
    matching(/^fail .* is not a folder$/),
  );
});

async function bound(): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { socket, port: socket.address().port };
}

test("ports of the range that are taken are noticed", async () => {
  const { socket, port } = await bound();
  try {
    const config = { icePorts: [port, port] as const };
    expect(await look(ports, { config })).toEqual([`fail 0 of 1 UDP ports from ${port} to ${port} are free`]);
    // They may be the bot's own.
    expect(await look(ports, { config, running: () => Promise.resolve(true) })).toEqual(
      matching(/^ok 0 of 1/),
    );
  } finally {
    socket.close();
  }
  expect(await look(ports, { config: { icePorts: null } })).toEqual(matching(/^ok any free port/));
});

test.each([
  ["198.51.100.7", null, /^fail .*example/],
  ["127.0.0.1", null, /^fail .*nowhere/],
  ["192.168.1.2", null, /^warn .*is private/],
  ["93.184.216.34", "93.184.216.34", /^ok .*as a server outside sees it/],
  ["93.184.216.34", "93.184.216.35", /^warn .*sees this machine at 93.184.216.35/],
  ["93.184.216.34", null, /^ok/],
  // A server inside says nothing about outside.
  ["93.184.216.34", "10.0.0.2", /^ok/],
  ["2606:2800:220:1::1", "93.184.216.34", /^ok/],
])("announcing %s when a server sees %s", (address, seen, expected) => {
  const { verdict, what } = judge(address, seen);
  expect(`${verdict} ${what}`).toMatch(expected);
});

test.each([
  [["93.184.216.34", "10.0.0.2"], null, /^ok members reach/],
  [["10.0.0.2"], null, /^warn this machine has only private addresses/],
  [["10.0.0.2"], "93.184.216.34", /^ok .*outside it is seen at 93/],
  [["10.0.0.2"], "10.0.0.2", /^warn/],
  [[], null, /^warn .*loopback/],
])("announcing nothing with %j", (own, seen, expected) => {
  const { verdict, what } = withoutAnnounced(own, seen);
  expect(`${verdict} ${what}`).toMatch(expected);
});

test("a STUN server that answers tells our address, also after the first packet was lost", async () => {
  const { socket, port } = await bound();
  let packets = 0;
  socket.on("message", (request, from) => {
    if (++packets === 1) return;
    socket.send(Buffer.from("not STUN"), from.port, from.address);
    // XOR-MAPPED-ADDRESS of 192.0.2.1 (RFC 5769 section 2.2).
    const value = Buffer.from("002000080001a147e112a643", "hex");
    const header = Buffer.from(request.subarray(0, 20));
    header.writeUInt16BE(0x0101, 0);
    header.writeUInt16BE(value.length, 2);
    socket.send(Buffer.concat([header, value]), from.port, from.address);
  });
  try {
    const configuredServers = (): { uri: string }[] => [{ uri: `stun:127.0.0.1:${port}` }];
    expect(await look(stun, { configuredServers })).toEqual([
      `ok stun:127.0.0.1:${port} sees this machine at 192.0.2.1`,
    ]);
  } finally {
    socket.close();
  }
  expect(await look(stun)).toEqual(matching(/^ok none is configured/));
});

test("no TURN server, and one that the engine cannot use", async () => {
  expect(await look(turn)).toEqual(["warn there is no TURN server"]);
  const offeredServers = (): Promise<never> => Promise.reject(new Error("503"));
  expect(await look(turn, { offeredServers })).toEqual(["skip what the homeserver offers is not known: 503"]);
  const configuredServers = (): { uri: string }[] => [{ uri: "turns:turn.test" }];
  expect(await look(turn, { configuredServers })).toEqual(
    matching(/^warn turns:turn\.test is not used: only/),
  );
});

describe("of the WebRTC libraries", () => {
  const loads = { kind: "load", engine: "x", tookMs: 80, opusProblem: null } as const;
  const died = { kind: "died", why: "invalid ELF header" } as const;
  const judge = (policy: "auto" | "libdatachannel" | "wrtc", first: boolean, second: boolean): string[] =>
    judgeLibraries(policy, [
      { name: "libdatachannel", result: first ? loads : died },
      { name: "wrtc", result: second ? loads : died },
    ]).map(({ verdict, what }) => `${verdict} ${what}`);
  const dead = (name: string): string => `${name} does not load: invalid ELF header`;

  test("the first that loads is used, and one is enough", () => {
    expect(judge("auto", true, true)).toEqual([
      "ok libdatachannel loads in 80 ms, and is used",
      "ok wrtc loads in 80 ms",
    ]);
    expect(judge("auto", true, false)).toEqual([
      "ok libdatachannel loads in 80 ms, and is used",
      `skip ${dead("wrtc")} (it is not needed)`,
    ]);
    expect(judge("auto", false, true)).toEqual([
      `warn ${dead("libdatachannel")}; wrtc is used instead`,
      "ok wrtc loads in 80 ms, and is used",
    ]);
    expect(judge("auto", false, false)).toEqual([`fail ${dead("libdatachannel")}`, `fail ${dead("wrtc")}`]);
  });

  test("the one that is asked for has to load", () => {
    expect(judge("wrtc", true, true)).toEqual([
      "ok libdatachannel loads in 80 ms",
      "ok wrtc loads in 80 ms, and is used",
    ]);
    expect(judge("wrtc", true, false)[1]).toBe(`fail ${dead("wrtc")}`);
    expect(judge("libdatachannel", false, true)[0]).toBe(`fail ${dead("libdatachannel")}`);
  });
});
