// The bot dies, is started again, or is thrown out by its homeserver.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { LIMITED } from "../support/gateway.ts";
import { FaultScene, sleep, toneHeard } from "../support/fault-scene.ts";
import type { Member } from "../support/member.ts";
import { matrixRequest } from "../support/people.ts";

let scene: FaultScene | null = null;

afterEach(async () => {
  await scene?.close();
  scene = null;
});

async function playing(names: readonly string[]): Promise<{ current: FaultScene; members: Member[] }> {
  scene = await FaultScene.start();
  const members: Member[] = [];
  for (const name of names) {
    const member = await scene.member(name);
    await member.join();
    members.push(member);
  }
  await scene.command("!play tone440", /Now playing/);
  for (const member of members) await member.firstAudio(scene.botKey, 0, 30_000);
  return { current: scene, members };
}

test.each([500, 60_000])(
  "killed, and started again %i ms later: one membership, everybody hears it again by themselves, no ghost",
  async (pauseMs) => {
    const { current, members } = await playing(["anna", "ben"]);
    const { bot, botKey, host } = current;
    await sleep(20_000);
    const { position } = host;
    await bot.kill();
    await sleep(pauseMs);
    const startedMs = Date.now();
    await bot.startAgain();
    for (const member of members) await member.firstAudio(botKey, startedMs, 30_000);
    await sleep(30_000);
    for (const member of members) {
      const { members: others, peers } = await member.state();
      expect(others.filter((key) => key.endsWith(current.botUser.userId))).toEqual([botKey]);
      expect(peers[botKey]).toBe("connected");
      expect(await toneHeard(member, botKey, 440)).toBeGreaterThan(-35);
    }
    // LEFT for the run before, at most once, and JOINED since.
    const states = current.memberships(position);
    expect(states.filter((state) => state !== "JOINED" && state !== "LEFT")).toEqual([]);
    expect(states.lastIndexOf("LEFT")).toBeLessThanOrEqual(0);
  },
  300_000,
);

test("started again while the homeserver refuses everything for two minutes: back with the music when it may", async () => {
  const { current, members } = await playing(["anna"]);
  const { bot, botKey, gateway } = current;
  await sleep(5000);
  await bot.kill();
  gateway.trouble = ({ method }) => (method === "PUT" ? LIMITED(2000) : "pass");
  const startedMs = Date.now();
  await bot.startAgain();
  await sleep(120_000);
  expect(gateway.count(startedMs)).toBeLessThan(200);
  const freeMs = Date.now();
  gateway.trouble = () => "pass";
  await members[0]?.firstAudio(botKey, freeMs, 60_000);
  expect(await current.command("!np", /tone440/)).not.toContain("paused");
}, 300_000);

test.each([
  ["its device is logged out", "logout"],
  ["an admin throws its device out", "admin"],
])(
  "%s while it records: a clear end with 77 and what to do, and the next token brings everything back",
  async (_, how) => {
    const { current, members } = await playing(["anna"]);
    const { bot, botKey, botUser, synapse, host } = current;
    const [anna] = members;
    await anna?.speak({ tone: 660, levelDb: -20 });
    await current.command("!record start", /Recording\./);
    await sleep(6000);
    if (how === "logout") await matrixRequest(botUser, "POST", "/_matrix/client/v3/logout", {});
    else {
      const path = `/_synapse/admin/v2/users/${encodeURIComponent(botUser.userId)}/devices/${botUser.deviceId}`;
      await synapse.admin("DELETE", path);
    }
    expect(await bot.proc.exited).toEqual({ code: 77, signal: null });
    const complaint = bot.proc.lines.filter(({ from }) => from === "stderr").map(({ text }) => text);
    expect(complaint.filter((line) => /VOICEBOT_ACCESS_TOKEN.*start the bot/.test(line))).toHaveLength(1);
    // LEFT cannot be posted any more; the media end all the same.
    const last = await anna?.stats(botKey);
    await sleep(2000);
    expect((await anna?.stats(botKey))?.packetsReceived).toBe(last?.packetsReceived);
    // Closed on disk, without an end: the next start goes on with it.
    const recordings = join(bot.dataDir, "recordings");
    const [id = ""] = await readdir(recordings);
    const journal = await readFile(join(recordings, id, "journal.mvt"), "latin1");
    expect(journal).toMatch(/"shutdown"/);
    expect(journal).not.toMatch(/"kind":"stop"/);
    const answer = (await matrixRequest(
      { baseUrl: synapse.baseUrl, accessToken: null },
      "POST",
      "/_matrix/client/v3/login",
      {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: botUser.userId },
        password: botUser.password,
        device_id: botUser.deviceId,
      },
    )) as { access_token: string };
    const { position } = host;
    const startedMs = Date.now();
    await bot.startAgain({ VOICEBOT_ACCESS_TOKEN: answer.access_token });
    await anna?.firstAudio(botKey, startedMs, 30_000);
    await current.botSays(/I was restarted: the recording had a gap/, 60_000, position);
    await current.command("!record stop", /Recording ended/);
    await current.botSays(/files/, 60_000, position);
  },
  300_000,
);
