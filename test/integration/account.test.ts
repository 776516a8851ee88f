// The program from its first start on: an account by password, a data folder for nobody else, a homeserver that comes late.
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { matrixRequest } from "../support/matrix-http.ts";
import { startProc, type Proc } from "../support/proc.ts";
import { startSynapse, type Synapse, type SynapseUser } from "../support/synapse.ts";

const root = new URL("../../", import.meta.url).pathname;

let synapse: Synapse;
let user: SynapseUser;
let dir: string;
let dataDir: string;
const started: Proc[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "voicebot-account-"));
  dataDir = join(dir, "data");
  synapse = await startSynapse();
  user = await synapse.createUser("voicebot");
});
afterAll(async () => {
  await Promise.all(started.map((proc) => proc.stop(5_000)));
  await synapse.stop();
  await rm(dir, { recursive: true });
});

async function run(env: Readonly<Record<string, string>>, folder = dataDir): Promise<Proc> {
  const proc = await startProc({
    name: "bot",
    command: process.execPath,
    args: [join(root, "src/cli.ts"), "run"],
    env: {
      VOICEBOT_HOMESERVER_URL: synapse.baseUrl,
      VOICEBOT_DATA_DIR: folder,
      VOICEBOT_MEDIA_DIR: join(root, "audio"),
      NODE_OPTIONS: undefined,
      ...env,
    },
  });
  started.push(proc);
  return proc;
}

const event = (proc: Proc, name: string): Promise<Readonly<Record<string, unknown>>> =>
  proc.waitForJson((line) => line["event"] === name, 20_000);

async function kept(): Promise<{ accessToken: string; deviceId: string }> {
  return JSON.parse(await readFile(join(dataDir, "account.json"), "utf8")) as {
    accessToken: string;
    deviceId: string;
  };
}

test("a password logs in once; the token is kept, and what is kept is for nobody else on the machine", async () => {
  const account = { VOICEBOT_USER_ID: user.userId, VOICEBOT_PASSWORD: user.password };
  const first = await run(account);
  await event(first, "logged_in");
  await event(first, "ready");
  const { accessToken, deviceId } = await kept();

  // A second one on the same folder would lose what the first one writes.
  const second = await run({ VOICEBOT_USER_ID: user.userId });
  expect(await second.exited).toMatchObject({ code: 75 });
  expect(second.output).toMatch(/another matrix-voice-bot uses the data folder .*; stop it/);

  expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  const entries = await readdir(dataDir, { recursive: true });
  expect(entries).toEqual(expect.arrayContaining(["account.json", "bot.db", "bot.db-wal", "sync.json"]));
  for (const entry of entries) {
    const stats = await stat(join(dataDir, entry));
    expect([entry, (stats.mode & 0o077).toString(8)]).toEqual([entry, "0"]);
  }
  expect(await first.stop(12_000)).toMatchObject({ code: 0 });

  // The password is not needed again …
  const again = await run({ VOICEBOT_USER_ID: user.userId });
  await event(again, "ready");
  expect(again.output).not.toContain("logged_in");
  await again.stop(12_000);

  // … until the token was revoked, then once, as the same device.
  const devices = "/_matrix/client/v3/devices";
  await matrixRequest({ ...synapse, accessToken }, "POST", "/_matrix/client/v3/logout", {});
  const without = await run({ VOICEBOT_USER_ID: user.userId });
  expect(await without.exited).toMatchObject({ code: 77 });
  expect(without.output).toContain("VOICEBOT_PASSWORD is not set; set it once");
  const anew = await run(account);
  expect(await event(anew, "logged_in")).toMatchObject({ deviceId });
  await event(anew, "ready");
  const fresh = await kept();
  expect(fresh.deviceId).toBe(deviceId);
  expect(await matrixRequest({ ...synapse, accessToken: fresh.accessToken }, "GET", devices)).toMatchObject({
    devices: expect.arrayContaining([
      expect.objectContaining({ device_id: deviceId, display_name: "matrix-voice-bot" }),
    ]),
  });
  await anew.stop(12_000);
  for (const proc of started) {
    for (const secret of [user.password, accessToken, fresh.accessToken]) {
      expect(proc.output).not.toContain(secret);
    }
  }
});

test("a wrong password ends with 77 and one line; the token of another account is not used for this one", async () => {
  const other = await synapse.createUser("other");
  const proc = await run({ VOICEBOT_USER_ID: other.userId, VOICEBOT_PASSWORD: "not it" });
  expect(await proc.exited).toMatchObject({ code: 77 });
  expect(proc.output).toContain(`matrix-voice-bot: the homeserver refuses to log in ${other.userId}: check`);
  expect(proc.output).not.toContain("not it");
});

test("a homeserver that comes late is waited for, in words; SIGTERM ends the wait at once", async () => {
  let answer = (): { status: number; body: string } => ({ status: 200, body: "<html>Welcome</html>" });
  const server = createServer((_, response) => {
    const { status, body } = answer();
    response.writeHead(status, { "content-type": "text/html" }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const proc = await run(
      { VOICEBOT_HOMESERVER_URL: `http://127.0.0.1:${port}`, VOICEBOT_ACCESS_TOKEN: user.accessToken },
      join(dir, "late"),
    );
    expect(await event(proc, "homeserver_unreachable")).toMatchObject({
      reason: expect.stringContaining("with a web page (HTTP 200)"),
      hint: expect.stringContaining("Check VOICEBOT_HOMESERVER_URL"),
    });
    answer = () => ({ status: 200, body: '{"versions":["v1.11"]}' });
    await event(proc, "homeserver_back");
    answer = () => ({ status: 502, body: "" });
    expect(await proc.stop(3_000)).toMatchObject({ code: 0, signal: null });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
