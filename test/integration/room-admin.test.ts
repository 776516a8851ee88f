// `room create` and `room grant` as an operator calls them, on a real homeserver.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jest } from "@jest/globals";
import { main } from "../../src/program/main.ts";
import { callStateType, Person, type Session } from "../support/people.ts";
import { startSynapse, type Synapse, type SynapseUser } from "../support/synapse.ts";

let synapse: Synapse;
let dir: string;
let bot: SynapseUser;
let ada: Person;
let bob: Person;

beforeAll(async () => {
  synapse = await startSynapse();
  dir = await mkdtemp(join(tmpdir(), "voicebot-rooms-"));
  bot = await synapse.createUser("voicebot");
  ada = new Person(await synapse.createUser("ada", { exempt: true }));
  bob = new Person(await synapse.createUser("bob", { exempt: true }));
  process.env["VOICEBOT_HOMESERVER_URL"] = synapse.baseUrl;
  process.env["VOICEBOT_ACCESS_TOKEN"] = bot.accessToken ?? "";
  process.env["VOICEBOT_DATA_DIR"] = join(dir, "data");
}, 60_000);

afterAll(async () => {
  await synapse?.stop();
  if (dir) await rm(dir, { recursive: true });
});

/** In this process, which saves the start of one. @returns the exit code and all that was printed */
async function room(...args: readonly string[]): Promise<readonly [number, string]> {
  let printed = "";
  const print = (text: unknown): boolean => {
    printed += String(text);
    return true;
  };
  const spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, "write").mockImplementation(print),
  );
  try {
    await main([process.execPath, "matrix-voice-bot", "room", ...args]);
    expect(printed).not.toMatch(/syt_/); // a token
    return [Number(process.exitCode ?? 0), printed];
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = 0;
  }
}

async function tokenFile(session: Session): Promise<string> {
  const path = join(dir, `token${session.userId}`);
  await writeFile(path, `${session.accessToken}\n`, { mode: 0o600 });
  return path;
}

async function powerLevels(person: Person, roomId: string): Promise<Record<string, unknown>> {
  return { ...(await person.readState(roomId, "m.room.power_levels")) };
}

const forbidden = { status: 403, errcode: "M_FORBIDDEN" };

test("room create: members may do what the channel needs and nothing else; given again, it makes no second room", async () => {
  const admin = await tokenFile(await synapse.createUser("root", { admin: true }));
  const args = [
    "create",
    "--name",
    "Den",
    "--invite",
    bob.userId,
    "@eve:elsewhere.test",
    "--moderator",
    ada.userId,
  ];
  const [code, output] = await room(...args, "--admin-token-file", admin);
  expect(output).toMatch(/not invited .*@eve:elsewhere\.test/);
  expect(code).toBe(1);
  const roomId = /Made “Den” (\S+)/.exec(output)?.[1] ?? "";
  expect(output).toContain(`https://matrix.to/#/${encodeURIComponent(roomId)}?via=voice.test`);
  expect(output).toMatch(/@voicebot:voice\.test is exempt from now on/);
  const path = `/_synapse/admin/v1/users/${bot.userId}/override_ratelimit`;
  expect(await synapse.admin("GET", path)).toEqual({ messages_per_second: 0, burst_count: 0 });

  for (const person of [ada, bob]) await person.join(roomId);
  const joined = { join_state: "JOINED", timestamp: 1 };
  await bob.sendState(roomId, callStateType, `phone@${bob.userId}`, joined);
  await bob.send(roomId, "de.mtorials.test.call", { rtc_type: "offer" });
  await bob.sendText(roomId, "!help");
  await expect(bob.sendState(roomId, "m.room.name", "", { name: "mine" })).rejects.toMatchObject(forbidden);
  await expect(bob.invite(roomId, "@eve:voice.test")).rejects.toMatchObject(forbidden);
  const encryption = { algorithm: "m.megolm.v1.aes-sha2" };
  await expect(ada.sendState(roomId, "m.room.encryption", "", encryption)).rejects.toMatchObject(forbidden);
  await expect(ada.sendState(roomId, "m.room.power_levels", "", {})).rejects.toMatchObject(forbidden);
  await ada.sendState(roomId, "m.room.topic", "", { topic: "hers" });
  expect(await ada.readState(roomId, "m.room.encryption")).toBeNull();
  expect(await ada.readState(roomId, "m.room.join_rules")).toEqual({ join_rule: "invite" });
  expect(await ada.readState(roomId, "m.room.history_visibility")).toEqual({ history_visibility: "joined" });
  expect(await ada.readState(roomId, "m.room.guest_access")).toEqual({ guest_access: "forbidden" });

  const before = await powerLevels(ada, roomId);
  const [, again] = await room("create", "--name", "Den", "--invite", bob.userId, "--owner", ada.userId);
  expect(again).toContain(`There already: “Den” ${roomId}`);
  expect(again).toMatch(/invited before @bob/);
  expect(await powerLevels(ada, roomId)).toEqual({ ...before, users: { [ada.userId]: 100 } });
});

