// Both dialects, as strict as their readers come, on a real homeserver with its default limits for the bot: README
// members (a process that understands no JSON body) and web clients (a page that understands nothing else). Sentences in
// test names are docs/PROTOCOL.md's.
import { jest } from "@jest/globals";
import { Member } from "../support/member.ts";
import { toMono, toneDb, type Pcm } from "../support/measure.ts";
import { callStateType, Person } from "../support/people.ts";
import { sleep, Stage, type Scene } from "../support/stage.ts";

jest.setTimeout(180_000);

const CALL = "de.mtorials.test.call";
const README_HZ = 1_500;
const WEB_HZ = 440;

let stage: Stage;
const members: Member[] = [];
beforeAll(async () => (stage = await Stage.start({ maxUploadSize: "20M" })));
afterEach(async () => {
  await Promise.all(members.splice(0).map((member) => member.kill()));
});
afterAll(async () => stage?.close());

/** A scene whose bot has no limits: what it says about recordings is not to compete with what is tested. */
async function exempt(): Promise<Scene> {
  const scene = await stage.scene();
  await stage.synapse.exemptFromLimits(scene.botUser.userId);
  return scene;
}

/** A README member in the room, not in the channel yet. */
async function reader(scene: Scene, timestamps: "string" | "missing"): Promise<Member> {
  const user = await stage.user("reader");
  const person = await Person.start(user);
  await scene.host.invite(scene.roomId, user.userId);
  await person.join(scene.roomId);
  await person.stop();
  const member = await Member.start({ session: user, roomId: scene.roomId, dialect: "readme", timestamps });
  members.push(member);
  return member;
}

interface Listener {
  readonly key: string;
  connected(key: string): Promise<void>;
  heard(key: string, sinceMs: number): Promise<Pcm>;
  speak(signal: { tone: number; levelDb: number }): Promise<unknown>;
}

/** The bot plays and everybody hears it; it records and everybody is on a track of their own. */
async function heardAndRecorded(
  scene: Scene,
  people: readonly { who: Listener; name: string; hz: number }[],
): Promise<void> {
  await scene.command("!play first light", /Now playing/);
  await Promise.all(people.map(({ who }) => who.connected(scene.botKey)));
  for (const { who, hz } of people) await who.speak({ tone: hz, levelDb: -20 });
  await scene.command("!record start", /Recording\./);
  await sleep(1_000);
  const sinceMs = Date.now();
  await sleep(4_000);
  for (const { who } of people) {
    const heard = await who.heard(scene.botKey, sinceMs);
    expect(stage.matchFirstLight(heard).correlation).toBeGreaterThan(0.8);
  }
  await scene.command("!record stop", /Recording ended/);
  await scene.botSays(/The recording: \d+ files/, 60_000);
  for (const { name, hz } of people) {
    const track = await scene.delivered(`${name}.ogg`);
    for (const other of people) {
      const levelDb = toneDb(toMono(track), track.sampleRate, other.hz);
      if (other.hz === hz) expect(levelDb).toBeGreaterThan(-24);
      else expect(levelDb).toBeLessThan(-60);
    }
  }
}

/** What the bot sent to a key, or to everybody, in order. */
function signals(scene: Scene, receiver: string | undefined): Readonly<Record<string, unknown>>[] {
  return scene.host.events
    .filter(({ type, sender }) => type === CALL && sender === scene.botUser.userId)
    .map(({ content }) => content)
    .filter((content) => content["receiver"] === receiver);
}

/** Seconds between the bot's JOINED events from `afterMs` on, by the homeserver's clock. */
function refreshSeconds(scene: Scene, afterMs: number): number[] {
  const joined = scene.host.events.filter(
    ({ type, stateKey, content, originServerTs }) =>
      type === callStateType &&
      stateKey === scene.botKey &&
      content["join_state"] === "JOINED" &&
      originServerTs >= afterMs,
  );
  // A sync can bring the same event as state and in its timeline.
  const times = [...new Map(joined.map(({ eventId, originServerTs }) => [eventId, originServerTs])).values()];
  return times.slice(1).map((atMs, index) => (atMs - times[index]!) / 1000);
}

