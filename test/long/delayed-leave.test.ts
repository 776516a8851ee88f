// The bot dies or stalls on a homeserver that posts its LEFT then (MSC4140), Synapse's default limits for it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemberScene } from "../support/member-scene.ts";
import { callStateType } from "../support/people.ts";
import { sleep } from "../support/stage.ts";
import type { SynapseOptions } from "../support/synapse.ts";

const DELAY_MS = 24_000;

let scene: MemberScene;
let options: SynapseOptions;
beforeEach(async () => {
  const dir = await mkdtemp(join(tmpdir(), "voicebot-delayed-"));
  options = { dir, config: { max_event_delay_duration: "1h" } };
  scene = await MemberScene.start(options);
});
afterEach(async () => {
  await scene?.close();
  await rm(options.dir ?? "", { recursive: true, force: true });
});

async function armed(): Promise<void> {
  await scene.bot.event("delayed_leave", { what: "armed" }, 30_000);
}

test("kill -9: LEFT stands within 24 s, and nothing of ours is there to have written it", async () => {
  const member = await scene.member();
  await scene.command("!join", /voice channel/);
  await armed();
  await member.connected(scene.botKey);
  // Over some refreshes and restarts.
  await sleep(35_000);
  const { position } = scene.host;
  await scene.bot.kill();
  const killed = Date.now();
  const left = await scene.membership("LEFT", position, DELAY_MS + 5_000);
  // Nothing timed but what the homeserver counted: not before the restarts say so, not after the delay.
  expect(left.sender).toBe(scene.botUser.userId);
  process.stdout.write(`LEFT ${Date.now() - killed} ms after the kill\n`);
  expect((await member.state()).members).not.toContain(scene.botKey);
}, 120_000);

test("killed and back within a second: what the dead one has left does not throw the new one out", async () => {
  const member = await scene.member();
  await scene.command("!play first light", /Now playing/);
  await armed();
  await sleep(5_000);
  await scene.bot.kill();
  const { position } = scene.host;
  await scene.bot.startAgain();
  await scene.bot.event("channel_state", { new: "in" });
  const joined = await scene.membership("JOINED", position, 10_000);
  await member.connected(scene.botKey);
  await sleep(2 * DELAY_MS);
  const later = scene.host.events.filter(
    ({ stateKey, content, originServerTs }) =>
      stateKey === scene.botKey && content["join_state"] === "LEFT" && originServerTs > joined.originServerTs,
  );
  expect(later).toEqual([]);
  expect((await member.state()).peers[scene.botKey]).toBe("connected");
}, 150_000);

test("a stall longer than the delay: LEFT is posted, and when the bot goes on it is in again and heard", async () => {
  const member = await scene.member();
  await scene.command("!play first light", /Now playing/);
  await armed();
  await member.connected(scene.botKey);
  const { position } = scene.host;
  process.kill(scene.bot.proc.pid, "SIGSTOP");
  try {
    await scene.membership("LEFT", position, DELAY_MS + 5_000);
  } finally {
    process.kill(scene.bot.proc.pid, "SIGCONT");
  }
  const goesOn = Date.now();
  await scene.membership("JOINED", position, 20_000);
  await member.connected(scene.botKey);
  expect(await member.firstAudio(scene.botKey, goesOn + 500)).toBeGreaterThan(goesOn);
  // And it is protected again.
  const { position: again } = scene.host;
  await sleep(5_000);
  await scene.bot.kill();
  await scene.membership("LEFT", again, DELAY_MS + 5_000);
}, 150_000);

test("a homeserver that was away for longer than the delay posts LEFT when it is back; the bot is in again and heard", async () => {
  const member = await scene.member();
  await scene.command("!play first light", /Now playing/);
  await armed();
  await member.connected(scene.botKey);
  const { position } = scene.host;
  await scene.restartSynapse(options, DELAY_MS + 6_000);
  const back = Date.now();
  const left = await scene.membership("LEFT", position, 30_000);
  const joined = await scene.host.waitForEvent(
    ({ stateKey, content, originServerTs }) =>
      stateKey === scene.botKey &&
      content["join_state"] === "JOINED" &&
      originServerTs > left.originServerTs &&
      originServerTs > back,
    30_000,
    position,
  );
  await member.connected(scene.botKey, 30_000);
  process.stdout.write(`JOINED ${joined.originServerTs - back} ms after the homeserver is back\n`);
  await sleep(DELAY_MS + 6_000);
  expect((await member.state()).peers[scene.botKey]).toBe("connected");
  expect((await scene.host.readState(scene.roomId, callStateType, scene.botKey))?.["join_state"]).toBe(
    "JOINED",
  );
}, 200_000);

test("leaving takes it back: nothing is posted later", async () => {
  await scene.member();
  await scene.command("!join", /voice channel/);
  await armed();
  const { position } = scene.host;
  await scene.command("!leave", /left the voice channel/);
  await scene.membership("LEFT", position, 5_000);
  const { position: after } = scene.host;
  await expect(scene.membership("LEFT", after, DELAY_MS + 2_000)).rejects.toThrow("no such event");
}, 120_000);
