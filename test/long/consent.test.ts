// Who does not want to be recorded is not, shown by looking for their voice: packet by packet in every byte that the bot
// has, and by its sound in every track and export. The whole bot, Synapse, three people in the channel.
import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { correlate } from "../support/correlate.ts";
import { decodeFile } from "../support/decode.ts";
import { Member } from "../support/member.ts";
import { ANN_HZ, BOB_HZ, TwoVoices } from "../support/two-voices.ts";
import { loudest, packetsBelow, toneBelow } from "../support/voice-search.ts";

const RATE = 48_000;
/** From the event's handling until the media plane has its list: within one process and one pipe. */
const HANDLED_MS = 100;
/** A voice is at -17 where it is; speech of others, of the notice for example, reaches -50 at its frequency. */
const ABSENT_DB = -40;
const run = promisify(execFile);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let voices: TwoVoices;
beforeAll(async () => {
  voices = await TwoVoices.start();
}, 60_000);
afterAll(() => voices?.stop());

const nothing = {};
/** Those in which it is there. */
const filesWith = (tones: Record<string, number>): string[] =>
  Object.keys(tones)
    .filter((name) => tones[name]! > ABSENT_DB)
    .sort();

test("it is said aloud; a reaction takes one out from that moment on, and taking it back takes them in again", async () => {
  const scene = await voices.room();
  try {
    const { ann, bob } = scene;
    const startedAt = Date.now();
    const notice = await scene.says("!record start", /^Recording\./);
    await sleep(3_500);
    const heard = await bob.member.heard(scene.botKey, startedAt);
    const clip = await decodeFile(new URL("../../audio/recording-notice-en.ogg", import.meta.url).pathname);
    expect(correlate(clip.samples, heard.samples, RATE).correlation).toBeGreaterThan(0.7);

    await scene.speak();
    await sleep(4_000);
    const reaction = await bob.person.react(scene.roomId, notice.eventId, "🔇");
    const out = await scene.wordKept(false);
    await scene.botSays(/Not in the recording from now on: Bob/);
    await sleep(3_000);
    const before = (await bob.member.sent()).filter(({ atMs }) => atMs < out.atMs - 1_000);
    const after = (await bob.member.sent()).filter(({ atMs }) => atMs > out.atMs + HANDLED_MS);
    expect(after.length).toBeGreaterThan(100);
    // The search finds what is there: all but what is not flushed yet is.
    const there = await packetsBelow(scene.bot.dataDir, before);
    expect(Object.values(there).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(before.length * 0.95);
    expect(await packetsBelow(scene.bot.dataDir, after)).toEqual(nothing);

    await bob.person.redact(scene.roomId, reaction);
    const back = await scene.wordKept(true);
    await scene.botSays(/In the recording from now on: Bob/);
    await sleep(3_000);
    await scene.says("!record stop", /Recording ended/);
    await scene.botSays(/The recording: /, 0, 90_000);
    const between = (await bob.member.sent()).filter(
      ({ atMs }) => atMs > out.atMs + HANDLED_MS && atMs < back.atMs - HANDLED_MS,
    );
    expect(await packetsBelow(scene.bot.dataDir, between)).toEqual(nothing);

    const exports = join(scene.recordings, (await readdir(scene.recordings))[0] ?? "", "export");
    for (const name of await readdir(exports)) {
      if (!name.endsWith(".ogg")) continue;
      const { samples } = await decodeFile(join(exports, name));
      const at = (ms: number): number => Math.round((ms * RATE) / 1000);
      const left = samples.subarray(at(out.sinceStartMs + 300), at(back.sinceStartMs - 300));
      expect([name, loudest(left, BOB_HZ) > ABSENT_DB]).toEqual([name, false]);
      if (name.startsWith("Ann")) expect(loudest(left, ANN_HZ)).toBeGreaterThan(-30);
      if (name.startsWith("Bob")) {
        expect(loudest(samples.subarray(0, at(out.sinceStartMs)), BOB_HZ)).toBeGreaterThan(-30);
        expect(loudest(samples.subarray(at(back.sinceStartMs + 500)), BOB_HZ)).toBeGreaterThan(-30);
      }
    }
    expect(ann.member.key).toBeTruthy();
  } finally {
    await scene.close();
  }
}, 180_000);

test("!optout delete: nothing of them is anywhere, from the beginning, also after a kill; the others are all there", async () => {
  const scene = await voices.room();
  try {
    const { ann, bob } = scene;
    await scene.says("!record start", /^Recording\./);
    await scene.speak();
    await sleep(5_000);
    const said = (await bob.member.sent()).slice(0, -60);
    const there = await packetsBelow(scene.bot.dataDir, said);
    expect(Object.values(there).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(said.length * 0.95);

    await scene.says("!optout delete", /^Removed: what you had said in 1 recording\b/, bob.person);
    expect(await packetsBelow(scene.bot.dataDir, await bob.member.sent())).toEqual(nothing);
    expect((await scene.journal()).some((entry) => entry.kind === "erased")).toBe(true);

    await sleep(2_000);
    await scene.bot.kill();
    await scene.bot.startAgain();
    await Promise.all([ann, bob].map(({ member }) => member.connected(scene.botKey, 60_000)));
    await sleep(6_000);
    await scene.says("!record stop", /Recording ended/);
    await scene.botSays(/The recording: /, 0, 90_000);

    expect(await packetsBelow(scene.bot.dataDir, await bob.member.sent())).toEqual(nothing);
    const bobs = await toneBelow(scene.recordings, BOB_HZ);
    const anns = await toneBelow(scene.recordings, ANN_HZ);
    expect(filesWith(bobs)).toEqual([]);
    expect(filesWith(anns).some((name) => /voice-\d+\.mvt$/.test(name))).toBe(true);
    expect(filesWith(anns).filter((name) => name.endsWith(".ogg")).length).toBeGreaterThanOrEqual(2);
    const files = scene.ann.person.events.filter(({ content }) => content["msgtype"] === "m.audio");
    expect(files.length).toBeGreaterThan(0);
    for (const { content } of files) {
      const path = join(voices.directory, "delivered");
      await writeFile(path, await ann.person.downloadMedia(String(content["url"])));
      expect(loudest((await decodeFile(path)).samples, BOB_HZ)).toBeLessThan(ABSENT_DB);
    }
  } finally {
    await scene.close();
  }
}, 240_000);

test("in a room that asks first nobody is recorded who did not agree, and who refused for good never is", async () => {
  const scene = await voices.room();
  try {
    const { ann, bob } = scene;
    await scene.says("!settings record.consent opt-in", /record\.consent/);
    await scene.says("!optout always", /any recording in this room/, bob.person);
    const notice = await scene.says("!record start", /^Recording\..*who agrees/s);
    await scene.speak();
    await sleep(2_000);
    const silent = await ann.member.sent();
    expect(await packetsBelow(scene.bot.dataDir, [...silent, ...(await bob.member.sent())])).toEqual(nothing);
    await ann.person.react(scene.roomId, notice.eventId, "✅");
    await scene.botSays(/In the recording from now on: Ann/);
    await sleep(4_000);
    await scene.says("!record stop", /Recording ended/);
    await scene.botSays(/The recording: /, 0, 90_000);
    expect(
      await packetsBelow(scene.bot.dataDir, [...silent.slice(0, -10), ...(await bob.member.sent())]),
    ).toEqual(nothing);
    expect(filesWith(await toneBelow(scene.recordings, BOB_HZ))).toEqual([]);
    expect(filesWith(await toneBelow(scene.recordings, ANN_HZ)).length).toBeGreaterThan(1);
  } finally {
    await scene.close();
  }
}, 180_000);

test("both devices of who refused are in no FLAC, no zip and no clip; an export asked for later has them neither", async () => {
  const scene = await voices.room();
  const { ann, bob, roomId, botKey } = scene;
  const second = await Member.start({
    session: bob.person.session,
    roomId,
    key: `second${bob.person.userId}`,
  });
  try {
    await second.join();
    await second.connected(botKey);
    await scene.says("!settings record.format flac", /record\.format/);
    await scene.says("!settings record.delivery zip", /record\.delivery/);
    await scene.says("!settings clip on", /set clip to on/);
    await scene.says("!record start", /^Recording\./);
    await scene.speak();
    await second.speak({ file: voices.bob });
    await sleep(4_000);
    await scene.says("!optout delete", /^Removed: what you had said/, bob.person);
    await sleep(4_000);
    const { position } = ann.person;
    await scene.says("!clip 60", /^The last \d+:\d\d of the voice channel/);
    const clip = await ann.person.waitForEvent(
      ({ content }) => content["msgtype"] === "m.audio",
      10_000,
      position,
    );
    const clipPath = join(voices.directory, "clip.ogg");
    await writeFile(clipPath, await ann.person.downloadMedia(String(clip.content["url"])));
    const { samples } = await decodeFile(clipPath);
    expect(loudest(samples, ANN_HZ)).toBeGreaterThan(-30);
    expect(loudest(samples, BOB_HZ)).toBeLessThan(ABSENT_DB);

    await scene.says("!record stop", /Recording ended/);
    const posted = await ann.person.waitForEvent(
      ({ content }) => content["msgtype"] === "m.file" && String(content["body"]).endsWith(".zip"),
      90_000,
      position,
    );
    const unpacked = join(voices.directory, "unpacked");
    await mkdir(unpacked);
    await writeFile(join(unpacked, "all.zip"), await ann.person.downloadMedia(String(posted.content["url"])));
    await run("python3", ["-m", "zipfile", "-e", join(unpacked, "all.zip"), unpacked]);
    const sent = [...(await bob.member.sent()), ...(await second.sent())];
    expect(sent.length).toBeGreaterThan(600);
    expect(await packetsBelow(scene.bot.dataDir, sent)).toEqual(nothing);
    const [bobs, anns] = [await toneBelow(unpacked, BOB_HZ), await toneBelow(unpacked, ANN_HZ)];
    expect(filesWith(anns).filter((name) => name.endsWith(".flac")).length).toBeGreaterThanOrEqual(2);
    expect(filesWith(bobs)).toEqual([]);
    expect(Object.keys(bobs).filter((name) => name.includes("Bob"))).toEqual([]);

    await scene.bot.stop();
    const [id] = (await readdir(scene.recordings)).filter((name) => !name.includes(".")).sort();
    const output = join(voices.directory, "later");
    const cli = new URL("../../dist/cli.js", import.meta.url).pathname;
    await run(process.execPath, [cli, "recordings", "export", id!, "--format", "wav", "--output", output], {
      env: { PATH: process.env["PATH"], VOICEBOT_DATA_DIR: scene.bot.dataDir },
    });
    const later = await toneBelow(output, BOB_HZ);
    expect(Object.keys(later).length).toBeGreaterThanOrEqual(2);
    expect(filesWith(later)).toEqual([]);
  } finally {
    await second.kill();
    await scene.close();
  }
}, 240_000);
