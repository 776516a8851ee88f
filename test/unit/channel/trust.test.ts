import { isNewer, mayUseKey, userOfKey } from "../../../src/channel/roster.ts";
import { CHANNEL, scene } from "./bots.ts";

describe("state keys", () => {
  test.each([
    ["PHONE@anna:hs", "@anna:hs"],
    ["PHONE@anna:matrix.example.org:8448", "@anna:matrix.example.org:8448"],
    ["PHONE@anna:[::1]:8008", "@anna:[::1]:8008"],
    ["@anna:hs", "@anna:hs"],
    ["me@home@anna:hs", "@anna:hs"],
    ["Chrome", null],
    ["anna@work", null],
    ["me @ home: laptop", null],
  ])("%s names %s", (key, user) => {
    expect(userOfKey(key)).toBe(user);
  });

  test("a key with a user id in it is that user's alone", () => {
    expect(mayUseKey("PHONE@anna:hs", "@anna:hs")).toBe(true);
    expect(mayUseKey("PHONE@anna:hs", "@mallory:hs")).toBe(false);
    expect(mayUseKey("PHONE@anna:hs", "@anna:hs2")).toBe(false);
    expect(mayUseKey("Chrome", "@mallory:hs")).toBe(true);
  });
});

describe("newest origin_server_ts wins", () => {
  const at = (serverTs: number, wallMs = 1000): { serverTs: number; wallMs: number } => ({
    serverTs,
    wallMs,
  });

  test("ties go to the later arrival, but not of a snapshot", () => {
    expect(isNewer(at(500), at(400), false)).toBe(true);
    expect(isNewer(at(400), at(500), false)).toBe(false);
    expect(isNewer(at(500), at(500), false)).toBe(true);
    expect(isNewer(at(500), at(500), true)).toBe(false);
  });

  test("a time in the future counts as the time received", () => {
    // Received at 1000 with a time of 9999; what came later with an honest time beats it.
    expect(isNewer(at(1500, 1500), at(9999, 1000), false)).toBe(true);
    expect(isNewer(at(900, 1500), at(9999, 1000), false)).toBe(false);
  });

  test("if it is our own clock that is behind, times still compare", () => {
    expect(isNewer(at(7000, 1500), at(8000, 1000), true)).toBe(false);
    expect(isNewer(at(8001, 1500), at(8000, 1000), true)).toBe(true);
  });
});

