// `matrix-voice-bot check` as an operator runs it, on a real Synapse, coturn and ffmpeg.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createSocket } from "node:dgram";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { CHECKS } from "../../src/check/list.ts";
import { DataLock } from "../../src/store/data-lock.ts";
import { startCoturn, type Coturn } from "../support/coturn.ts";
import { Person } from "../support/people.ts";
import { startProc } from "../support/proc.ts";
import { startSynapse, type Synapse, type SynapseUser } from "../support/synapse.ts";

const cli = new URL("../../src/cli.ts", import.meta.url).pathname;
const audio = new URL("../../audio/", import.meta.url).pathname;

let synapse: Synapse;
let coturn: Coturn;
let folder: string;
let bot: SynapseUser;
let host: Person;

beforeAll(async () => {
  coturn = await startCoturn();
  const config = { turn_uris: [coturn.uri], turn_shared_secret: coturn.secret, turn_user_lifetime: "1h" };
  synapse = await startSynapse({ config });
  folder = await mkdtemp(join(tmpdir(), "voicebot-check-"));
  bot = await synapse.createUser("bot");
  host = await Person.start(await synapse.createUser("host", { exempt: true }));
});

afterAll(async () => {
  await host?.stop();
  await synapse?.stop();
  await coturn?.stop();
  await rm(folder, { recursive: true, force: true });
});

const reportSchema = z.object({
  version: z.literal(1),
  ok: z.boolean(),
  exitCode: z.number(),
  findings: z.array(
    z.object({
      check: z.string(),
      verdict: z.enum(["ok", "warn", "fail", "skip"]),
      what: z.string(),
      todo: z.string().nullable(),
      tookMs: z.number(),
    }),
  ),
});
type Report = z.infer<typeof reportSchema>;

/** The program, with nothing of this environment but the path. */
function run(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ code: number; out: string; said: string }> {
  const options = { env: { PATH: process.env["PATH"], ...env } };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], options, (error, out, said) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, said }),
    );
  });
}

async function check(
  env: Readonly<Record<string, string | undefined>>,
  ...flags: string[]
): Promise<{ report: Report; code: number; says: (id: string) => string[] }> {
  const defaults = {
    VOICEBOT_HOMESERVER_URL: bot.baseUrl,
    VOICEBOT_ACCESS_TOKEN: bot.accessToken,
    VOICEBOT_DATA_DIR: folder,
    VOICEBOT_MEDIA_DIR: audio,
    VOICEBOT_ICE_ALLOW_PRIVATE: "true",
  };
  const { code, out } = await run(["check", "--json", ...flags], { ...defaults, ...env });
  const report = reportSchema.parse(JSON.parse(out));
  expect(report.exitCode).toBe(code);
  const says = (id: string): string[] =>
    report.findings.filter((each) => each.check === id).map(({ verdict, what }) => `${verdict} ${what}`);
  return { report, code, says };
}

test("where all is well it says so, of each thing by its own evidence", async () => {
  const roomId = await host.createVoiceRoom({ invite: [bot.userId] });
  const other = await Person.start(bot);
  await other.join(roomId);
  await other.stop();
  const adminFile = join(folder, "admin");
  const admin = await synapse.createUser("boss", { admin: true });
  await writeFile(adminFile, `${admin.accessToken}\n`);
  const { report, code, says } = await check({}, "--admin-token-file", adminFile);
  expect(report.findings.filter(({ verdict }) => verdict === "fail")).toEqual([]);
  expect(code).toBe(0);
  expect([...new Set(report.findings.map((finding) => finding.check))]).toEqual(CHECKS.map(({ id }) => id));
  expect(says("account")).toEqual([`ok ${bot.userId}, device ${bot.deviceId}`]);
  expect(says("homeserver")[0]).toMatch(/^ok http.* answers in \d+ ms, speaks up to v1\.\d+/);
  expect(says("clock")[0]).toMatch(/^ok no more than [0-2]\.\d s/);
  expect(says("rate_limit")).toEqual([expect.stringMatching(/^warn .* is limited like everybody/)]);
  expect(says("rooms")).toEqual([expect.stringMatching(/^ok .*: nothing is missing$/)]);
  expect(says("ffmpeg")).toEqual([expect.stringMatching(/^ok .*with all that is needed$/)]);
  expect(says("engine")).toEqual([
    expect.stringMatching(/^ok libdatachannel loads in \d+ ms, and is used$/),
    expect.stringMatching(/^(ok wrtc loads in \d+ ms|skip wrtc does not load: .* \(it is not needed\))$/),
    "ok the Opus encoder works",
  ]);
  expect(says("media")).toEqual([expect.stringMatching(/^ok .* has 5 files to play$/)]);
  expect(says("turn")).toEqual([
    expect.stringMatching(/^ok turn:127\.0\.0\.1:\d+\?transport=udp relays by 127/),
  ]);
  expect(says("ice")).toEqual([expect.stringMatching(/^ok connected in \d+ ms, (4\d|50) of 50 packets/)]);
  expect(coturn.allocations().length).toBeGreaterThan(0);
});

