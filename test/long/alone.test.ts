// The bot that everybody has left: five minutes of real time, ten with a recording.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeTone } from "../support/crowd-scene.ts";
import { MemberScene } from "../support/member-scene.ts";
import { sleep } from "../support/stage.ts";

const MINUTE_MS = 60_000;

let mediaDir: string;
let scene: MemberScene;
beforeAll(async () => {
  mediaDir = await mkdtemp(join(tmpdir(), "voicebot-alone-"));
  makeTone(join(mediaDir, "tone.opus"));
});
beforeEach(async () => (scene = await MemberScene.start({}, { mediaDir })));
afterEach(async () => scene?.close());
afterAll(async () => rm(mediaDir, { recursive: true, force: true }));

test("leaves five minutes after the last one, says so, keeps the queue; !join brings it back with the music", async () => {
  const member = await scene.member();
  await scene.command("!play tone", /Now playing/);
  await member.connected(scene.botKey);
  await sleep(3_000);
  const { position } = scene.host;
  await member.stop();
  const aloneSince = Date.now();
  await scene.membership("LEFT", position, 6 * MINUTE_MS);
  expect(Date.now() - aloneSince).toBeGreaterThan(4.9 * MINUTE_MS);
  await scene.host.waitForMessage(scene.roomId, /Nobody .* 5 minutes.*!play.*!join/, 10_000, position);
  await scene.command("!np", /tone.*paused 5:\d\d/);
  const again = await scene.member();
  await scene.command("!join", /I am in the voice channel/);
  expect(await again.firstAudio(scene.botKey, 0)).toBeGreaterThan(0);
  await scene.command("!np", /tone.*playing 5:\d\d/);
}, 480_000);

test("a recording that nobody is left for ends after ten minutes, and then the bot leaves at once", async () => {
  const member = await scene.member();
  await member.speak({ tone: 440, levelDb: -20 });
  await scene.command("!record start", /Recording\./);
  await member.connected(scene.botKey);
  await sleep(5_000);
  const { position } = scene.host;
  await member.stop();
  const stopped = scene.host.waitForMessage(
    scene.roomId,
    /alone for 10 minutes, so I ended the recording/,
    11 * MINUTE_MS,
    position,
  );
  // Nothing is said and nobody leaves before.
  await expect(scene.membership("LEFT", position, 9.5 * MINUTE_MS)).rejects.toThrow("no such event");
  await stopped;
  const left = await scene.membership("LEFT", position, 20_000);
  const ended = await stopped;
  expect(Math.abs(left.originServerTs - ended.originServerTs)).toBeLessThan(20_000);
  await scene.host.waitForMessage(scene.roomId, /Nobody .* so I left/, 20_000, position);
  await scene.host.waitForMessage(scene.roomId, /The recording: \d+ files/, 60_000, position);
}, 840_000);
