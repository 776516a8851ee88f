import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BotError } from "../../../src/base/errors.ts";
import { HomeserverError } from "../../../src/matrix/homeserver.ts";
import { keepLogin, keptLogin, logIn } from "../../../src/matrix/login.ts";
import { FakeHomeserver } from "../../fakes/homeserver.ts";
import { rejection } from "../../support/rejection.ts";

const owner = { homeserverUrl: "https://matrix.example.org", userId: "@bot:example.org" };
const login = { userId: owner.userId, deviceId: "DEV", accessToken: "syt_1" };

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "voicebot-login-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

test("a login is kept for its account on its homeserver, mode 600, over what a kill left", async () => {
  const path = join(dataDir, "account.json");
  expect(await keptLogin(dataDir, owner)).toBeNull();
  await writeFile(`${path}.part`, "half", { mode: 0o644 });
  await keepLogin(dataDir, owner, login);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await keptLogin(dataDir, owner)).toMatchObject(login);
  expect(await keptLogin(dataDir, { ...owner, userId: "@other:example.org" })).toBeNull();
  expect(await keptLogin(dataDir, { ...owner, homeserverUrl: "https://elsewhere.example" })).toBeNull();
  await keepLogin(dataDir, owner, { ...login, accessToken: "syt_2" });
  expect(await keptLogin(dataDir, owner)).toMatchObject({ accessToken: "syt_2" });
});

test("what cannot be read as a login counts as none", async () => {
  for (const text of ["", "{", "null", "[]", '{"version":2}', '{"version":1,"accessToken":""}']) {
    await writeFile(join(dataDir, "account.json"), text);
    expect([text, await keptLogin(dataDir, owner)]).toEqual([text, null]);
  }
  await keepLogin(dataDir, owner, login);
  expect(await readFile(join(dataDir, "account.json"), "utf8")).not.toContain("password");
});

test("it logs in as the device of before", async () => {
  const homeserver = new FakeHomeserver().on("POST", /login$/, () => ({
    ...{ user_id: owner.userId, access_token: "syt_1", device_id: "DEV" },
  }));
  const asked = { userId: owner.userId, password: "pw", deviceId: "DEV" };
  expect(await logIn(homeserver, asked)).toEqual(login);
  await logIn(homeserver, { ...asked, deviceId: null });
  expect(homeserver.requests.map(({ body }) => body)).toEqual([
    {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: owner.userId },
      password: "pw",
      initial_device_display_name: "matrix-voice-bot",
      device_id: "DEV",
    },
    expect.not.objectContaining({ device_id: expect.anything() }),
  ]);
});

test.each([
  [403, "M_FORBIDDEN", "forbidden", "check VOICEBOT_USER_ID and VOICEBOT_PASSWORD"],
  [403, "M_USER_DEACTIVATED", "forbidden", "deactivated"],
  [400, "M_UNKNOWN", "forbidden", "set VOICEBOT_ACCESS_TOKEN instead"],
  [404, "M_UNRECOGNIZED", "forbidden", "set VOICEBOT_ACCESS_TOKEN instead"],
  [429, "M_LIMIT_EXCEEDED", "rate_limited", ""],
  [502, "", "homeserver", ""],
])("a login refused with %d %s is %s", async (status, errcode, code, words) => {
  const homeserver = new FakeHomeserver().on("POST", /login$/, () => {
    throw new HomeserverError(status, errcode, "no", null);
  });
  const error = await rejection(
    logIn(homeserver, { userId: owner.userId, password: "hush", deviceId: null }),
  );
  expect(error).toBeInstanceOf(BotError);
  expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
  expect(String(error)).not.toContain("hush");
});

test("an answer that is no login is refused", async () => {
  const homeserver = new FakeHomeserver().on("POST", /login$/, () => ({ hello: 1 }));
  const asked = { userId: owner.userId, password: "pw", deviceId: null };
  expect(await rejection(logIn(homeserver, asked))).toMatchObject({ code: "homeserver" });
});
