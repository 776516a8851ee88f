// `!record` comes back as tracks: one for each speaker with nobody else on it, in step, and a mix.
import { jest } from "@jest/globals";
import { rmsDb, toMono, toneDb, type Pcm } from "../support/measure.ts";
import { sleep, Stage } from "../support/stage.ts";

jest.setTimeout(120_000);

let stage: Stage;
beforeAll(async () => (stage = await Stage.start({ maxUploadSize: "20M" })));
afterEach(() => stage.clear());
afterAll(async () => stage?.close());

const HOST_HZ = 440;
const GUEST_HZ = 997;
const level = (pcm: Pcm, hz: number): number => toneDb(toMono(pcm), pcm.sampleRate, hz);

test("two speakers and music come back as tracks of their own, equally long, and mixes with music and without", async () => {
  // Within the limit its files take half a minute more (test/long/delivery.test.ts).
  const scene = await stage.scene({ unlimited: true });
  const host = await scene.hostPage("Chrome", { tone: HOST_HZ, levelDb: -20 });
  const guest = await scene.guest("guest", "phone", { tone: GUEST_HZ, levelDb: -20 });
  await host.page.join();
  await guest.page.join();
  await scene.command("!play first light", /Now playing/);
  await Promise.all([host.page.connected(scene.botKey), guest.page.connected(scene.botKey)]);
  await sleep(1_000);
  await scene.command("!record start", /Recording\..*started by host/s);
  await sleep(6_000);
  await scene.command("!record stop", /Recording ended after 0:0[678]/);
  await scene.botSays(/The recording: 5 files/, 60_000);

  const names = scene.deliveries().map(({ content }) => String(content["body"]));
  const expected = ["host.ogg", "guest.ogg", "Music.ogg", "Everybody.ogg", "Voices.ogg"];
  expect(names.toSorted()).toEqual(expected.toSorted());
  const [hostTrack, guestTrack, music, mix, voices] = await Promise.all(
    expected.map((name) => scene.delivered(name)),
  );
  // Each alone on their track; a tone of -20 dBFS has its level, the other is not there at all.
  expect(level(hostTrack!, HOST_HZ)).toBeGreaterThan(-24);
  expect(level(hostTrack!, GUEST_HZ)).toBeLessThan(-60);
  expect(level(guestTrack!, GUEST_HZ)).toBeGreaterThan(-24);
  expect(level(guestTrack!, HOST_HZ)).toBeLessThan(-60);
  expect(stage.matchFirstLight(music!).correlation).toBeGreaterThan(0.9);
  for (const both of [mix!, voices!])
    for (const hz of [HOST_HZ, GUEST_HZ]) expect(level(both, hz)).toBeGreaterThan(-30);
  expect(Math.abs(stage.matchFirstLight(voices!).correlation)).toBeLessThan(0.3);
  const lengths = [hostTrack!, guestTrack!, music!, mix!, voices!].map(({ samples }) => samples.length / 48);
  expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThan(1);
  for (const { content } of scene.deliveries()) {
    const info = content["info"] as { duration: number; mimetype: string; size: number };
    expect(info.mimetype).toBe("audio/ogg");
    expect(Math.abs(info.duration - lengths[0]!)).toBeLessThan(2);
  }
});

test("who comes later is told, by name, and is on a track that starts with all others", async () => {
  const scene = await stage.scene({ unlimited: true });
  const host = await scene.hostPage("Chrome", { tone: HOST_HZ, levelDb: -20 });
  await host.page.join();
  await scene.command("!record start", /Recording\./);
  await sleep(3_000);
  const guest = await scene.guest("guest", "phone", { tone: GUEST_HZ, levelDb: -20 });
  await guest.page.join();
  await scene.botSays(/guest, this voice channel is being recorded/);
  await guest.page.connected(scene.botKey);
  await sleep(3_000);
  await scene.command("!record stop", /Recording ended/);
  await scene.botSays(/The recording: 3 files/, 60_000);
  const track = toMono(await scene.delivered("guest.ogg"));
  expect(rmsDb(track.subarray(0, 2 * 48_000))).toBeLessThan(-80);
  expect(rmsDb(track.subarray(-2 * 48_000))).toBeGreaterThan(-26);
});

test("files too large for the server come in parts that can be played", async () => {
  const small = await Stage.start({ maxUploadSize: "20K" });
  try {
    // So many messages would take a minute within the limit (test/long/delivery.test.ts).
    const scene = await small.scene({ unlimited: true });
    const host = await scene.hostPage("Chrome", { tone: HOST_HZ, levelDb: -20 });
    await host.page.join();
    await scene.command("!record start", /Recording\./);
    await sleep(4_000);
    await scene.command("!record stop", /Recording ended/);
    const last = await scene.host.waitForEvent(
      ({ content }) => /^host \((\d+) of \1\)\.ogg$/.test(String(content["body"])),
      60_000,
    );
    const names = scene.deliveries().map(({ content }) => String(content["body"]));
    const parts = names.filter((name) => name.startsWith("host ("));
    expect(parts.length).toBeGreaterThan(1);
    expect(parts).toEqual(parts.map((_, index) => `host (${index + 1} of ${parts.length}).ogg`));
    const sound = await scene.delivered(String(last.content["body"]));
    expect(level(sound, HOST_HZ)).toBeGreaterThan(-24);
  } finally {
    await small.close();
  }
});

test("a recording in which nobody speaks says so", async () => {
  const scene = await stage.scene();
  await scene.host.sendState(scene.roomId, "de.mtorials.test.callstate", "ghost", {
    join_state: "JOINED",
    timestamp: Date.now(),
  });
  await scene.command("!record start", /Recording\./);
  await scene.command("!record stop", /Recording ended/);
  await scene.botSays(/Nobody said anything/, 30_000);
  expect(scene.deliveries()).toEqual([]);
});
