// What must not be lost when something dies: the media child, the bot, the operator's patience.
import { jest } from "@jest/globals";
import { findGaps, toMono, toneDb } from "../support/measure.ts";
import { sleep, Stage, THAT_TRACK } from "../support/stage.ts";

jest.setTimeout(120_000);

let stage: Stage;
beforeAll(async () => (stage = await Stage.start()));
afterEach(() => stage.clear());
afterAll(async () => stage?.close());

test("kill -9 of the media child in mid-track and mid-recording: sound again, the recording goes on, the gap is told", async () => {
  const scene = await stage.scene({ unlimited: true });
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
  // The page's voice, the music, a mix with it and one without.
  await scene.botSays(/The recording: 4 files/, 60_000);
  const track = toMono(await scene.delivered("host.ogg"));
  const second = 48_000;
  expect(toneDb(track.subarray(second, 2 * second), second, 440)).toBeGreaterThan(-26);
  expect(toneDb(track.subarray(-2 * second, -second), second, 440)).toBeGreaterThan(-26);
});

test("kill -9 of the bot and start: one membership, music and recording go on, delivered once; nothing set is lost", async () => {
  const scene = await stage.scene({ unlimited: true });
  const { page } = await scene.hostPage("Chrome", { tone: 440, levelDb: -20 });
  await page.join();
  await scene.command("!play first light", /Now playing/);
  await scene.command("!record start", /Recording\./);
  const first = await page.firstSound(scene.botKey, 0);
  await scene.command("!volume 80", /80 %/);
  await scene.command("!loop queue", /queue/);
  await scene.command("!save evening", /evening/);
  await scene.command("!settings fair on", /fair to on/);
  await sleep(7_000);
  const children = scene.bot.mediaChildren();
  expect(children).toHaveLength(1);
  const before = await page.heard(scene.botKey, first + 6_000);
  await scene.bot.kill();
  const killed = Date.now();
  const { position } = scene.host;
  const restarted = Date.now();
  await scene.bot.startAgain();
  await scene.botSays(/I was restarted: the recording had a gap of \d+ s; it goes on/, 30_000, position);
  const again = await page.firstSound(scene.botKey, restarted + 500, 30_000);
  // Behind the voice that says that it records, under which the music is turned down.
  await sleep(9_000);
  const after = await page.heard(scene.botKey, again + 5_500);
  const match = stage.matchFirstLight(after);
  expect(match.correlation).toBeGreaterThan(THAT_TRACK);
  // Where in the track the listener was at a time: in the moment of the kill, and when it heard the first of it again.
  const left = stage.matchFirstLight(before).lagMs + killed - before.startMs;
  const wentOn = match.lagMs + again - after.startMs;
  expect(Math.abs(wentOn - left)).toBeLessThan(1_000);
  const joined = (await page.state()).members.filter((key) => key.includes(scene.botUser.userId));
  expect(joined).toEqual([scene.botKey]);
  expect(scene.names().at(-1)).toMatch(/🔴 .* \(recording\)/);
  await scene.command("!volume", /The volume is 80 %/);
  await scene.command("!loop", /queue/);
  await scene.command("!lists", /evening/);
  await scene.command("!settings fair", /fair is on/);
  await scene.command("!record stop", /Recording ended after 0:[1-4]\d/, 60_000);
  await scene.botSays(/The recording: \d files/, 60_000, position);
  const names = scene.deliveries().map(({ content }) => content["body"]);
  expect(names.filter((name) => name === "host.ogg")).toHaveLength(1);
  expect(new Set(names).size).toBe(names.length);
  const greetings = scene.host.events.filter(({ content }) => String(content["body"]).startsWith("Hello!"));
  expect(greetings).toHaveLength(1);
  // Heard before the kill and after it, and nothing in between: one gap, as long as the bot was away.
  const track = toMono(await scene.delivered("host.ogg"));
  const second = 48_000;
  const seconds = Array.from({ length: Math.floor(track.length / second) }, (_, at) =>
    toneDb(track.subarray(at * second, (at + 1) * second), second, 440),
  );
  expect(seconds.slice(2, 6).every((db) => db > -26)).toBe(true);
  expect(seconds.slice(-3, -1).every((db) => db > -26)).toBe(true);
  const gaps = findGaps(track.subarray(2 * second), second, { minMs: 100 });
  expect(gaps).toHaveLength(1);
  expect(gaps[0]!.atMs).toBeGreaterThan(4_000);
  expect(gaps[0]!.durationMs).toBeGreaterThan(500);
  expect(gaps[0]!.durationMs).toBeLessThan(again - killed + 1_000);
  expect(() => process.kill(children[0]!, 0)).toThrow("ESRCH");
});

test("SIGTERM: LEFT is posted, exit 0 in time, and the next start goes on with the recording", async () => {
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
  await page.until("LEFT of the bot", (state) => !state.members.includes(scene.botKey));
  expect(scene.memberships().at(-1)).toBe("LEFT");
  const { position } = scene.host;
  await scene.bot.startAgain();
  await scene.botSays(/I was restarted: the recording had a gap/, 30_000, position);
  // That it is delivered, once, takes its time in the rate limit: test/long/recording-life.test.ts.
  expect(scene.deliveries()).toEqual([]);
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
  await scene.botSays(/I was restarted: the recording had a gap/, 30_000, position);
  // That it is delivered, once, takes its time in the rate limit: test/long/recording-life.test.ts.
  expect(scene.deliveries()).toEqual([]);
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
