import { deviceNameFrom, loadConfig, type LoadedConfig } from "../../../src/config/config.ts";
import { SETTINGS } from "../../../src/config/settings.ts";

const least = {
  VOICEBOT_HOMESERVER_URL: "https://matrix.example.org/",
  VOICEBOT_ACCESS_TOKEN: "syt_secret_token",
};

const load = (env: Record<string, string>): LoadedConfig => loadConfig({ env });

function problemsOf(env: Record<string, string>): Record<string, string> {
  const loaded = load({ ...least, ...env });
  if (loaded.ok) throw new Error("was accepted");
  return Object.fromEntries(loaded.problems.map(({ key, problem, hint }) => [key, `${problem} | ${hint}`]));
}

test("two variables are enough, the rest has defaults", () => {
  expect(load({ ...least, PATH: "/bin" })).toEqual({
    ok: true,
    config: {
      homeserverUrl: "https://matrix.example.org",
      accessToken: "syt_secret_token",
      adminToken: null,
      userId: null,
      password: null,
      deviceName: null,
      dataDir: "./data",
      mediaDir: "./media",
      commandPrefix: "!",
      invitesAllow: null,
      iceAllowPrivate: "auto",
      iceServers: [],
      iceTurnSecret: null,
      icePorts: null,
      iceAnnounce: [],
      iceLocalSubnets: [],
      engine: "auto",
      mediaChildren: null,
      loudnessScanPercent: 15,
      logLevel: "info",
      logFormat: "auto",
      ffmpegPath: null,
      healthListen: null,
      recordingsKeepDays: 30,
      recordingsMaxBytes: 20e9,
      radioStations: [],
      ytdlpPath: null,
      ytdlpSearch: "ytsearch",
      fetchHttp: false,
      fetchAllow: [],
      fetchMaxBytes: 500e6,
      cacheMaxBytes: 2e9,
    },
  });
});

test("every default passes through its own schema when it is a text", () => {
  for (const setting of Object.values(SETTINGS)) {
    if (typeof setting.fallback === "string") {
      expect(setting.schema.parse(setting.fallback)).toBe(setting.fallback);
    }
  }
});

test("every variable reaches its key", () => {
  const loaded = load({
    ...least,
    VOICEBOT_DEVICE_NAME: "cellar-1",
    VOICEBOT_DATA_DIR: "/var/lib/voicebot",
    VOICEBOT_MEDIA_DIR: "/srv/music",
    VOICEBOT_COMMAND_PREFIX: "dj!",
    VOICEBOT_INVITES_ALLOW: " *:example.org, @ada:other.org ,*",
    VOICEBOT_ICE_ALLOW_PRIVATE: "true",
    VOICEBOT_ICE_SERVERS:
      "stun:stun.example.org, TURN:ada:p%40ss%2C@[2001:db8::1]:3478?transport=udp,turns:turn.example.org",
    VOICEBOT_ICE_TURN_SECRET: "north",
    VOICEBOT_ICE_PORTS: "50000-50100",
    VOICEBOT_ICE_ANNOUNCE: "203.0.113.7, 2001:db8::7",
    VOICEBOT_ICE_LOCAL_SUBNETS: "10.20.0.0/16,fd00:1::/64",
    VOICEBOT_ENGINE: "wrtc",
    VOICEBOT_MEDIA_CHILDREN: "12",
    VOICEBOT_FETCH_HTTP: "true",
    VOICEBOT_RADIO_STATIONS:
      "Night Wave = https://radio.example.org/night?a=b,Jazz=http://jazz.example.org/live.m3u8",
    VOICEBOT_YTDLP_PATH: "/opt/yt-dlp/bin/yt-dlp",
    VOICEBOT_YTDLP_SEARCH: "scsearch",
    VOICEBOT_FETCH_ALLOW: "Files.example.org, 10.20.0.5,fd00:1::/64",
    VOICEBOT_FETCH_MAX_BYTES: "200M",
    VOICEBOT_CACHE_MAX_BYTES: "10G",
    VOICEBOT_LOG_LEVEL: "debug",
    VOICEBOT_FFMPEG_PATH: "/usr/bin/ffmpeg",
    VOICEBOT_HEALTH_LISTEN: "[::1]:9090",
  });
  expect(loaded).toMatchObject({
    ok: true,
    config: {
      deviceName: "cellar-1",
      dataDir: "/var/lib/voicebot",
      mediaDir: "/srv/music",
      commandPrefix: "dj!",
      invitesAllow: ["*:example.org", "@ada:other.org", "*"],
      iceAllowPrivate: "true",
      iceServers: [
        { uri: "stun:stun.example.org" },
        { uri: "turn:[2001:db8::1]:3478?transport=udp", username: "ada", password: "p@ss," },
        { uri: "turns:turn.example.org" },
      ],
      iceTurnSecret: "north",
      icePorts: [50_000, 50_100],
      iceAnnounce: ["203.0.113.7", "2001:db8::7"],
      iceLocalSubnets: ["10.20.0.0/16", "fd00:1::/64"],
      engine: "wrtc",
      mediaChildren: 12,
      radioStations: [
        { name: "Night Wave", url: "https://radio.example.org/night?a=b" },
        { name: "Jazz", url: "http://jazz.example.org/live.m3u8" },
      ],
      ytdlpPath: "/opt/yt-dlp/bin/yt-dlp",
      ytdlpSearch: "scsearch",
      fetchHttp: true,
      fetchAllow: ["files.example.org", "10.20.0.5", "fd00:1::/64"],
      fetchMaxBytes: 200e6,
      cacheMaxBytes: 10e9,
      logLevel: "debug",
      ffmpegPath: "/usr/bin/ffmpeg",
      healthListen: { host: "::1", port: 9090 },
    },
  });
});

