// Every order in which events of honest members can come that other files of this folder do not have: names are
// sentences of docs/PROTOCOL.md.
import { BotError } from "../../../src/base/errors.ts";
import { MEMBERSHIP_TYPE } from "../../../src/channel/ports.ts";
import { CHANNEL, scene } from "./bots.ts";
import type { Bot, Person, Scene } from "./bots.ts";

/** Anna is in, her offer was answered, media flows. */
async function connected({ clock }: Scene, b: Bot, anna: Person): Promise<void> {
  anna.joined();
  const mine = anna.offer(b.key);
  await clock.advance(100);
  mine.setRemote(anna.newest("answer"));
  await clock.advance(100);
  expect(b.connected).toContain(anna.key);
}

describe("speak as spoken to", () => {
  test("the first offer has the form that the membership suggests: a number the web client's, a string or none README", () =>
    scene(async ({ clock, bot, person }) => {
      const [web, text, none] = [person("web"), person("text"), person("none")];
      web.joined(1);
      text.joined("1700000000000");
      none.joined(null);
      const b = bot("b");
      void b.session.join();
      await clock.advance(1000);
      const isRaw = (one: Person): boolean => String(one.inbox[0]?.body).startsWith("v=0");
      expect([web, text, none].map(isRaw)).toEqual([false, true, true]);
    }));

  test("a later offer has the form that the peer used last, whatever its membership suggests", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined(1);
      const mine = anna.offer(b.key, "readme");
      await clock.advance(100);
      mine.setRemote(anna.newest("answer"));
      await clock.advance(100);
      b.plane.emit({ kind: "peer.state", channel: CHANNEL, peer: anna.key, state: "failed" });
      anna.joined(2);
      await clock.advance(5200);
      expect(anna.inbox.map(({ rtcType, body }) => [rtcType, String(body).slice(0, 3)])).toEqual([
        ["answer", "v=0"],
        ["offer", "v=0"],
      ]);
    }));

  test("a candidate without receiver is written only to a peer that is known to speak README", () =>
    scene(async ({ clock, bot, person, room }) => {
      const [web, readme] = [person("web"), person("readme")];
      web.joined(1);
      readme.joined("1");
      const b = bot("b");
      void b.session.join();
      await clock.advance(1000);
      const late = async (): Promise<unknown[]> => {
        const before = room.signals(b.userId).length;
        for (const peer of [web.key, readme.key]) {
          b.plane.emit({
            kind: "peer.candidate",
            channel: CHANNEL,
            peer,
            candidate: "candidate:9",
            mid: "0",
          });
        }
        await clock.advance(100);
        return room.signals(b.userId).slice(before);
      };
      // Nobody said a word yet: each in the form of its offer, and nothing for everybody.
      expect(await late()).toMatchObject([
        { rtc_type: "icecandidate", receiver: web.key },
        { rtc_type: "candidate", receiver: readme.key, body: "candidate:9" },
      ]);
      web.answer(b.key, "web");
      readme.answer(b.key, "readme");
      await clock.advance(100);
      expect(await late()).toEqual([
        expect.objectContaining({ rtc_type: "icecandidate", receiver: web.key }),
        { rtc_type: "candidate", sender: b.key, body: "candidate:9" },
      ]);
    }));

  test("the bot's own membership: its user in the key, a number as time", () =>
    scene(async ({ botInside, room }) => {
      const b = await botInside("b");
      const event = room.events.find(({ type }) => type === MEMBERSHIP_TYPE);
      expect(event).toMatchObject({ stateKey: "BOT@b:hs", sender: "@b:hs" });
      expect(event?.content).toEqual({
        join_state: "JOINED",
        timestamp: expect.any(Number) as unknown,
        "matrix-voice-bot.glare": "smaller-key-yields",
      });
      expect(b.key).toBe("BOT@b:hs");
    }));
});

describe("after LEFT", () => {
  test("an answer is for nobody", () =>
    scene(async ({ clock, bot, person }) => {
      const anna = person("anna");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(1000);
      anna.left();
      anna.answer(b.key);
      await clock.advance(10_000);
      expect(b.memberKeys).toEqual([]);
      expect(b.plane.peers(CHANNEL)).toEqual([]);
      expect(anna.count("offer")).toBe(1);
    }));

  test("an answer that comes after our own LEFT opens nothing", () =>
    scene(async ({ clock, bot, person }) => {
      const anna = person("anna");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(1000);
      const left = b.session.leave();
      anna.answer(b.key);
      await clock.advance(1000);
      await left;
      expect(b.session.state).toBe("out");
      expect(b.plane.isOpen(CHANNEL)).toBe(false);
    }));

  test("an offer from before a LEFT is void, whichever comes first", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const [anna, ben] = [person("anna"), person("ben")];
      const before = clock.wall();
      await clock.advance(500);
      anna.joined();
      anna.left();
      anna.offer(b.key, "web", { originServerTs: before });
      ben.offer(b.key, "web", { originServerTs: before });
      ben.left();
      await clock.advance(100);
      anna.joined();
      ben.joined();
      await clock.advance(1000);
      expect(anna.count("answer") + ben.count("answer")).toBe(0);
      // Both are members who never offered.
      await clock.advance(5000);
      expect([anna.count("offer"), ben.count("offer")]).toEqual([1, 1]);
    }));
});

