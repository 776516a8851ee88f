// `!play` is heard: the whole bot as an operator starts it, a real homeserver, real browsers. The first two
// scenes are within its default limits; the others are not about those.
import { jest } from "@jest/globals";
import { readFile } from "node:fs/promises";
import { channelOf, findClicks, findGaps, rmsDb } from "../support/measure.ts";
import { FIRST_LIGHT, sleep, Stage, THAT_TRACK } from "../support/stage.ts";
import { serveWeb, type Web } from "../support/web.ts";

jest.setTimeout(120_000);

let stage: Stage;
let web: Web | null = null;
beforeAll(async () => (stage = await Stage.start()));
afterEach(() => stage.clear());
afterAll(async () => {
  await stage?.close();
  await web?.close();
});

test("the member is first: the bot joins by itself, and the very track is heard from its beginning", async () => {
  const scene = await stage.scene();
  const { page } = await scene.hostPage();
  await page.join();
  const said = Date.now();
  await scene.command("!play first light", /Now playing.*First Light/);
  const first = await page.firstSound(scene.botKey, said);
  await sleep(6_000);
  const heard = await page.heard(scene.botKey, first, 2);
  const match = stage.matchFirstLight(heard);
  expect(match.correlation).toBeGreaterThan(THAT_TRACK);
  // What was played before anybody was connected is lost; nothing is.
  expect(Math.abs(match.lagMs)).toBeLessThan(300);
  for (const channel of [0, 1]) expect(rmsDb(channelOf(heard, channel))).toBeGreaterThan(-35);
  const soughtAt = Date.now();
  await scene.command("!seek 0:30", /goes on at 0:30/);
  await sleep(1_500);
  const from = Date.now();
  await sleep(2_500);
  const there = stage.matchFirstLight(await page.heard(scene.botKey, from));
  expect(there.correlation).toBeGreaterThan(THAT_TRACK);
  expect(there.lagMs).toBeGreaterThan(30_000);
  expect(there.lagMs).toBeLessThan(30_000 + from - soughtAt);
  expect(await page.errors()).toEqual([]);
});