describe("members", () => {
  test("a key with somebody else's user id in it is ignored", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const mallory = person("mallory", "PHONE@anna:hs");
      mallory.joined();
      mallory.offer(b.key);
      await clock.advance(3000);
      expect(b.memberKeys).toEqual([]);
      expect(mallory.count("answer")).toBe(0);
    }));

  test("a free key is bound to the first sender of its JOINED while it lasts; the room is told of the second", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const [anna, ben] = [person("anna", "Chrome"), person("ben", "Chrome")];
      anna.joined();
      await clock.advance(1000);
      ben.joined();
      ben.offer(b.key);
      await clock.advance(1000);
      ben.left();
      await clock.advance(1000);
      expect(b.session.members()).toMatchObject([{ key: "Chrome", userId: "@anna:hs" }]);
      expect(ben.count("answer")).toBe(0);
      expect(b.said).toEqual([
        { key: "channel.key_taken", params: { user: "@ben:hs", owner: "@anna:hs", name: "Chrome" } },
      ]);
      anna.left();
      await clock.advance(100);
      ben.joined();
      await clock.advance(100);
      expect(b.session.members()).toMatchObject([{ key: "Chrome", userId: "@ben:hs" }]);
      // Told once, however often.
      anna.joined();
      anna.joined();
      ben.joined();
      await clock.advance(100);
      expect(b.told).toEqual(["channel.key_taken", "channel.key_taken"]);
    }));

  test("signalling from a key bound to somebody else is dropped, whatever it is", () =>
    scene(async ({ clock, bot, person, room }) => {
      const anna = person("anna", "Chrome");
      const mallory = person("mallory", "Chrome");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(1000);
      mallory.answer(b.key);
      mallory.offer(b.key);
      const candidate = { rtc_type: "icecandidate", sender: "Chrome", receiver: b.key, body: "candidate:1" };
      room.send(mallory.userId, candidate);
      await clock.advance(100);
      expect(b.plane.requests.filter((request) => request.kind.startsWith("peer.")).length).toBe(1);
      anna.answer(b.key);
      await clock.advance(100);
      expect(b.connected).toEqual(["Chrome"]);
    }));

  test("a held offer is only answered if its sender is who joins", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const [anna, mallory] = [person("anna", "Chrome"), person("mallory", "Chrome")];
      mallory.offer(b.key);
      await clock.advance(100);
      anna.joined();
      await clock.advance(100);
      expect(mallory.count("answer") + anna.count("answer")).toBe(0);
    }));

  test("expire 25 s after we received their last event, by the age the homeserver gives", () =>
    scene(async ({ clock, room, bot, person }) => {
      const [anna, ben] = [person("anna"), person("ben")];
      anna.joined(1);
      await clock.advance(20_000);
      ben.joined(clock.wall() + 3_600_000);
      const b = bot("b");
      expect(b.memberKeys).toEqual([anna.key, ben.key]);
      await clock.advance(4900);
      expect(b.memberKeys).toEqual([anna.key, ben.key]);
      await clock.advance(200);
      expect(b.memberKeys).toEqual([ben.key]);
      await clock.advance(20_000);
      expect(b.memberKeys).toEqual([]);
      expect(b.changes.map((change) => change.kind)).toEqual([
        "member.joined",
        "member.joined",
        "member.left",
        "member.left",
      ]);
      expect(room.events).toHaveLength(2);
    }));

  test("a snapshot with the older LEFT after the JOINED does not win", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      const before = clock.wall() - 5000;
      anna.joined();
      await clock.advance(100);
      b.session.handle({
        eventId: "$older",
        type: "de.mtorials.test.callstate",
        sender: anna.userId,
        stateKey: anna.key,
        originServerTs: before,
        ageMs: 5100,
        content: { join_state: "LEFT", timestamp: 1 },
        origin: "state",
      });
      expect(b.memberKeys).toEqual([anna.key]);
    }));

  test("an older JOINED that arrives after its LEFT does not bring anybody back", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      const before = clock.wall();
      await clock.advance(100);
      anna.left();
      await clock.advance(100);
      anna.joined(1, { originServerTs: before });
      await clock.advance(100);
      expect(b.memberKeys).toEqual([]);
    }));

  test("who is not in the room is not in the channel, whatever callstate and media say", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined();
      const mine = anna.offer(b.key);
      await clock.advance(100);
      mine.setRemote(anna.newest("answer"));
      await clock.advance(100);
      expect(b.connected).toEqual([anna.key]);
      b.session.roomMember(anna.userId, "ban");
      expect(b.memberKeys).toEqual([]);
      expect(b.plane.peers(CHANNEL)).toEqual([]);
      anna.joined();
      anna.offer(b.key);
      await clock.advance(3000);
      expect(b.memberKeys).toEqual([]);
      b.session.roomMember(anna.userId, "join");
      anna.joined();
      await clock.advance(100);
      expect(b.memberKeys).toEqual([anna.key]);
    }));

  test("members are bounded; who is gone makes room", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const people = Array.from({ length: 105 }, (_, index) => person(`p${index}`));
      for (const one of people) one.joined();
      await clock.advance(100);
      expect(b.memberKeys).toHaveLength(100);
      people[0]?.left();
      await clock.advance(50);
      people[104]?.joined();
      await clock.advance(50);
      expect(b.memberKeys).toHaveLength(100);
      expect(b.memberKeys).toContain(people[104]?.key);
    }));
});