test("room grant: the bot's own power, or a moderator's token, makes the smallest change; again changes nothing", async () => {
  const roomId = await ada.createRoom({
    preset: "public_chat",
    room_alias_name: "stage",
    power_level_content_override: {
      events: { "m.room.name": 75, "org.example.own": 3 },
      notifications: { room: 20 },
    },
  });
  await new Person(bot).join(roomId);
  await bob.join(roomId);
  const before = await powerLevels(ada, roomId);

  const [refused, instructions] = await room("grant", "#stage:voice.test");
  expect(refused).toBe(77);
  expect(instructions).toMatch(/nothing was changed: that takes power level 50/);
  expect(instructions).toMatch(
    /\{\n {4}"events": \{\n {6}"de\.mtorials\.test\.callstate": 0\n {4}\}\n {2}\}/,
  );
  expect(instructions).toMatch(/\/devtools/);
  const [notBob] = await room("grant", roomId, "--user-token-file", await tokenFile(bob.session));
  expect(notBob).toBe(77);
  const helped = ["grant", roomId, "--user-token-file", await tokenFile(ada.session)];
  const [dry, would] = await room(...helped, "--dry-run");
  expect(dry).toBe(0);
  expect(would).toMatch(/@ada:voice\.test would change.*nothing was changed/);
  expect(await powerLevels(ada, roomId)).toEqual(before);

  const [granted, told] = await room(...helped);
  expect(granted).toBe(0);
  expect(told).toMatch(/callstate takes: 50 by default → 0/);
  const mended = { ...before, events: { "m.room.name": 75, "org.example.own": 3, [callStateType]: 0 } };
  expect(await powerLevels(ada, roomId)).toEqual(mended);
  await bob.sendState(roomId, callStateType, `phone@${bob.userId}`, { join_state: "JOINED", timestamp: 1 });
  const [nothing, idle] = await room("grant", roomId);
  expect([nothing, idle]).toEqual([0, expect.stringContaining("nothing has to be changed")]);

  // With enough power of its own the bot needs nobody; what somebody had set is said.
  await ada.sendState(roomId, "m.room.power_levels", "", {
    ...{ ...mended, users: { ...(before["users"] as object), [bot.userId]: 50 } },
    events: { ...mended.events, [callStateType]: 30 },
  });
  const [alone, own] = await room(
    "grant",
    `https://matrix.to/#/${encodeURIComponent(roomId)}?via=voice.test`,
  );
  expect([alone, own]).toEqual([
    0,
    expect.stringMatching(/changed by @voicebot.*\n.*30 → 0 \(somebody had set 30\)/),
  ]);
});

test("room grant says why it cannot: encrypted, not in the room, no such room, wrong token", async () => {
  const encrypted = await ada.createVoiceRoom({ encrypted: true, open: true, roomVersion: "10" });
  await new Person(bot).join(encrypted);
  const stranger = await bob.createRoom({});
  const wrong = await tokenFile({ ...bob.session, userId: "wrong", accessToken: "syt_wrong" });
  const bobs = await tokenFile(bob.session);
  for (const [code, pattern, ...args] of [
    [1, /is encrypted.*room create/, encrypted],
    [77, /@voicebot:voice\.test is not in the room.*\/invite/, stranger],
    [1, /#nowhere:voice\.test/, "#nowhere:voice.test"],
    [64, /ROOM must be a room id/, "somewhere"],
    [64, /token file cannot be read/, encrypted, "--user-token-file", join(dir, "none")],
    [77, /does not accept the access token/, encrypted, "--user-token-file", wrong],
    [1, /is encrypted/, encrypted, "--user-token-file", bobs],
  ] as const) {
    expect(await room("grant", ...args)).toEqual([code, expect.stringMatching(pattern)]);
  }
  const open = await ada.createVoiceRoom({ open: true });
  await new Person(bot).join(open);
  expect(await room("grant", open, "--admin-token-file", bobs)).toEqual([
    1,
    expect.stringMatching(/nothing has to be changed.*\n.*not lifted: .* is no server administrator/),
  ]);
});
