// The browser page without the bot: two of them over a real homeserver. What it measures of the bot is worth as much
// as this.
import { TestBrowser, type PageMember } from "../support/browser.ts";
import { correlate } from "../support/correlate.ts";
import { decodeFile } from "../support/decode.ts";
import { dominantFrequency, rmsDb, toneDb } from "../support/measure.ts";
import { Person } from "../support/people.ts";
import { startSynapse, type Synapse } from "../support/synapse.ts";

let synapse: Synapse;
let browser: TestBrowser;
let people: Person[];
let roomId: string;
let ann: PageMember;
let ben: PageMember;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

beforeAll(async () => {
  [synapse, browser] = await Promise.all([startSynapse({ rateLimits: "off" }), TestBrowser.start()]);
  const users = await Promise.all([synapse.createUser("ann"), synapse.createUser("ben")]);
  people = await Promise.all(users.map((user) => Person.start(user)));
  roomId = await people[0]!.createVoiceRoom({ invite: [users[1].userId] });
  await people[1]!.join(roomId);
  ann = await browser.open({ session: users[0], roomId, key: "Chrome", signal: { tone: 440, levelDb: -20 } });
  ben = await browser.open({
    session: users[1],
    roomId,
    key: "firefox@ben:voice.test",
    signal: { tone: 997, levelDb: -26 },
  });
});

afterAll(async () => {
  await browser?.close();
  await Promise.all((people ?? []).map((person) => person.stop()));
  await synapse?.stop();
});

test("the second to join offers, and they hear each other's tone at its level", async () => {
  await ann.join();
  await ben.join();
  await Promise.all([ann.connected(ben.key), ben.connected(ann.key)]);
  const sent = (await ben.log()).filter((entry) => entry.way === "out").map((entry) => entry.type);
  expect(sent).toContain("offer");
  expect(sent).not.toContain("answer");
  expect((await ann.log()).filter((entry) => entry.way === "out").map((entry) => entry.type)).toContain(
    "answer",
  );

  // A busy machine takes its time to start a browser's sound.
  await Promise.all([ann.firstSound(ben.key, 0, 30_000), ben.firstSound(ann.key, 0, 30_000)]);
  await sleep(1_500); // The jitter buffers settle.
  const since = Date.now();
  await sleep(2_000);
  for (const [listener, speaker, tone, levelDb] of [
    [ann, ben, 997, -26],
    [ben, ann, 440, -20],
  ] as const) {
    const heard = await listener.heard(speaker.key, since);
    expect(heard.samples.length / heard.sampleRate).toBeGreaterThan(1.7);
    expect(Math.abs(heard.startMs - since)).toBeLessThan(60);
    expect(Math.abs(dominantFrequency(heard.samples, heard.sampleRate) - tone)).toBeLessThan(3);
    expect(Math.abs(rmsDb(heard.samples) - levelDb)).toBeLessThan(3);
    expect(toneDb(heard.samples, heard.sampleRate, tone === 997 ? 440 : 997)).toBeLessThan(-50);
  }
});

test("signalling is the web client's: JSON strings, a receiver, candidates one a second, no `candidate`", async () => {
  await people[0]!.waitForEvent(
    (event) => event.type === "de.mtorials.test.call" && event.content["rtc_type"] === "icecandidate",
  );
  const events = people[0]!.events.filter((event) => event.type === "de.mtorials.test.call");
  for (const { content } of events) {
    expect(["offer", "answer", "icecandidate"]).toContain(content["rtc_type"]);
    expect([ann.key, ben.key]).toContain(content["receiver"]);
    expect(typeof content["body"]).toBe("string");
    const body = JSON.parse(content["body"] as string) as { type?: string; sdp?: string; candidate?: string };
    if (content["rtc_type"] === "icecandidate") expect(body.candidate).toMatch(/^candidate:/);
    else {
      expect(body.type).toBe(content["rtc_type"]);
      expect(body.sdp).not.toContain("a=candidate");
      expect(body.sdp).toContain("a=rtpmap:111 opus/48000/2");
    }
  }
  const state = people[0]!.events.filter((event) => event.type === "de.mtorials.test.callstate");
  expect(typeof state[0]!.content["timestamp"]).toBe("number");
});

