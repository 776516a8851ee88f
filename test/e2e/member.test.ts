// The headless member against the browser page, without the bot: each hears the other, whoever comes first.
import { fileURLToPath } from "node:url";
import { TestBrowser, type PageMember } from "../support/browser.ts";
import { correlate } from "../support/correlate.ts";
import { decodeFile } from "../support/decode.ts";
import { dominantFrequency, findGaps, rmsDb } from "../support/measure.ts";
import { lossBetween, Member } from "../support/member.ts";
import { Person } from "../support/people.ts";
import { startSynapse, type Synapse, type SynapseUser } from "../support/synapse.ts";

const speech = fileURLToPath(new URL("../../audio/speech.ogg", import.meta.url));

let synapse: Synapse;
let browser: TestBrowser;
let owner: Person;
let guest: SynapseUser;
let roomId: string;
let page: PageMember;
let member: Member;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

beforeAll(async () => {
  [synapse, browser] = await Promise.all([startSynapse({ rateLimits: "off" }), TestBrowser.start()]);
  const user = await synapse.createUser("ann");
  guest = await synapse.createUser("ben");
  owner = await Person.start(user);
  roomId = await owner.createVoiceRoom({ invite: [guest.userId], open: true });
  const ben = await Person.start(guest);
  await ben.join(roomId);
  await ben.stop();
  page = await browser.open({ session: user, roomId, signal: { tone: 440, levelDb: -20 } });
  member = await Member.start({ session: guest, roomId });
  await page.join();
});

afterAll(async () => {
  await member?.kill();
  await browser?.close();
  await owner?.stop();
  await synapse?.stop();
});

test("the member joins second: it hears the page's tone, complete and in time", async () => {
  await member.join();
  await Promise.all([member.connected(page.key), page.connected(member.key)]);
  // A busy machine takes its time to start a browser's sound.
  await member.firstAudio(page.key, 0, 30_000);
  await sleep(1_000);
  // A busy machine is late for a time; who always is, is so by itself.
  let late = 1;
  let since = 0;
  for (let attempt = 1; attempt <= 3 && late >= 0.2; attempt++) {
    const before = await member.stats(page.key);
    since = Date.now();
    await sleep(3_000);
    let heard = await member.heard(page.key, since);
    for (let more = 0; more < 20 && heard.samples.length <= 2.7 * 48_000; more++) {
      await sleep(100);
      heard = await member.heard(page.key, since);
    }
    expect(heard.samples.length / 48_000).toBeGreaterThan(2.7);
    expect(Math.abs(dominantFrequency(heard.samples, 48_000) - 440)).toBeLessThan(3);
    expect(Math.abs(rmsDb(heard.samples) + 20)).toBeLessThan(3);
    expect(findGaps(heard.samples, 48_000)).toEqual([]);
    const after = await member.stats(page.key);
    expect(after!.packetsLost).toBe(0);
    late = lossBetween(before!, after!);
  }
  expect(late).toBeLessThan(0.2);
  expect(await member.firstAudio(page.key, since)).toBeGreaterThanOrEqual(since);
});

test("the page hears the member's clip, and the member learns how it is received", async () => {
  const since = Date.now();
  await member.speakToEnd(speech);
  const heard = await page.heard(member.key, since);
  const clip = await decodeFile(speech);
  // Shorter segments bear more with what a busy machine makes of time.
  const { correlation } = correlate(clip.samples, heard.samples, 48_000, { segmentMs: 500 });
  expect(correlation).toBeGreaterThan(0.8);
  const stats = await member.stats(page.key);
  expect(stats!.remotePacketsLost).toBe(0);
  expect(stats!.roundTripMs).toBeLessThan(1_000);
  expect((await page.stats(member.key))!.roundTripMs).toBeLessThan(1_000);
  expect((await member.state()).errors).toEqual([]);
});

test("LEFT closes at the page, and the page that joins second is answered", async () => {
  await member.leave();
  await page.until("goodbye", (state) => !(member.key in state.peers));
  await page.leave();
  await member.join();
  await member.speak({ tone: 997, levelDb: -26 });
  const joinedAtMs = Date.now();
  await page.join();
  await Promise.all([member.connected(page.key), page.connected(member.key)]);
  await page.firstSound(member.key, joinedAtMs, 30_000);
  await sleep(1_500);
  const since = Date.now();
  await sleep(1_500);
  const heard = await page.heard(member.key, since);
  expect(Math.abs(dominantFrequency(heard.samples, heard.sampleRate) - 997)).toBeLessThan(3);
  expect(Math.abs(rmsDb(heard.samples) + 26)).toBeLessThan(3);
});

test("a member that is killed says no goodbye, and is heard again when it comes back", async () => {
  await member.kill();
  await expect(member.state()).rejects.toThrow("ended (SIGKILL)");
  expect((await page.state()).members).toContain(member.key);
  member = await Member.start({ session: guest, roomId });
  await member.join();
  // Who joins offers only to whom it knows as fresh: on a busy machine the page's refresh may be late.
  await member.connected(page.key).catch(async () => {
    await member.leave();
    await member.join();
  });
  await Promise.all([member.connected(page.key), page.connected(member.key)]);
  const since = Date.now();
  await member.firstAudio(page.key, since);
});
