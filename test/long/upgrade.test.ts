// Rooms that are replaced by others while the bot is at work in them, Synapse's own upgrade, default limits for the bot.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { MemberScene } from "../support/member-scene.ts";
import { matrixRequest } from "../support/matrix-http.ts";
import { callStateType } from "../support/people.ts";
import { sleep } from "../support/stage.ts";

let scene: MemberScene;
// Version 11, since Synapse makes 12 of it.
const room = { roomVersion: "11" };
beforeEach(async () => (scene = await MemberScene.start({}, { room })));
afterEach(async () => scene?.close());

/** As a client does it: the new room, in it the bot if it is invited. */
async function upgrade({ invite = true } = {}): Promise<string> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(scene.roomId)}/upgrade`;
  const answer = (await matrixRequest(scene.hostUser, "POST", path, { new_version: "12" })) as {
    replacement_room: string;
  };
  if (invite) await scene.host.invite(answer.replacement_room, scene.botUser.userId);
  return answer.replacement_room;
}

/** Where in the track the bot says that it is, in s. */
async function position(roomId: string): Promise<number> {
  const { position: after } = scene.host;
  await scene.host.sendText(roomId, "!np");
  const event = await scene.host.waitForMessage(
    roomId,
    /First Light.*(playing|paused) \d+:\d\d/i,
    30_000,
    after,
  );
  const [, minutes, seconds] = /(\d+):(\d\d)/.exec(String(event.content["body"])) ?? [];
  return Number(minutes) * 60 + Number(seconds);
}

const said = (roomId: string): string[] =>
  scene.host.events
    .filter((event) => event.roomId === roomId && event.sender === scene.botUser.userId)
    .filter(({ type, content }) => type === "m.room.message" && content["msgtype"] === "m.notice")
    .map(({ content }) => String(content["body"]));

const joinStateIn = async (roomId: string): Promise<unknown> =>
  (await scene.host.readState(roomId, callStateType, scene.botKey))?.["join_state"];

const membershipIn = async (roomId: string): Promise<unknown> =>
  (await scene.host.readState(roomId, "m.room.member", scene.botUser.userId))?.["membership"];

async function left(roomId: string): Promise<void> {
  await scene.host.waitForEvent(
    (event) =>
      event.roomId === roomId &&
      event.stateKey === scene.botUser.userId &&
      event.content["membership"] === "leave",
    30_000,
  );
}

test("music, volume, queue and a recording move; the old channel is left, the new one joined, the recording delivered there", async () => {
  const old = scene.roomId;
  // So many answers and files would have to wait.
  await scene.synapse.exemptFromLimits(scene.botUser.userId);
  const member = await scene.member();
  await member.speak({ tone: 440, levelDb: -20 });
  await scene.command("!play first light", /Now playing/);
  await scene.command("!play speech", /queue/);
  await scene.command("!volume 70", /70/);
  await scene.command("!record start", /Recording\./);
  await member.connected(scene.botKey);
  await sleep(8_000);
  const next = await upgrade();
  await scene.bot.event("room_upgrade", { what: "moved", room: old, to: next }, 40_000);
  await scene.membership("JOINED", 0, 40_000, next);
  await left(old);
  expect(await joinStateIn(old)).toBe("LEFT");
  await scene.host.waitForMessage(next, /Here I am/, 30_000);
  const people = await scene.member(next);
  await people.connected(scene.botKey, 30_000);
  expect(await people.firstAudio(scene.botKey, 0, 20_000)).toBeGreaterThan(0);
  // Goes on where it was heard, not at the beginning.
  expect(await position(next)).toBeGreaterThanOrEqual(8);
  await scene.command("!queue", /A test sentence/, next);
  await scene.command("!volume", /70/, next);
  await scene.host.waitForMessage(next, /The recording: \d+ files/, 90_000);
  const files = scene.host.events.filter(
    ({ roomId, content }) => roomId === next && content["msgtype"] === "m.audio",
  );
  expect(files.length).toBeGreaterThanOrEqual(2);
  expect(said(old).some((text) => text.includes("The recording"))).toBe(false);
}, 240_000);

test("a new room that does not let it in: the old one goes on and is told once, and an invitation is enough", async () => {
  const old = scene.roomId;
  const member = await scene.member();
  await scene.command("!play first light", /Now playing/);
  const next = await upgrade({ invite: false });
  await scene.bot.event("room_upgrade", { what: "refused", to: next }, 30_000);
  await sleep(3_000);
  expect((await member.state()).peers[scene.botKey]).toBe("connected");
  expect(await joinStateIn(old)).toBe("JOINED");
  // Whoever invites: the tombstone has said that we belong there.
  await scene.host.invite(next, scene.botUser.userId);
  await scene.membership("JOINED", 0, 30_000, next);
  await left(old);
}, 180_000);

test("killed while it waits, and killed in the middle of the move: the next start goes on, everything moves once", async () => {
  const old = scene.roomId;
  await scene.member();
  await scene.command("!play first light", /Now playing/);
  await scene.command("!volume 60", /60/);
  const next = await upgrade({ invite: false });
  await scene.bot.event("room_upgrade", { what: "refused", to: next }, 30_000);
  await scene.bot.kill();
  await scene.host.invite(next, scene.botUser.userId);
  await scene.bot.startAgain();
  await scene.bot.event("room_upgrade", { what: "let in", to: next }, 30_000);
  await scene.bot.kill();
  await scene.bot.startAgain();
  await scene.membership("JOINED", 0, 40_000, next);
  await left(old);
  expect(await joinStateIn(old)).toBe("LEFT");
  await scene.command("!volume", /60/, next);
  await sleep(3_000);
  await scene.bot.kill();
  await scene.bot.startAgain();
  await scene.bot.event("channel_state", { new: "in", room: next }, 30_000);
  expect(said(next).filter((text) => text.includes("Here I am"))).toHaveLength(1);
  await scene.command("!volume", /60/, next);
}, 240_000);

test("a tombstone that leads into a room that is none of its: left again, and everything stays where it is", async () => {
  const old = scene.roomId;
  const member = await scene.member();
  await scene.command("!play first light", /Now playing/);
  const trap = await scene.host.createVoiceRoom({ name: "trap", open: true });
  await scene.host.sendState(old, "m.room.tombstone", "", { body: "moved", replacement_room: trap });
  await scene.bot.event("room_upgrade", { what: "not its successor", to: trap }, 30_000);
  await left(trap);
  expect(await membershipIn(old)).toBe("join");
  expect(said(trap)).toEqual([]);
  expect(await joinStateIn(old)).toBe("JOINED");
  expect((await member.state()).peers[scene.botKey]).toBe("connected");
  expect(await readdir(join(scene.bot.dataDir))).toContain("bot.db");
}, 120_000);