test("a clip arrives as that clip and no other", async () => {
  const since = Date.now();
  await ann.speakToEnd("speech.ogg");
  await sleep(300);
  const heard = await ben.heard(ann.key, since);
  const clip = await decodeFile(new URL("../../audio/speech.ogg", import.meta.url).pathname);
  const other = await decodeFile(new URL("../../audio/first-light.mp3", import.meta.url).pathname);
  // Shorter segments bear more with what a busy machine makes of time.
  const { correlation } = correlate(clip.samples, heard.samples, 48_000, { segmentMs: 500 });
  expect(correlation).toBeGreaterThan(0.8);
  expect(correlate(heard.samples, other.samples, 48_000).correlation).toBeLessThan(0.35);
  const stats = await ben.stats(ann.key);
  expect(stats).toMatchObject({ packetsLost: 0 });
  expect(stats!.codec).toContain("opus");
  expect(stats!.roundTripMs).not.toBeNull();
});

test("in silence packets go on, as from a quiet microphone", async () => {
  await ann.silence();
  await sleep(300);
  const since = Date.now();
  const before = await ann.stats(ben.key);
  await sleep(1_000);
  const after = await ann.stats(ben.key);
  expect(after!.packetsSent - before!.packetsSent).toBeGreaterThan(30);
  expect(rmsDb((await ben.heard(ann.key, since)).samples)).toBeLessThan(-70);
});

test("what the web client cannot read, this page cannot either", async () => {
  const before = (await ann.errors()).length;
  const base = { rtc_type: "offer", sender: ben.key, receiver: ann.key };
  await people[1]!.send(roomId, "de.mtorials.test.call", { ...base, body: { type: "offer", sdp: "v=0" } });
  await people[1]!.send(roomId, "de.mtorials.test.call", { ...base, body: "v=0\r\n" });
  // Not for it, from nobody it knows, of a type it does not know: dropped without a word.
  const unread = { ...base, body: "{" };
  await people[1]!.send(roomId, "de.mtorials.test.call", { ...unread, receiver: "somebody" });
  await people[1]!.send(roomId, "de.mtorials.test.call", { rtc_type: "offer", sender: ben.key, body: "{" });
  await people[1]!.send(roomId, "de.mtorials.test.call", { ...unread, sender: "nobody" });
  await people[1]!.send(roomId, "de.mtorials.test.call", { ...unread, rtc_type: "candidate" });
  await people[1]!.send(roomId, "de.mtorials.test.call", { ...unread, rtc_type: "answer" });
  const errors = async (): Promise<readonly string[]> => (await ann.errors()).slice(before);
  const deadline = Date.now() + 10_000;
  while ((await errors()).length < 3 && Date.now() < deadline) await sleep(50);
  expect(await errors()).toHaveLength(3);
  for (const error of await errors()) expect(error).toContain("SyntaxError");
});

test("LEFT closes on both sides, and coming back after a reload is heard again", async () => {
  await ben.leave();
  await ann.until("goodbye of ben", (state) => !state.members.includes(ben.key) && !(ben.key in state.peers));
  await ben.join();
  await Promise.all([ann.connected(ben.key), ben.connected(ann.key)]);
  await ben.leave();
  await ben.reload();
  expect(await ben.state()).toMatchObject({ joined: false, members: [ann.key], peers: {} });
  await ben.join();
  await Promise.all([ann.connected(ben.key), ben.connected(ann.key)]);
  const since = Date.now();
  expect(await ann.firstSound(ben.key, since)).toBeGreaterThanOrEqual(since - 60);
});
