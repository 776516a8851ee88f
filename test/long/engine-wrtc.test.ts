// The second engine: with a browser by itself, and in the whole bot, which plays to a page and records it.
import { jest } from "@jest/globals";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { findGaps, rmsDb, toMono, toneDb, type Pcm } from "../support/measure.ts";
import { declareOutside } from "../support/outside/outside.ts";
import { sleep, Stage, THAT_TRACK, type Scene } from "../support/stage.ts";

jest.setTimeout(180_000);

await declareOutside(new URL("./outside/engine-wrtc-chromium.ts", import.meta.url));

const HOST_HZ = 440;
const GUEST_HZ = 997;
const level = (pcm: Pcm, hz: number): number => toneDb(toMono(pcm), pcm.sampleRate, hz);
/** When a tone begins in a track, ms. */
const beginsMs = ({ samples, sampleRate, channels }: Pcm): number =>
  (samples.findIndex((sample) => Math.abs(sample) > 0.02) / channels / sampleRate) * 1000;

/** The info.json of the bot's only recording. */
async function infoOf({
  bot,
}: Scene): Promise<{ tracks: { title: string; report: { hasClock: boolean } }[] }> {
  const recordings = join(bot.dataDir, "recordings");
  const [id = ""] = await readdir(recordings);
  return JSON.parse(await readFile(join(recordings, id, "export", "info.json"), "utf8")) as {
    tracks: { title: string; report: { hasClock: boolean } }[];
  };
}

describe("the whole bot with VOICEBOT_ENGINE=wrtc", () => {
  let stage: Stage;
  beforeAll(async () => (stage = await Stage.start({ maxUploadSize: "20M" })));
  afterAll(async () => stage?.close());
  const env = { VOICEBOT_ENGINE: "wrtc" };

  test("what it plays is heard by a page, also after a pause", async () => {
    const scene = await stage.scene({ env });
    const { page } = await scene.hostPage("Chrome", { tone: HOST_HZ, levelDb: -20 });
    await page.join();
    const said = Date.now();
    await scene.command("!play first light", /Now playing.*First Light/);
    const first = await page.firstSound(scene.botKey, said);
    await sleep(6_000);
    const heard = await page.heard(scene.botKey, first, 2);
    const match = stage.matchFirstLight(heard);
    console.info(`played: correlation ${match.correlation.toFixed(3)}, lag ${match.lagMs.toFixed(0)} ms`);
    expect(match.correlation).toBeGreaterThan(THAT_TRACK);
    expect(Math.abs(match.lagMs)).toBeLessThan(500);
    const check = await scene.command("!check", /voice channel for/);
    expect(check).toMatch(/engine wrtc/);
    expect(check).toMatch(/✓ host: connected for \d+ s, direct \(.*, (-\d+) dBFS$/m);
    await scene.command("!pause", /Paused/);
    await sleep(700);
    const pausedAt = Date.now();
    await sleep(4_000);
    expect(rmsDb((await page.heard(scene.botKey, pausedAt)).samples)).toBeLessThan(-60);
    await scene.command("!resume", /Going on/);
    const resumedAt = await page.firstSound(scene.botKey, pausedAt + 4_000);
    await sleep(4_000);
    const again = await page.heard(scene.botKey, resumedAt + 500);
    expect(stage.matchFirstLight(again).correlation).toBeGreaterThan(THAT_TRACK);
    expect(findGaps(toMono(again), again.sampleRate)).toEqual([]);
    expect(await page.errors()).toEqual([]);
  });

  test("two speakers and music are recorded, each alone, about in step, and the report says how exactly", async () => {
    const scene = await stage.scene({ env });
    const host = await scene.hostPage("Chrome", { tone: HOST_HZ, levelDb: -20 });
    const guest = await scene.guest("guest", "phone", { tone: GUEST_HZ, levelDb: -20 });
    await host.page.join();
    await guest.page.join();
    await scene.command("!play first light", /Now playing/);
    await Promise.all([host.page.connected(scene.botKey), guest.page.connected(scene.botKey)]);
    await sleep(1_000);
    await scene.command("!record start", /Recording\..*started by host/s);
    await sleep(6_000);
    await scene.command("!record stop", /Recording ended after/);
    await scene.botSays(/The recording: 5 files/, 60_000);
    const [hostTrack, guestTrack, music, mix] = await Promise.all(
      ["host.ogg", "guest.ogg", "Music.ogg", "Everybody.ogg"].map((name) => scene.delivered(name)),
    );
    const numbers = {
      host: level(hostTrack!, HOST_HZ),
      hostHasGuest: level(hostTrack!, GUEST_HZ),
      guest: level(guestTrack!, GUEST_HZ),
      guestHasHost: level(guestTrack!, HOST_HZ),
      begin: [hostTrack!, guestTrack!].map(beginsMs),
      music: stage.matchFirstLight(music!),
    };
    console.info(`recorded: ${JSON.stringify(numbers)}`);
    expect(numbers.host).toBeGreaterThan(-24);
    expect(numbers.hostHasGuest).toBeLessThan(-60);
    expect(numbers.guest).toBeGreaterThan(-24);
    expect(numbers.guestHasHost).toBeLessThan(-60);
    expect(numbers.music.correlation).toBeGreaterThan(0.9);
    for (const hz of [HOST_HZ, GUEST_HZ]) expect(level(mix!, hz)).toBeGreaterThan(-30);
    for (const track of [hostTrack!, guestTrack!]) expect(findGaps(toMono(track), 48_000)).toEqual([]);
    const { tracks } = await infoOf(scene);
    expect(tracks.find(({ title }) => title === "host")?.report.hasClock).toBe(false);
    expect(tracks.find(({ title }) => title === "Music")?.report.hasClock).toBe(true);
  });
});
