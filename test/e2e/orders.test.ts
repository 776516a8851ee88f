// Events of the channel in every order that a person or a homeserver can bring about, on a real Synapse: members moved by
// hand, and the page. The same without a homeserver, and more of it: test/unit/channel/.
import { jest } from "@jest/globals";
import { answered, connected, flows, Hand, Hands, offered, type HandConnection } from "../support/hand.ts";
import { Person } from "../support/people.ts";
import { sleep, Stage, type Scene } from "../support/stage.ts";

jest.setTimeout(120_000);

let stage: Stage;
/** One scene for all: its bot is in the channel, and exempt, because these tests are not about its budget. */
let scene: Scene;
let connections: Hands;
/** Somebody who connected at the beginning and says nothing more. */
let lazy: { one: Hand; connection: HandConnection; sinceMs: number; before: number[] };
const hands: Hand[] = [];
/** Goes on beside the tests, on a bot of its own. */
let stale: Promise<{ answers: number }>;

beforeAll(async () => {
  stage = await Stage.start();
  connections = new Hands();
  scene = await stage.scene();
  await stage.synapse.exemptFromLimits(scene.botUser.userId);
  await tell("!join");
  const one = await hand("lazy");
  const { connection } = await connected(one);
  hands.splice(0);
  lazy = { one, connection, sinceMs: Date.now(), before: [one.count("offer"), one.count("answer")] };
  stale = staleSignalling();
  stale.catch(() => undefined);
});
afterEach(async () => {
  for (const one of hands.splice(0)) {
    await one.close();
    await one.left();
    await one.person.stop();
  }
});
afterAll(async () => {
  connections?.kill();
  await lazy?.one.person.stop();
  await stage?.close();
});

/** Somebody new in the room, with that key; closed with the test. */
async function hand(key: string): Promise<Hand> {
  return another(await newcomer(scene), key);
}

async function newcomer({ host, roomId }: Scene): Promise<Person> {
  const person = await Person.start(await stage.user("hand"));
  await host.invite(roomId, person.userId);
  await person.join(roomId);
  return person;
}

/** Tells the bot to come or go, and waits until it has. */
async function tell(command: "!join" | "!leave", { bot, host, roomId } = scene): Promise<void> {
  const { position } = bot.proc;
  await host.sendText(roomId, command);
  await bot.event("channel_state", { new: command === "!join" ? "in" : "out" }, 15_000, position);
}

function another(person: Person, key: string): Hand {
  const made = new Hand(connections, person, scene.roomId, scene.botKey, key);
  hands.push(made);
  return made;
}

/** Waits until the bot has closed what it had with this key, for the nth time. */
async function gone(one: Hand, ordinal = 1): Promise<void> {
  let count = 0;
  await scene.bot.proc.waitForJson(
    ({ event, peer, state }) =>
      event === "peer_state" && peer === one.key && state === "gone" && ++count === ordinal,
    15_000,
  );
}

/** A bot that hears of an offer more than 30 s late; how it answered when it had offered by itself and been answered. */
async function staleSignalling(): Promise<{ answers: number }> {
  const sleepy = await stage.scene({ unlimited: true });
  await tell("!join", sleepy);
  const person = await newcomer(sleepy);
  const one = new Hand(connections, person, sleepy.roomId, sleepy.botKey, "stale");
  try {
    process.kill(sleepy.bot.proc.pid, "SIGSTOP");
    try {
      await sleepy.host.sendText(sleepy.roomId, "this one ends the poll that waits");
      await one.joined();
      await one.offer();
      await sleep(31_000);
      await one.joined();
    } finally {
      process.kill(sleepy.bot.proc.pid, "SIGCONT");
    }
    await answered(one);
    return { answers: one.count("answer") };
  } finally {
    await one.close();
    await person.stop();
  }
}

test("an offer that comes 0.3 s before its JOINED is held and answered", async () => {
  const one = await hand("early");
  const { connection } = await one.offer();
  await sleep(300);
  expect(one.count("answer")).toBe(0);
  await one.joined();
  await one.accept(connection);
  await flows(one, connection);
});

test("candidates before their offer wait for it, and candidates of nobody do no harm", async () => {
  const one = await hand("trickler");
  await one.joined();
  const { connection, sdp } = await one.prepare();
  const lines = sdp.split("\r\n");
  for (const line of lines) if (line.startsWith("a=candidate:")) await one.sendCandidate(line.slice(2));
  await one.send("offer", lines.filter((line) => !line.startsWith("a=candidate:")).join("\r\n"));
  await one.accept(connection);
  const flowing = await flows(one, connection);
  const stranger = await hand("stranger");
  await stranger.sendCandidate("candidate:1 1 UDP 2122317823 127.0.0.1 9 typ host");
  await sleep(500);
  expect(await flowing.state()).toBe("connected");
});

test("the same offer twice is one connection; a new one from a connected key replaces it", async () => {
  const one = await hand("reloaded");
  const first = await connected(one);
  const before = one.count("answer");
  await one.send("offer", first.sdp);
  await sleep(1_500);
  expect(one.count("answer")).toBe(before);
  expect(await first.connection.state()).toBe("connected");
  await offered(one);
  expect(one.count("answer")).toBeGreaterThan(before);
});

