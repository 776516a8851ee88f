// What must not be lost when something dies: the media child, the bot, the operator's patience.
import { jest } from "@jest/globals";
import { toMono, toneDb } from "../support/measure.ts";
import { sleep, Stage, THAT_TRACK } from "../support/stage.ts";

jest.setTimeout(120_000);

let stage: Stage;
beforeAll(async () => (stage = await Stage.start()));
afterAll(async () => stage?.close());

test("kill -9 of the media child in mid-track and mid-recording: sound again, the recording goes on, the gap is told", async () => {
  const scene = await stage.scene();
  const { page } = await scene.hostPage("Chrome", { tone: 440, levelDb: -20 });
  await page.join();
  await scene.command("!play first light", /Now playing/);
  await scene.command("!record start", /Recording\./);
  await page.firstSound(scene.botKey, 0);
  await sleep(4_000);
  const [child] = scene.bot.mediaChildren();
  const killed = Date.now();
  const { position } = scene.host;
  process.kill(child!, "SIGKILL");
  await scene.bot.event("media_child_exited", { pid: child });
  await scene.botSays(/The recording had a gap of \d+ s; it goes on/, 30_000, position);
  const again = await page.firstSound(scene.botKey, killed + 1_500, 30_000);
  await sleep(4_000);
  const match = stage.matchFirstLight(await page.heard(scene.botKey, again + 500));
  expect(match.correlation).toBeGreaterThan(THAT_TRACK);
  // It goes on where it was heard, not at the beginning.
  expect(match.lagMs).toBeGreaterThan(3_000);
  await scene.command("!record stop", /Recording ended/);
  await scene.botSays(/The recording: 3 files/, 60_000);
  const track = toMono(await scene.delivered("host.ogg"));
  const second = 48_000;
  expect(toneDb(track.subarray(second, 2 * second), second, 440)).toBeGreaterThan(-26);
  expect(toneDb(track.subarray(-2 * second, -second), second, 440)).toBeGreaterThan(-26);
});

test("kill -9 of the bot and start: one membership, the music goes on, the recording is closed and delivered once", async () => {
  const scene = await stage.scene();
  const { page } = await scene.hostPage("Chrome", { tone: 440, levelDb: -20 });
  await page.join();
  await scene.command("!play first light", /Now playing/);
  await scene.command("!record start", /Recording\./);
  await page.firstSound(scene.botKey, 0);
  await sleep(7_000);
  const children = scene.bot.mediaChildren();
  expect(children).toHaveLength(1);
  await scene.bot.kill();
  const { position } = scene.host;
  const restarted = Date.now();
  await scene.bot.startAgain();
  await scene.botSays(/I was interrupted while recording; .* 3 files/, 60_000, position);
  const again = await page.firstSound(scene.botKey, restarted + 500, 30_000);
  await sleep(4_000);
  const match = stage.matchFirstLight(await page.heard(scene.botKey, again + 500));
  expect(match.correlation).toBeGreaterThan(THAT_TRACK);
  expect(match.lagMs).toBeGreaterThan(4_000);
  const joined = (await page.state()).members.filter((key) => key.includes(scene.botUser.userId));
  expect(joined).toEqual([scene.botKey]);
  expect(scene.deliveries()).toHaveLength(3);
  const greetings = scene.host.events.filter(({ content }) => String(content["body"]).startsWith("Hello!"));
  expect(greetings).toHaveLength(1);
  const track = toMono(await scene.delivered("host.ogg"));
  expect(track.length / 48_000).toBeGreaterThan(5);
  expect(toneDb(track, 48_000, 440)).toBeGreaterThan(-26);
  expect(() => process.kill(children[0]!, 0)).toThrow("ESRCH");
});

test("SIGTERM: LEFT is posted, exit 0 in time, the recording is closed and delivered by the next start", async () => {
  const scene = await stage.scene();
  const { page } = await scene.hostPage("Chrome", { tone: 440, levelDb: -20 });
  await page.join();
  await scene.command("!record start", /Recording\./);
  await page.connected(scene.botKey);
  await sleep(3_000);
  const stopping = Date.now();
  const exit = await scene.bot.stop();
  expect(exit).toEqual({ code: 0, signal: null });
  expect(Date.now() - stopping).toBeLessThan(10_000);
  await page.until("LEFT of the bot", (state) => !state.members.includes(scene.botKey), 5_000);
  expect(scene.memberships().at(-1)).toBe("LEFT");
  const { position } = scene.host;
  await scene.bot.startAgain();
  await scene.botSays(/2 files/, 60_000, position);
  expect(scene.deliveries().map(({ content }) => content["body"])).toEqual(["host.ogg", "Everybody.ogg"]);
});

test("SIGTERM while the homeserver hangs: exit 0 in time all the same, and nothing of the recording is lost", async () => {
  const scene = await stage.scene();
  const { page } = await scene.hostPage("Chrome", { tone: 440, levelDb: -20 });
  await page.join();
  await scene.command("!record start", /Recording\./);
  await page.connected(scene.botKey);
  await sleep(3_000);
  process.kill(stage.synapse.pid, "SIGSTOP");
  try {
    const stopping = Date.now();
    expect(await scene.bot.stop()).toEqual({ code: 0, signal: null });
    expect(Date.now() - stopping).toBeLessThan(10_000);
  } finally {
    process.kill(stage.synapse.pid, "SIGCONT");
  }
  const { position } = scene.host;
  await scene.bot.startAgain();
  await scene.botSays(/2 files/, 60_000, position);
  expect(scene.deliveries().map(({ content }) => content["body"])).toEqual(["host.ogg", "Everybody.ogg"]);
});

test("being kicked closes the channel and keeps the recording", async () => {
  const scene = await stage.scene();
  const { page } = await scene.hostPage("Chrome", { tone: 440, levelDb: -20 });
  await page.join();
  await scene.command("!record start", /Recording\./);
  await page.connected(scene.botKey);
  await sleep(2_000);
  await scene.host.kick(scene.roomId, scene.botUser.userId);
  await scene.bot.event("room_left", { room: scene.roomId });
  await scene.bot.event("recording_finished", {}, 30_000);
  await page.until(
    "end of the connection",
    (state) => state.peers[scene.botKey]?.connection !== "connected",
    30_000,
  );
});