describe("a flood of one person", () => {
  test("three hundred made-up members are five, and leave room for everybody else", () =>
    scene(async ({ clock, botInside, room }) => {
      const b = await botInside("b");
      const joined = { join_state: "JOINED", timestamp: 1 };
      for (let index = 0; index < 300; index++) room.send("@mallory:hs", joined, `ghost ${index}`);
      for (let index = 0; index < 95; index++) room.send(`@p${index}:hs`, joined, `key ${index}`);
      await clock.advance(100);
      expect(b.memberKeys.filter((key) => key.startsWith("ghost"))).toHaveLength(5);
      expect(b.memberKeys).toHaveLength(100);
    }));

  test("who left one of the five keys may take another", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const keys = Array.from({ length: 6 }, (_, index) => person("anna", `tab ${index}`));
      for (const key of keys) key.joined();
      await clock.advance(100);
      expect(b.memberKeys).not.toContain("tab 5");
      keys[0]?.left();
      keys[1]?.joined(); // a refresh is no new key
      await clock.advance(100);
      keys[5]?.joined();
      await clock.advance(100);
      expect(b.memberKeys).toEqual(["tab 1", "tab 2", "tab 3", "tab 4", "tab 5"]);
    }));

  test("the room is told of foreign hands on keys a few times in ten minutes, however many there are", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      for (let index = 0; index < 40; index++) {
        person(`owner${index}`, `key ${index}`).joined();
        await clock.advance(50);
        person("mallory", `key ${index}`).joined();
        person(`mallory${index}`, b.key).joined();
        await clock.advance(50);
      }
      expect(b.told.length).toBeLessThanOrEqual(6);
      expect(b.told.length).toBeGreaterThan(1);
    }));

  test("an answer that still waits is taken back when the next offer makes it void", () => {
    let writeMs = 10;
    return scene(
      async ({ clock, botInside, person }) => {
        const b = await botInside("b");
        const anna = person("anna");
        anna.joined();
        await clock.advance(100);
        writeMs = 2000;
        for (let count = 0; count < 5; count++) {
          anna.offer(b.key);
          await clock.advance(100);
        }
        await clock.advance(2000);
        expect(anna.count("answer")).toBe(1);
      },
      { writeMs: () => writeMs },
    );
  });
});

describe("signalling", () => {
  test("older than 30 s is dropped, and each event is handled once", () =>
    scene(async ({ clock, botInside, person, room }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined();
      await clock.advance(100);
      anna.offer(b.key, "web", { originServerTs: clock.wall() - 31_000 });
      await clock.advance(100);
      expect(anna.count("answer")).toBe(0);
      anna.offer(b.key);
      await clock.advance(100);
      expect(anna.count("answer")).toBe(1);
      const offer = room.events.findLast((event) => event.sender === anna.userId);
      if (offer) b.session.handle(offer);
      await clock.advance(100);
      expect(anna.count("answer")).toBe(1);
    }));

  test("an older offer that arrives after a newer one is void", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined();
      await clock.advance(1000);
      anna.offer(b.key);
      anna.offer(b.key, "web", { originServerTs: clock.wall() - 500 });
      await clock.advance(100);
      expect(anna.count("answer")).toBe(1);
    }));

  test("offers of one person are bounded at 10 a minute", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      for (let count = 0; count < 40; count++) {
        if (count % 10 === 0) anna.joined();
        anna.offer(b.key);
        await clock.advance(100);
      }
      expect(anna.count("answer")).toBe(10);
      await clock.advance(60_000);
      anna.joined();
      anna.offer(b.key);
      await clock.advance(100);
      expect(anna.count("answer")).toBe(11);
    }));

  test("who is out of the channel answers nobody", () =>
    scene(async ({ clock, bot, person, room }) => {
      const b = bot("b");
      const anna = person("anna");
      anna.joined();
      anna.offer(b.key);
      await clock.advance(10_000);
      expect(b.memberKeys).toEqual([anna.key]);
      expect(room.events.filter((event) => event.sender === b.userId)).toEqual([]);
      expect(b.plane.requests).toEqual([]);
    }));
});