test("empty is the same as not set", () => {
  expect(load({ ...least, VOICEBOT_LOG_LEVEL: "", VOICEBOT_DEVICE_NAME: "" })).toEqual(load(least));
});

test("all wrong keys are told at once, with a reason each", () => {
  const loaded = load({
    VOICEBOT_HOMESERVER_URL: "matrix.example.org",
    VOICEBOT_LOG_LEVEL: "loud",
    VOICEBOT_ICE_ALLOW_PRIVATE: "yes",
  });
  expect(loaded).toMatchObject({
    ok: false,
    problems: [
      { key: "VOICEBOT_HOMESERVER_URL", problem: expect.stringContaining("must be a URL") },
      { key: "VOICEBOT_ICE_ALLOW_PRIVATE", problem: "must be auto, true or false" },
      { key: "VOICEBOT_LOG_LEVEL", problem: expect.stringContaining("debug, info, warn or error") },
      { key: "VOICEBOT_ACCESS_TOKEN", problem: "is not set" },
    ],
  });
});

test.each([
  ["VOICEBOT_HOMESERVER_URL", "ftp://example.org"],
  ["VOICEBOT_HOMESERVER_URL", "https://bot:pw@example.org"],
  ["VOICEBOT_HOMESERVER_URL", "https://example.org/?a=b"],
  ["VOICEBOT_ACCESS_TOKEN", "two words"],
  ["VOICEBOT_ACCESS_TOKEN", "line\nbreak"],
  ["VOICEBOT_DEVICE_NAME", "a@b"],
  ["VOICEBOT_DEVICE_NAME", "x".repeat(65)],
  ["VOICEBOT_ENGINE", "webrtc"],
  ["VOICEBOT_MEDIA_CHILDREN", "0"],
  ["VOICEBOT_MEDIA_CHILDREN", "65"],
  ["VOICEBOT_MEDIA_CHILDREN", "1.5"],
  ["VOICEBOT_MEDIA_CHILDREN", "many"],
  ["VOICEBOT_COMMAND_PREFIX", "! "],
  ["VOICEBOT_COMMAND_PREFIX", "too-long-prefix"],
  ["VOICEBOT_INVITES_ALLOW", "ada"],
  ["VOICEBOT_INVITES_ALLOW", ","],
  ["VOICEBOT_INVITES_ALLOW", "*:example.org;*:other.org@x y"],
  ["VOICEBOT_DATA_DIR", "a\0b"],
  ["VOICEBOT_ICE_SERVERS", "stun.example.org"],
  ["VOICEBOT_ICE_SERVERS", "https://turn.example.org"],
  ["VOICEBOT_ICE_SERVERS", "turn:turn.example.org:99999"],
  ["VOICEBOT_ICE_SERVERS", "turn:ada@turn.example.org"],
  ["VOICEBOT_ICE_SERVERS", "turn:ada:100%@turn.example.org"],
  ["VOICEBOT_ICE_SERVERS", "stun:ada:pw@stun.example.org"],
  ["VOICEBOT_ICE_SERVERS", ","],
  ["VOICEBOT_ICE_SERVERS", "turn:turn.example.org"],
  ["VOICEBOT_ICE_SERVERS", Array.from({ length: 33 }, (_, i) => `stun:s${i}.example.org`).join(",")],
  ["VOICEBOT_ICE_TURN_SECRET", "two words"],
  ["VOICEBOT_HEALTH_LISTEN", "9090"],
  ["VOICEBOT_HEALTH_LISTEN", "127.0.0.1:70000"],
  ["VOICEBOT_HEALTH_LISTEN", "::1:9090"],
  ["VOICEBOT_HEALTH_LISTEN", "a b:9090"],
  ["VOICEBOT_ICE_PORTS", "80"],
  ["VOICEBOT_ICE_PORTS", "50100-50000"],
  ["VOICEBOT_ICE_PORTS", "50000-70000"],
  ["VOICEBOT_ICE_PORTS", "many"],
  ["VOICEBOT_ICE_ANNOUNCE", "bot.example.org"],
  ["VOICEBOT_ICE_ANNOUNCE", "0.0.0.0"],
  ["VOICEBOT_ICE_LOCAL_SUBNETS", "10.0.0.0"],
  ["VOICEBOT_ICE_LOCAL_SUBNETS", "10.0.0.0/33"],
  ["VOICEBOT_FETCH_HTTP", "yes"],
  ["VOICEBOT_RADIO_STATIONS", "https://radio.example.org/live"],
  ["VOICEBOT_RADIO_STATIONS", "Night Wave"],
  ["VOICEBOT_RADIO_STATIONS", "Night=file:///etc/passwd"],
  ["VOICEBOT_RADIO_STATIONS", "Night=https://a.example,night=https://b.example"],
  ["VOICEBOT_FETCH_ALLOW", "10.0.0.0/33"],
  ["VOICEBOT_FETCH_ALLOW", "10.0.0"],
  ["VOICEBOT_FETCH_ALLOW", "https://files.example.org"],
  ["VOICEBOT_FETCH_ALLOW", "*.example.org"],
  ["VOICEBOT_FETCH_MAX_BYTES", "lots"],
])("%s=%j is refused", (key, value) => {
  expect(Object.keys(problemsOf({ [key]: value }))).toEqual([key]);
});

