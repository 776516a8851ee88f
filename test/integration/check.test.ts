// `matrix-voice-bot check` as an operator runs it, on a real Synapse, coturn and ffmpeg.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createSocket } from "node:dgram";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { CHECKS } from "../../src/check/list.ts";
import { startCoturn, type Coturn } from "../support/coturn.ts";
import { Person } from "../support/people.ts";
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

async function check(
  env: Readonly<Record<string, string | undefined>>,
  ...flags: string[]
): Promise<{ report: Report; code: number; says: (id: string) => string[] }> {
  const args = [cli, "check", "--json", ...flags];
  const defaults = {
    VOICEBOT_HOMESERVER_URL: bot.baseUrl,
    VOICEBOT_ACCESS_TOKEN: bot.accessToken,
    VOICEBOT_DATA_DIR: folder,
    VOICEBOT_MEDIA_DIR: audio,
    VOICEBOT_ICE_ALLOW_PRIVATE: "true",
  };
  const { stdout, code } = await new Promise<{ stdout: string; code: number }>((resolve) => {
    execFile(
      process.execPath,
      args,
      { env: { PATH: process.env["PATH"], ...defaults, ...env } },
      (error, out) => resolve({ stdout: out, code: typeof error?.code === "number" ? error.code : 0 }),
    );
  });
  const report = reportSchema.parse(JSON.parse(stdout));
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
    expect.stringMatching(/^ok libdatachannel loads/),
    "ok the Opus encoder works",
  ]);
  expect(says("media")).toEqual([expect.stringMatching(/^ok .* has 3 files to play$/)]);
  expect(says("turn")).toEqual([
    expect.stringMatching(/^ok turn:127\.0\.0\.1:\d+\?transport=udp relays by 127/),
  ]);
  expect(says("ice")).toEqual([expect.stringMatching(/^ok connected in \d+ ms, (4\d|50) of 50 packets/)]);
  expect(coturn.allocations().length).toBeGreaterThan(0);
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
  expect(says("stun")).toEqual([expect.stringMatching(/^fail stun:127\.0\.0\.1:1/)]);
  expect(says("turn")).toContainEqual(expect.stringMatching(/^fail .* answers, and makes no allocation$/));
  expect(says("turn")).toContainEqual(`fail turn:127.0.0.1:${port} does not answer`);
  expect(JSON.stringify(report)).not.toContain(bot.accessToken);
  expect(JSON.stringify(report)).not.toContain("wrong");
});