test("a README reader alone with the bot, which comes last: the offer has the form its membership suggests", async () => {
  const scene = await exempt();
  const one = await reader(scene, "missing");
  await one.join();
  await heardAndRecorded(scene, [{ who: one, name: "reader", hz: README_HZ }]);
  const sent = signals(scene, one.key);
  expect(sent.map((content) => content["rtc_type"])).toEqual(["offer"]);
  expect(String(sent[0]?.["body"])).toMatch(/^v=0\r\n[^]*a=candidate:/);
  expect((await one.state()).errors).toEqual([]);
});

test("a README reader alone with the bot, which was first: an answer has the form of its offer", async () => {
  const scene = await exempt();
  await scene.command("!join", /I am in the voice channel/);
  const one = await reader(scene, "string");
  await one.join();
  await heardAndRecorded(scene, [{ who: one, name: "reader", hz: README_HZ }]);
  const sent = signals(scene, one.key);
  expect(sent.map((content) => content["rtc_type"])).toEqual(["answer"]);
  expect(String(sent[0]?.["body"])).toMatch(/^v=0\r\n/);
  expect((await one.state()).errors).toEqual([]);
});

test("a web client alone with the bot, which was first, then last: JSON strings, and nothing without a receiver", async () => {
  const scene = await exempt();
  await scene.command("!join", /I am in the voice channel/);
  const { page } = await scene.hostPage("Chrome");
  await page.join();
  await heardAndRecorded(scene, [{ who: page, name: "host", hz: WEB_HZ }]);
  await scene.command("!leave", /I have left/);
  await page.until("goodbye", (state) => !(scene.botKey in state.peers));
  await scene.command("!join", /I am in the voice channel/);
  await page.connected(scene.botKey);
  expect(signals(scene, page.key).map((content) => content["rtc_type"])).toEqual(["answer", "offer"]);
  for (const content of signals(scene, page.key)) expect(String(content["body"])).toMatch(/^\{"type":/);
  expect(signals(scene, undefined)).toEqual([]);
  expect(await page.errors()).toEqual([]);
});

test("both together, before the bot: each is offered to in its own form", async () => {
  const scene = await exempt();
  const [one, { page }] = [await reader(scene, "string"), await scene.hostPage("Chrome")];
  await page.join();
  await one.join();
  await heardAndRecorded(scene, [
    { who: page, name: "host", hz: WEB_HZ },
    { who: one, name: "reader", hz: README_HZ },
  ]);
  expect(String(signals(scene, page.key)[0]?.["body"])).toMatch(/^\{"type":"offer"/);
  expect(String(signals(scene, one.key)[0]?.["body"])).toMatch(/^v=0/);
});

test("both together, after the bot: each hears it and is recorded", async () => {
  const scene = await exempt();
  await scene.command("!join", /I am in the voice channel/);
  const [one, { page }] = [await reader(scene, "missing"), await scene.hostPage("Chrome")];
  await one.join();
  await page.join();
  await heardAndRecorded(scene, [
    { who: page, name: "host", hz: WEB_HZ },
    { who: one, name: "reader", hz: README_HZ },
  ]);
});

test("at the default limits nobody loses the bot in 46 s: 7 s while a README reader is there, else 14 s", async () => {
  const scene = await stage.scene();
  await scene.command("!join", /I am in the voice channel/);
  const [one, { page }] = [await reader(scene, "missing"), await scene.hostPage("Chrome")];
  await one.join();
  await page.join();
  await Promise.all([one.connected(scene.botKey), page.connected(scene.botKey)]);
  const startMs = Date.now();
  await sleep(46_000);
  const hurried = refreshSeconds(scene, startMs);
  expect(hurried.length).toBeGreaterThanOrEqual(4);
  // README readers forget a member after 10 s.
  expect(hurried.filter((seconds) => seconds > 9.5)).toEqual([]);
  const heldByReader = await one.state();
  expect(heldByReader.members).toContain(scene.botKey);
  expect(heldByReader.peers[scene.botKey]).toBe("connected");
  // It cannot read what the page sends; of the bot it has nothing to complain.
  expect(heldByReader.errors.filter((error) => error.includes(scene.botKey))).toEqual([]);
  const heldByPage = await page.state();
  expect(heldByPage.members).toContain(scene.botKey);
  expect(heldByPage.peers[scene.botKey]?.connection).toBe("connected");

  await one.leave();
  await sleep(1_000);
  const leftMs = Date.now();
  await sleep(36_000);
  const calm = refreshSeconds(scene, leftMs);
  expect(calm.length).toBeGreaterThan(0);
  expect(Math.min(...calm)).toBeGreaterThan(12);
});