test("a running bot tells programs and moderators how it is", async () => {
  const env = {
    VOICEBOT_HOMESERVER_URL: bot.baseUrl,
    VOICEBOT_ACCESS_TOKEN: bot.accessToken,
    VOICEBOT_DATA_DIR: folder,
    VOICEBOT_MEDIA_DIR: audio,
    VOICEBOT_ICE_ALLOW_PRIVATE: "true",
  };
  const roomId = await host.createVoiceRoom({ invite: [bot.userId] });
  const proc = await startProc({
    ...{ name: "bot", command: process.execPath, args: [cli, "run"] },
    env: { ...env, VOICEBOT_HEALTH_LISTEN: "127.0.0.1:0", VOICEBOT_LOG_FORMAT: "json" },
  });
  try {
    const { port } = await proc.waitForJson((line) => line["event"] === "health_listening", 20_000);
    const url = `http://127.0.0.1:${String(port)}`;
    await proc.waitForJson((line) => line["event"] === "room_joined" && line["room"] === roomId, 20_000);
    const health = async (): Promise<{ code: number; said: string }> => {
      const { code, out, said } = await run(["health"], {
        VOICEBOT_HEALTH_LISTEN: `0.0.0.0:${String(port)}`,
      });
      return { code, said: out + said };
    };
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([200, '{"ready":true}\n']);
    expect(await health()).toEqual({ code: 0, said: "ready\n" });
    await host.sendText(roomId, "!join");
    await proc.waitForJson((line) => line["event"] === "channel_state" && line["new"] === "in", 20_000);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('voicebot_channels{state="in"} 1\n');
    expect(metrics).toContain("voicebot_ready 1\n");
    expect(metrics).toMatch(/^voicebot_memory_bytes\{process="media"\} \d{7,}$/m);
    expect(metrics).toMatch(/^voicebot_events_sent_total\{kind="refresh"\} [1-9]/m);
    expect(metrics).not.toContain(bot.userId);
    expect(metrics).not.toContain(roomId);
    const { position } = host;
    await host.sendText(roomId, "!status");
    await host.waitForEvent(
      ({ sender, content }) =>
        sender === bot.userId &&
        /audio processes: 1 \(libdatachannel\), \d+ MB/.test(String(content["body"])),
      30_000,
      position,
    );
    expect(DataLock.isTaken(folder)).toBe(true);
    await proc.stop(12_000);
    expect(await health()).toEqual({ code: 1, said: expect.stringMatching(/^no answer of the bot/) });
  } finally {
    await proc.stop(12_000);
  }
});

test("what is wrong is named, each with what to do", async () => {
  const roomId = await host.createVoiceRoom({ invite: [bot.userId], callStatePower: 50 });
  const other = await Person.start(bot);
  await other.join(roomId);
  await other.stop();
  const taken = createSocket("udp4");
  await new Promise<void>((resolve) => taken.bind(0, "127.0.0.1", resolve));
  const { port } = taken.address();
  const { code, report, says } = await check({
    VOICEBOT_ICE_SERVERS: [
      `turn:user:wrong@127.0.0.1:${coturn.port}`,
      `turn:user:wrong@127.0.0.1:${port}`,
      "stun:127.0.0.1:1",
    ].join(","),
    VOICEBOT_ICE_ANNOUNCE: "203.0.113.7",
    VOICEBOT_MEDIA_DIR: join(folder, "nothing"),
    VOICEBOT_FFMPEG_PATH: join(folder, "no-ffmpeg"),
    VOICEBOT_LOG_LEVEL: "loud",
  });
  taken.close();
  expect(code).toBe(78);
  expect(report.ok).toBe(false);
  for (const { verdict, todo } of report.findings.filter(({ verdict }) => verdict === "fail"))
    expect([verdict, todo]).toEqual(["fail", expect.stringMatching(/./)]);
  expect(says("configuration")).toEqual([expect.stringMatching(/^fail VOICEBOT_LOG_LEVEL must be/)]);
  expect(says("rooms")).toContainEqual(
    expect.stringMatching(/^fail .*callstate needs level 50, the bot has 0/),
  );
  expect(says("rate_limit")).toEqual([expect.stringMatching(/^warn not known/)]);
  expect(says("ffmpeg")).toEqual([expect.stringMatching(/^fail no usable ffmpeg/)]);
  expect(says("media")).toEqual([expect.stringMatching(/^warn ENOENT/)]);
  expect(says("addresses")).toEqual([
    expect.stringMatching(/^fail .*203\.0\.113\.7 is an address of examples/),
  ]);
  expect(says("ice")).toEqual([expect.stringMatching(/^warn works with this machine's own addresses/)]);
  expect(says("stun")).toEqual([expect.stringMatching(/^fail stun:127\.0\.0\.1:1/)]);
  expect(says("turn")).toContainEqual(expect.stringMatching(/^fail .* answers, and makes no allocation$/));
  expect(says("turn")).toContainEqual(`fail turn:127.0.0.1:${port} does not answer`);
  expect(JSON.stringify(report)).not.toContain(bot.accessToken);
  expect(JSON.stringify(report)).not.toContain("wrong");
});