test("the bot is first, a second member comes in mid-track: both hear it, and the bot answers in time", async () => {
  const scene = await stage.scene();
  await scene.command("!join", /I am in the voice channel/);
  const host = await scene.hostPage("Chrome", { tone: 440, levelDb: -20 });
  await host.page.join();
  await host.page.connected(scene.botKey);
  await scene.command("!play first-light.mp3", /Now playing/);
  const guest = await scene.guest("guest", "Firefox");
  await guest.page.join();
  const since = Date.now();
  await guest.page.firstSound(scene.botKey, since);
  await sleep(5_000);
  for (const { page } of [host, guest]) {
    const heard = await page.heard(scene.botKey, Date.now() - 4_000);
    expect(stage.matchFirstLight(heard).correlation).toBeGreaterThan(THAT_TRACK);
  }
  await scene.command("!np", /heard by 2 of 2/);
  const check = await scene.command("!check", /voice channel for/);
  expect(check).toMatch(/^I have been in the voice channel for \d+ s; playing; heard by 2 of 2; engine/);
  expect(check).toMatch(/ guest: connected for \d+ s, direct \(/);
  const [, level] =
    /✓ host: connected for \d+ s, direct \(.*, of theirs 0 % .*, (-\d+) dBFS$/m.exec(check) ?? [];
  expect(Math.abs(Number(level) + 20)).toBeLessThanOrEqual(1);
  expect(check).not.toMatch(/\d+\.\d+\.\d+\.\d+|@/);

  // A volume of one's own is nobody else's: 20 % are 14 dB.
  await scene.command("!volume me 20", /For you alone/);
  await sleep(700);
  const from = Date.now();
  await sleep(2_000);
  const levels = [host, guest].map(async ({ page }) => rmsDb((await page.heard(scene.botKey, from)).samples));
  const [own = 0, common = 0] = await Promise.all(levels);
  expect(Math.abs(common - own - 14)).toBeLessThan(2);
});

test("a file of the web plays; pause, resume and volume are heard, without clicks or holes", async () => {
  const song = await readFile(FIRST_LIGHT);
  web = await serveWeb((_, response) => response.end(song));
  const env = { VOICEBOT_FETCH_HTTP: "true", VOICEBOT_FETCH_ALLOW: "127.0.0.1" };
  const scene = await stage.scene({ env, unlimited: true });
  const { page } = await scene.hostPage();
  await page.join();
  await scene.command("!play http://169.254.169.254/latest/a.mp3", /169\.254\.169\.254 is not on the public/);
  await scene.command(`!play ${web.url("/x.bin?key=1")}`, /Now playing.*First Light/);
  await page.firstSound(scene.botKey, 0);
  await sleep(2_000);
  await scene.command("!pause", /Paused/);
  await sleep(700);
  const pausedAt = Date.now();
  await sleep(1_000);
  expect(rmsDb((await page.heard(scene.botKey, pausedAt)).samples)).toBeLessThan(-60);
  await scene.command("!resume", /Going on/);
  await page.firstSound(scene.botKey, pausedAt + 1_000);
  await sleep(1_500);
  const loudFrom = Date.now();
  await sleep(1_500);
  const loud = await page.heard(scene.botKey, loudFrom);
  await scene.command("!volume 10", /10 %/);
  await sleep(700);
  const quietFrom = Date.now();
  await sleep(1_500);
  const quiet = await page.heard(scene.botKey, quietFrom);
  expect(rmsDb(loud.samples) - rmsDb(quiet.samples)).toBeGreaterThan(12);
  expect(findGaps(loud.samples, loud.sampleRate)).toEqual([]);
  const whole = await page.heard(scene.botKey, 0);
  // A packet that a busy machine delivers too late is concealed, and that may click where it begins and where it ends;
  // nothing else may. What the bot itself makes is held to no click at all in test/integration/media-playback.
  const { concealmentEvents } = (await page.stats(scene.botKey))!;
  expect(findClicks(whole.samples, whole.sampleRate).length).toBeLessThanOrEqual(2 * concealmentEvents);
});

test("an uploaded file plays as its caption, and as the message replied to; a playlist as what it lists", async () => {
  const scene = await stage.scene({ unlimited: true });
  const { page } = await scene.hostPage();
  await page.join();
  const bytes = new Uint8Array(await readFile(FIRST_LIGHT));
  const { position } = scene.host;
  const upload = await scene.host.sendAudio(scene.roomId, bytes, "audio/mpeg", "mine.mp3", "!play");
  await scene.botSays(/Now playing/, 20_000, position);
  const first = await page.firstSound(scene.botKey, 0);
  await sleep(4_000);
  expect(stage.matchFirstLight(await page.heard(scene.botKey, first)).correlation).toBeGreaterThan(
    THAT_TRACK,
  );
  const before = scene.host.position;
  await scene.host.sendText(scene.roomId, "!play", upload);
  await scene.botSays(/Added .* position 1/, 20_000, before);
  const list = Buffer.from("first-light.mp3\n/etc/passwd\nhttp://169.254.169.254/a.m3u\n");
  const at = scene.host.position;
  await scene.host.sendAudio(scene.roomId, list, "audio/x-mpegurl", "evening.m3u", "!play");
  const said = await scene.botSays(/Added/, 20_000, at);
  expect(said).toMatch(/^Added 1 of 3 from evening; 2 could not be used:\npasswd: .*\na\.m3u: /);
});

test("a member who leaves and comes back, and one who reloads, hear it again", async () => {
  const scene = await stage.scene({ unlimited: true });
  const { page } = await scene.hostPage();
  await page.join();
  await scene.command("!play first light", /Now playing/);
  await page.firstSound(scene.botKey, 0);
  await page.leave();
  await sleep(1_000);
  let since = Date.now();
  await page.join();
  await page.firstSound(scene.botKey, since);
  await page.reload();
  since = Date.now();
  await page.join();
  await page.firstSound(scene.botKey, since);
  await sleep(3_000);
  const heard = await page.heard(scene.botKey, Date.now() - 2_500);
  expect(stage.matchFirstLight(heard).correlation).toBeGreaterThan(THAT_TRACK);
});

test("a broken, an empty and a forbidden file are told to the room, and the queue goes on", async () => {
  const scene = await stage.scene({ unlimited: true });
  const { page } = await scene.hostPage();
  await page.join();
  await scene.command("!play first light", /Now playing/);
  const junk = new Uint8Array(20_000).map((_, index) => (index * 7919) % 251);
  const { position } = scene.host;
  await scene.host.sendAudio(scene.roomId, junk, "audio/mpeg", "broken.mp3", "!play");
  await scene.botSays(/could not play/, 20_000, position);
  await scene.command("!play ../../../etc/passwd", /found nothing/);
  // By its tags, and by the number in the answer.
  await scene.command("!search smal huors", /1\. matrix-voice-bot – Small Hours \(\d:\d\d\)/);
  await scene.command("1", /Added .*Small Hours/);
  const since = Date.now();
  // What plays now is said by the answer, or by the card, which is edited.
  const skipping = scene.host.position;
  await scene.command("!skip", /Skipped .*First Light/);
  await scene.botSays(/Now playing .*Small Hours/, 20_000, skipping);
  await page.firstSound(scene.botKey, since);
});