describe("twice", () => {
  test("the same description in another event is no new connection, while one that differs is", () =>
    scene(async (stage) => {
      const { clock, botInside, person, room } = stage;
      const b = await botInside("b");
      const anna = person("anna");
      await connected(stage, b, anna);
      const again = room.signals(anna.userId, "offer")[0];
      anna.send(again ?? {});
      await clock.advance(1000);
      expect(b.connected).toEqual([anna.key]);
      expect(anna.count("answer")).toBe(1);
      anna.offer(b.key);
      await clock.advance(100);
      expect(anna.count("answer")).toBe(2);
    }));

  test("an answer that comes twice is one", () =>
    scene(async ({ clock, bot, person, room }) => {
      const anna = person("anna");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(1000);
      anna.answer(b.key);
      const answer = room.signals(anna.userId, "answer")[0] ?? {};
      anna.send(answer);
      await clock.advance(500);
      anna.send(answer);
      await clock.advance(500);
      expect(b.connected).toEqual([anna.key]);
      expect(b.plane.requests.filter(({ kind }) => kind === "peer.accept")).toHaveLength(1);
    }));

  test("a sync that is replayed changes nothing: its events are known", () =>
    scene(async (stage) => {
      const { clock, botInside, person, room } = stage;
      const b = await botInside("b");
      const anna = person("anna");
      await connected(stage, b, anna);
      const requests = b.plane.requests.length;
      const sent = room.events.length;
      for (const event of [...room.events]) {
        b.session.handle({ ...event, ageMs: clock.wall() - event.originServerTs });
      }
      await clock.advance(500);
      expect(b.connected).toEqual([anna.key]);
      expect(b.plane.requests).toHaveLength(requests);
      expect(room.events).toHaveLength(sent);
    }));

  test("a restarted bot that is given the last two minutes as live answers nothing of it that is older than 30 s", () =>
    scene(async ({ clock, room, bot, person }) => {
      const anna = person("anna");
      anna.joined();
      anna.offer("BOT@b:hs");
      await clock.advance(31_000);
      anna.joined();
      const b = bot("b");
      const cached = [...room.events];
      void b.session.join();
      await clock.advance(500);
      for (const event of cached) {
        b.session.handle({ ...event, ageMs: clock.wall() - event.originServerTs });
      }
      await clock.advance(500);
      expect(anna.count("answer")).toBe(0);
      expect(anna.count("offer")).toBe(1);
    }));
});

test("two keys of one user are two members; the LEFT of one leaves the other, and each its own form", () =>
  scene(async (stage) => {
    const { clock, botInside, person } = stage;
    const b = await botInside("b");
    const [phone, laptop] = [person("anna", "PHONE@anna:hs"), person("anna", "LAPTOP@anna:hs")];
    await connected(stage, b, phone);
    await connected(stage, b, laptop);
    expect(b.connected).toEqual([laptop.key, phone.key]);
    phone.left();
    await clock.advance(100);
    expect(b.connected).toEqual([laptop.key]);
    expect(b.plane.peers(CHANNEL)).toEqual([laptop.key]);
  }));

test("another device of the bot's own user is a member like anybody", () =>
  scene(async (stage) => {
    const b = await stage.botInside("b");
    await connected(stage, b, stage.person("b", "PHONE@b:hs"));
  }));

test("our own refreshes missed for a minute: media goes on, nothing is offered again when they are back", () =>
  scene(async (stage) => {
    const { clock, botInside, person, room } = stage;
    const b = await botInside("b");
    const anna = person("anna");
    await connected(stage, b, anna);
    const before = room.memberships(b.userId, b.key).length;
    for (let attempt = 0; attempt < 10; attempt++) {
      room.refuse(b.userId, new BotError("homeserver", "502", { retryable: true }));
    }
    await clock.advance(60_000);
    expect(room.memberships(b.userId, b.key)).toHaveLength(before);
    await clock.advance(15_000);
    expect(room.memberships(b.userId, b.key).length).toBeGreaterThan(before);
    expect(b.connected).toEqual([anna.key]);
    expect(room.signals(b.userId)).toHaveLength(1);
  }));

test("a reader that closed because our refresh came too late is offered to 5 s after its next one", () =>
  scene(async (stage) => {
    const { clock, botInside, person } = stage;
    const b = await botInside("b");
    const anna = person("anna");
    anna.joined("1");
    const mine = anna.offer(b.key, "readme");
    await clock.advance(100);
    mine.setRemote(anna.newest("answer"));
    await clock.advance(100);
    mine.close();
    await clock.advance(1000);
    expect(b.connected).toEqual([]);
    anna.joined("2");
    await clock.advance(5200);
    anna.answer(b.key, "readme");
    await clock.advance(100);
    expect(b.connected).toEqual([anna.key]);
  }));

test("the clocks of members may be wrong by hours, either way", () =>
  scene(async ({ clock, botInside, person }) => {
    const b = await botInside("b");
    const [slow, fast] = [person("slow"), person("fast")];
    slow.joined(clock.wall() - 7_200_000);
    fast.joined(clock.wall() + 7_200_000);
    await clock.advance(24_000);
    expect(b.memberKeys).toEqual([slow.key, fast.key]);
    await clock.advance(2000);
    expect(b.memberKeys).toEqual([]);
  }));

test("of glare where an offer of theirs was refused, the answer that comes to ours is taken, in its form", () =>
  scene(async ({ clock, bot, person }) => {
    const anna = person("anna", "AAA");
    anna.joined("1");
    const b = bot("b");
    void b.session.join();
    await clock.advance(1000);
    anna.offer(b.key, "readme");
    await clock.advance(100);
    expect(anna.count("answer")).toBe(0);
    // She neither rolls back nor answers: after 8 s ours comes again, and hers, being new, does not cross it.
    await clock.advance(8000);
    expect(anna.count("offer")).toBe(2);
    anna.answer(b.key, "readme");
    await clock.advance(100);
    expect(b.connected).toEqual([anna.key]);
  }));