test("stray answers are ignored while media flows", async () => {
  const one = await hand("stray");
  const { connection, sdp } = await connected(one);
  const before = [one.count("offer"), one.count("answer")];
  const stray = await one.prepareAnswer(sdp);
  await one.send("answer", stray.sdp);
  await sleep(2_000);
  expect(await connection.state()).toBe("connected");
  expect([one.count("offer"), one.count("answer")]).toEqual(before);
});

test("who is JOINED and never offers is offered to after 5 s", async () => {
  const one = await hand("silent");
  const sinceMs = Date.now();
  await one.joined();
  await one.signal("offer");
  expect(Date.now() - sinceMs).toBeGreaterThan(4_500);
  await answered(one);
});

test("an answer after its LEFT opens nothing", async () => {
  const one = await hand("leaver");
  await one.joined();
  const { connection, sdp } = await one.prepareAnswer(await one.signal("offer"));
  await one.left();
  await one.send("answer", sdp);
  await sleep(2_000);
  expect(await connection.state()).not.toBe("connected");
  expect(one.count("offer")).toBe(1);
});

test("glare with a key that does not know the rule: theirs is ignored while ours is out, and they answer it", async () => {
  const one = await hand("aaa");
  await one.joined();
  const offer = await one.signal("offer");
  const theirs = await one.offer();
  await sleep(1_500);
  expect(one.count("answer")).toBe(0);
  // As a browser does: rolled back.
  await theirs.connection.close();
  const { connection, sdp } = await one.prepareAnswer(offer);
  await one.send("answer", sdp);
  await flows(one, connection);
});

test("glare with keys that know the rule: the smaller key yields", async () => {
  const rule = { "matrix-voice-bot.glare": "smaller-key-yields" };
  // The bot's key is in capitals.
  const [larger, smaller] = [await hand("zzz"), await hand("AA")];
  expect([larger.key, smaller.key, scene.botKey].toSorted()[1]).toBe(scene.botKey);
  await Promise.all([larger.joined(rule), smaller.joined(rule)]);
  await Promise.all([larger.signal("offer"), smaller.signal("offer")]);
  const [ofLarger, ofSmaller] = await Promise.all([larger.offer(), smaller.offer()]);
  await larger.accept(ofLarger.connection);
  await flows(larger, ofLarger.connection);
  await ofSmaller.connection.close();
  await answered(smaller);
  expect(smaller.count("answer")).toBe(0);
});

test("two keys of one user are two members: the LEFT of one leaves the other", async () => {
  const phone = await hand("phone");
  const laptop = another(phone.person, `LAPTOP${phone.person.userId}`);
  await connected(phone);
  const ofLaptop = await connected(laptop);
  await phone.left();
  await gone(phone);
  await sleep(500);
  expect(await ofLaptop.connection.state()).toBe("connected");
});

test("LEFT and JOINED again at once, eight times: a state block with the older LEFT after the JOINED hangs up on nobody", async () => {
  const one = await hand("hopper");
  for (let visit = 1; visit <= 8; visit++) {
    const { connection } = await connected(one);
    const offers = one.count("offer");
    await sleep(600);
    expect(await connection.state()).toBe("connected");
    expect(one.count("offer")).toBe(offers);
    await one.left();
    await gone(one, visit);
    await connection.close();
  }
});

test("missed refreshes: who never refreshes keeps its media and is not offered to again", async () => {
  const { one, connection, sinceMs, before } = lazy;
  await sleep(Math.max(0, sinceMs + 35_000 - Date.now()));
  expect(await connection.state()).toBe("connected");
  expect([one.count("offer"), one.count("answer")]).toEqual(before);
});

test("a limited sync: an offer that it left out is answered", async () => {
  const one = await hand("hidden");
  const { connection, sdp } = await one.prepare();
  const chatter = async (from: number): Promise<void> => {
    const numbers = Array.from({ length: 80 }, (_, index) => from + index);
    await Promise.all(numbers.map((number) => scene.host.sendText(scene.roomId, `message ${number}`)));
  };
  process.kill(scene.bot.proc.pid, "SIGSTOP");
  try {
    await scene.host.sendText(scene.roomId, "this one ends the poll that waits");
    await one.joined();
    await one.send("offer", sdp);
    await chatter(0);
    await chatter(80);
  } finally {
    process.kill(scene.bot.proc.pid, "SIGCONT");
  }
  await one.accept(connection);
  await flows(one, connection);
});

test("a bot that is killed and back within a second answers no offer of before, though syncs are cached", async () => {
  const one = await hand("survivor");
  await connected(one);
  const [offers, answers] = [one.count("offer"), one.count("answer")];
  await scene.bot.kill();
  await scene.bot.startAgain();
  // It comes back into the channel by itself and offers to who is there.
  await one.joined();
  await answered(one, offers + 1);
  expect(one.count("answer")).toBe(answers);
});

test("the page and the bot that join at the same moment end connected, and so do they after a reload", async () => {
  const { page } = await scene.hostPage("Chrome", { tone: 440, levelDb: -20 });
  for (let round = 0; round < 3; round++) {
    await tell("!leave");
    await Promise.all([page.join(), tell("!join")]);
    await page.connected(scene.botKey, 30_000);
    await sleep(500);
    expect((await page.state()).peers[scene.botKey]?.connection).toBe("connected");
    await page.leave();
  }
  await page.join();
  await page.connected(scene.botKey, 30_000);
  await page.reload();
  await page.join();
  await page.connected(scene.botKey, 30_000);
});

test("signalling that waited for more than 30 s is dropped, and its sender is offered to", async () => {
  expect(await stale).toEqual({ answers: 0 });
});
