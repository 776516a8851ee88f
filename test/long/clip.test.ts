// Clips with the whole bot, Synapse and two people who speak: off by default; who agreed is in one, who did not is not, in
// no byte; as long as was asked for. Then a recording that begins and ends by itself.
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeFile } from "../support/decode.ts";
import type { MatrixEvent } from "../support/people.ts";
import { ANN_HZ, BOB_HZ, TwoVoices, type VoicesRoom } from "../support/two-voices.ts";
import { filesBelow, loudest, packetsBelow } from "../support/voice-search.ts";

const RATE = 48_000;
/** A voice that is there has -17 dBFS; the other one's noise, twice through Opus, has -74 in a band of a tone. */
const ABSENT_DB = -60;
const PRESENT_DB = -30;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let voices: TwoVoices;
beforeAll(async () => {
  voices = await TwoVoices.start();
}, 180_000);
afterAll(() => voices?.stop());

const audioOf = ({ ann }: VoicesRoom): MatrixEvent[] =>
  ann.person.events.filter(({ content }) => content["msgtype"] === "m.audio");

/** Says `!clip` and downloads what comes. */
async function clip(
  scene: VoicesRoom,
  args = "",
): Promise<{ samples: Float32Array; content: MatrixEvent["content"] }> {
  const before = audioOf(scene).length;
  await scene.says(`!clip ${args}`, /^The last \d+:\d\d of the voice channel/, scene.bob.person);
  const files = audioOf(scene).slice(before);
  expect(files).toHaveLength(1);
  const content = files[0]!.content;
  const path = join(voices.directory, "clip");
  await writeFile(path, await scene.ann.person.downloadMedia(String(content["url"])));
  return { samples: (await decodeFile(path)).samples, content };
}

test("a clip has who agreed, as long as was asked for, and not who opted out; off by default and when off again", async () => {
  const scene = await voices.room();
  try {
    const { ann, bob, bot } = scene;
    await scene.speak();
    await sleep(3_000);
    await scene.says("!clip", /Clips are off in this room/, bob.person);
    const early = [...(await ann.member.sent()), ...(await bob.member.sent())];
    expect(await packetsBelow(bot.dataDir, early)).toEqual({});

    await scene.says("!settings clip on", /set clip to on .*!optout always keeps your voice out/s);
    const onAt = Date.now();
    await sleep(8_000);
    // Nothing of it is on the disk until somebody asks for it.
    expect(await packetsBelow(bot.dataDir, await bob.member.sent())).toEqual({});
    const both = await clip(scene, "5");
    expect(both.samples.length / RATE).toBeCloseTo(5, 1);
    expect(loudest(both.samples, ANN_HZ)).toBeGreaterThan(PRESENT_DB);
    expect(loudest(both.samples, BOB_HZ)).toBeGreaterThan(PRESENT_DB);
    expect(both.content["org.matrix.msc1767.audio"]).toMatchObject({ duration: 5_000 });
    // What was said before it was switched on is nowhere, also when more is asked for than there is.
    const all = await clip(scene, "120");
    expect(all.samples.length / RATE).toBeLessThan((Date.now() - onAt) / 1000 + 1.5);
    expect(await packetsBelow(bot.dataDir, early.slice(0, early.length / 4))).toEqual({});

    await scene.says("!optout always", /any recording in this room/, bob.person);
    const outAt = Date.now();
    await sleep(3_000);
    const anns = await clip(scene, "60");
    expect(loudest(anns.samples, ANN_HZ)).toBeGreaterThan(PRESENT_DB);
    expect(loudest(anns.samples, BOB_HZ)).toBeLessThan(ABSENT_DB);
    const after = (await bob.member.sent()).filter(({ atMs }) => atMs > outAt);
    expect(after.length).toBeGreaterThan(100);
    expect(await packetsBelow(bot.dataDir, after)).toEqual({});

    await scene.says("!settings clip off", /What I had in memory is deleted/);
    await scene.says("!settings clip on", /set clip to on/);
    // The ring began anew: a clip right after it is of this moment.
    expect((await clip(scene, "60")).samples.length / RATE).toBeLessThan(8);
    const raw = (await filesBelow(scene.recordings)).filter((path) => path.endsWith(".ogg"));
    expect(raw).toHaveLength(4);
    await scene.says("!recordings", /Clip/);
  } finally {
    await scene.close();
  }
}, 180_000);

test("in a room that asks first only who opted in is in a clip; alone there is none", async () => {
  const scene = await voices.room();
  try {
    const { ann, bob } = scene;
    await scene.says("!settings record.consent opt-in", /record\.consent/);
    await scene.says("!settings clip on", /set clip to on/);
    await scene.speak();
    await sleep(2_000);
    await scene.says("!clip", /not heard anybody lately who agrees/, ann.person);
    expect(await readdir(scene.recordings).catch(() => [])).toEqual([]);
    await scene.says("!optin always", /agree to every recording/, bob.person);
    await sleep(3_000);
    const bobs = await clip(scene);
    expect(loudest(bobs.samples, BOB_HZ)).toBeGreaterThan(PRESENT_DB);
    expect(loudest(bobs.samples, ANN_HZ)).toBeLessThan(ABSENT_DB);
    await Promise.all([ann.member.leave(), bob.member.leave()]);
    await sleep(1_000);
    await scene.says("!clip", /Nobody else is in the voice channel/);
  } finally {
    await scene.close();
  }
}, 120_000);

test("records by itself from two people on, in the room's language, until all have left", async () => {
  const scene = await voices.room({ inside: false });
  try {
    const { ann, bob } = scene;
    await scene.says("!settings language de", /Sprache/);
    await bob.member.leave();
    await scene.says("!settings record.auto 2", /record\.auto/);
    await sleep(1_500);
    expect(await readdir(scene.recordings).catch(() => [])).toEqual([]);
    const { position } = ann.person;
    await bob.member.join();
    await scene.botSays(/^Aufnahme.* weil 2/s, position);
    await Promise.all([ann, bob].map(({ member }) => member.connected(scene.botKey)));
    await scene.speak();
    await sleep(4_000);
    await bob.member.leave();
    await sleep(1_000);
    await ann.member.leave();
    await scene.botSays(/Alle sind gegangen/, position, 45_000);
    await scene.botSays(/^Die Aufnahme: /, position, 90_000);
    expect(audioOf(scene).length).toBeGreaterThanOrEqual(3);
    const start = (await scene.journal())[0];
    expect(start).toMatchObject({ kind: "start", automatic: true, format: "opus" });
    // It came for that alone.
    await ann.person.waitForEvent(
      ({ stateKey, content }) => stateKey === scene.botKey && content["join_state"] === "LEFT",
      20_000,
      position,
    );
  } finally {
    await scene.close();
  }
}, 180_000);