test("a secret is in no text", () => {
  const texts = JSON.stringify(problemsOf({ VOICEBOT_ACCESS_TOKEN: "hunter2 hunter2" }));
  expect(texts).not.toContain("hunter2");
  for (const servers of ["turn:ada:hunter2@host:1:2", "turn:ada:hunter2@host,turn:other"])
    expect(JSON.stringify(problemsOf({ VOICEBOT_ICE_SERVERS: servers }))).not.toContain("hunter2");
});

test("a single port is a range, and a secret serves TURN servers without user and password", () => {
  const env = { VOICEBOT_ICE_PORTS: "50000", VOICEBOT_ICE_SERVERS: "turn:a.example.org" };
  expect(load({ ...least, ...env, VOICEBOT_ICE_TURN_SECRET: "north" })).toMatchObject({
    ok: true,
    config: { icePorts: [50_000, 50_000], iceServers: [{ uri: "turn:a.example.org" }] },
  });
  expect(problemsOf(env)["VOICEBOT_ICE_SERVERS"]).toContain("VOICEBOT_ICE_TURN_SECRET");
});

test("an unknown key is told, with the nearest right one", () => {
  const problems = problemsOf({
    VOICEBOT_ACESS_TOKEN: "oops",
    VOICEBOT_LOGLEVEL: "info",
    VOICEBOT_COFFEE_MACHINE: "1",
  });
  expect(problems["VOICEBOT_ACESS_TOKEN"]).toContain("Did you mean VOICEBOT_ACCESS_TOKEN?");
  expect(problems["VOICEBOT_LOGLEVEL"]).toContain("Did you mean VOICEBOT_LOG_LEVEL?");
  expect(problems["VOICEBOT_COFFEE_MACHINE"]).toContain(
    "Known are: VOICEBOT_CONFIG, VOICEBOT_HOMESERVER_URL",
  );
  expect(JSON.stringify(problems)).not.toContain("oops");
});

test.each([
  ["EORONVXOTF", "EORONVXOTF"],
  ["my phone@home/1", "my-phone-home-1"],
  ["x".repeat(100), "x".repeat(64)],
  ["", "voicebot"],
  [null, "voicebot"],
])("the device id %j gives the device name %j", (deviceId, name) => {
  expect(deviceNameFrom(deviceId)).toBe(name);
  expect(SETTINGS.deviceName.schema.safeParse(name).success).toBe(true);
});
