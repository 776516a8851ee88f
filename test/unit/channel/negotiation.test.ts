import { BotError } from "../../../src/base/errors.ts";
import { CHANNEL, scene } from "./bots.ts";

describe("who offers", () => {
  test("an offer of a member is answered, in the form it had", () =>
    scene(async ({ clock, botInside, person, room }) => {
      const b = await botInside("b");
      const [web, readme] = [person("web"), person("readme")];
      web.joined();
      readme.joined("1700000000000");
      const fromWeb = web.offer(b.key, "web");
      const fromReadme = readme.offer(b.key, "readme");
      await clock.advance(100);
      expect(room.signals(b.userId).map((signal) => [signal["receiver"], signal["rtc_type"]])).toEqual([
        [web.key, "answer"],
        [readme.key, "answer"],
      ]);
      expect(String(web.inbox[0]?.body)).toMatch(/^\{"type":"answer"/);
      expect(String(readme.inbox[0]?.body)).toMatch(/^v=0/);
      fromWeb.setRemote(web.newest("answer"));
      fromReadme.setRemote(readme.newest("answer"));
      await clock.advance(100);
      expect(b.connected).toEqual([readme.key, web.key]);
    }));

  test("the other side is left alone until our answer has left, which the rate limit may delay", () => {
    let writeMs = 10;
    return scene(
      async ({ clock, botInside, person }) => {
        const b = await botInside("b");
        writeMs = 700;
        const anna = person("anna");
        anna.joined();
        anna.offer(b.key);
        await clock.advance(300);
        const kinds = (): string[] =>
          b.plane.requests.map(({ kind }) => kind).filter((kind) => kind.startsWith("peer.answer"));
        expect(kinds()).toEqual(["peer.answer"]);
        expect(anna.count("answer")).toBe(0);
        await clock.advance(500);
        expect(anna.count("answer")).toBe(1);
        expect(kinds()).toEqual(["peer.answer", "peer.answered"]);
      },
      { writeMs: () => writeMs },
    );
  });

  test("an offer to another device or of our own key is not ours to answer", () =>
    scene(async ({ clock, botInside, person, room }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined();
      anna.offer("somebody-else");
      await clock.advance(1000);
      expect(room.signals(b.userId)).toEqual([]);
    }));

  test("JOINED but no offer within 5 s: offer", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined();
      await clock.advance(4900);
      expect(anna.count("offer")).toBe(0);
      await clock.advance(300);
      expect(anna.count("offer")).toBe(1);
      anna.answer(b.key);
      await clock.advance(200);
      expect(b.connected).toEqual([anna.key]);
    }));

  test("unanswered offers go out again at 8, 20 and 45 s, trying the other form each time", () =>
    scene(async ({ clock, bot, person, room }) => {
      const [anna, other] = [person("anna"), person("other")];
      const keepAlive = (): void => {
        anna.joined();
        other.joined();
      };
      keepAlive();
      const b = bot("b");
      const joined = b.session.join();
      await clock.advance(1000);
      await joined;
      other.answer(b.key);
      const forms = (): string[] =>
        anna.inbox.map(({ body }) => (String(body).startsWith("v=0") ? "readme" : "web"));
      expect(forms()).toEqual(["web"]);
      const startMs = clock.now() - 640;
      const times: number[] = [];
      for (let tick = 0; tick < 1000; tick++) {
        if (tick % 100 === 0) keepAlive();
        const before = anna.count("offer");
        await clock.advance(100);
        if (anna.count("offer") > before) times.push(Math.round((clock.now() - startMs) / 1000));
      }
      expect(times).toEqual([8, 20, 45]);
      expect(forms()).toEqual(["web", "readme", "web", "readme"]);
      // Somebody else is connected: no reset for everybody.
      expect(room.memberships(b.userId, b.key)).not.toContain("LEFT");
    }));

  test("last resort: LEFT, 300 ms, JOINED, 1 s, offer, only when nobody else is connected, and not often", () =>
    scene(async ({ clock, bot, person, room }) => {
      const anna = person("anna");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      for (let second = 0; second < 300; second += 10) {
        await clock.advance(10_000);
        anna.joined();
      }
      const memberships = room.memberships(b.userId, b.key);
      expect(memberships.filter((state) => state === "LEFT")).toHaveLength(1);
      expect(b.session.state).toBe("in");
      anna.answer(b.key);
      await clock.advance(100);
      expect(anna.count("offer")).toBeGreaterThan(5);
      expect(anna.count("offer")).toBeLessThan(14);
    }));

  test("few offers are on their way at a time, and refreshes go between them", () =>
    scene(
      async ({ clock, bot, person, room }) => {
        const people = Array.from({ length: 20 }, (_, index) => person(`p${index}`));
        for (const one of people) one.joined();
        const b = bot("b");
        void b.session.join();
        await clock.advance(9000);
        // Each write takes 4 s: JOINED, then three offers at a time.
        expect(room.signals(b.userId, "offer")).toHaveLength(3);
        for (let tick = 0; tick < 8; tick++) {
          for (const one of people) one.joined();
          await clock.advance(4000);
        }
        expect(room.memberships(b.userId, b.key).length).toBeGreaterThanOrEqual(2);
        expect(room.signals(b.userId, "offer").length).toBeGreaterThan(10);
      },
      { writeMs: () => 4000 },
    ));
});

describe("arriving out of order", () => {
  test("an offer up to 2 s before its JOINED is held and answered", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.offer(b.key);
      await clock.advance(1800);
      expect(anna.count("answer")).toBe(0);
      anna.joined();
      await clock.advance(100);
      expect(anna.count("answer")).toBe(1);
    }));

  test("also from a LEFT key; after 2 s it is dropped", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined();
      anna.left();
      anna.offer(b.key);
      await clock.advance(2100);
      anna.joined();
      await clock.advance(1000);
      expect(anna.count("answer")).toBe(0);
      anna.left();
      await clock.advance(50);
      anna.offer(b.key);
      anna.joined();
      await clock.advance(200);
      expect(anna.count("answer")).toBe(1);
    }));

  test("trickled candidates are taken at any time and wait for their description", () =>
    scene(async ({ clock, botInside, person, room }) => {
      const b = await botInside("b");
      const anna = person("anna");
      const trickle = (candidate: string, receiver?: string): void => {
        room.send(anna.userId, {
          rtc_type: "icecandidate",
          sender: anna.key,
          receiver,
          body: JSON.stringify({ candidate, sdpMid: "0" }),
        });
      };
      anna.joined();
      trickle("candidate:1 before the offer", b.key);
      await clock.advance(50);
      const mine = anna.offer(b.key);
      trickle("candidate:2 after the offer");
      trickle("candidate:3 for somebody else", "Firefox");
      await clock.advance(100);
      mine.setRemote(anna.newest("answer"));
      await clock.advance(100);
      trickle("candidate:4 when connected", b.key);
      await clock.advance(100);
      expect(b.plane.connection(CHANNEL, anna.key)?.candidates).toEqual([
        { candidate: "candidate:1 before the offer", mid: "0" },
        { candidate: "candidate:2 after the offer", mid: "0" },
        { candidate: "candidate:4 when connected", mid: "0" },
      ]);
    }));

  test("candidates for our offer wait for its answer", () =>
    scene(async ({ clock, bot, person, room }) => {
      const anna = person("anna");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(1000);
      const body = { candidate: "candidate:1 early", sdpMid: "0" };
      room.send(anna.userId, { rtc_type: "icecandidate", sender: anna.key, receiver: b.key, body });
      await clock.advance(100);
      expect(b.plane.connection(CHANNEL, anna.key)?.candidates).toEqual([]);
      anna.answer(b.key);
      await clock.advance(100);
      expect(b.plane.connection(CHANNEL, anna.key)?.candidates).toHaveLength(1);
    }));

  test("candidates of ours that come late are sent, in the form the peer speaks", () =>
    scene(async ({ clock, botInside, person, room }) => {
      const b = await botInside("b");
      const [web, readme] = [person("web"), person("readme")];
      web.joined();
      readme.joined("1");
      web.offer(b.key, "web");
      readme.offer(b.key, "readme");
      await clock.advance(100);
      for (const peer of [web.key, readme.key]) {
        b.plane.emit({ kind: "peer.candidate", channel: CHANNEL, peer, candidate: "candidate:9", mid: "0" });
      }
      await clock.advance(100);
      const sent = room
        .signals(b.userId)
        .filter((signal) => String(signal["rtc_type"]).includes("candidate"));
      expect(sent).toEqual([
        {
          rtc_type: "icecandidate",
          sender: b.key,
          receiver: web.key,
          body: JSON.stringify({ candidate: "candidate:9", sdpMid: "0", sdpMLineIndex: 0 }),
        },
        { rtc_type: "candidate", sender: b.key, body: "candidate:9" },
      ]);
    }));
});

describe("glare", () => {
  test("of two bots the lexically smaller key yields: both connect with one answer", () =>
    scene(
      async ({ clock, bot, room }) => {
        const [a, b] = [bot("a"), bot("b")];
        void a.session.join();
        void b.session.join();
        await clock.advance(3000);
        expect(a.connected).toEqual([b.key]);
        expect(b.connected).toEqual([a.key]);
        expect(room.signals(a.userId).map((signal) => signal["rtc_type"])).toEqual(["offer", "answer"]);
        expect(room.signals(b.userId).map((signal) => signal["rtc_type"])).toEqual(["offer"]);
      },
      { syncMs: () => 50 },
    ));

  test("against anybody else theirs is ignored while ours is out", () =>
    scene(async ({ clock, bot, person }) => {
      const anna = person("anna", "AAA");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(1000);
      expect(anna.count("offer")).toBe(1);
      anna.offer(b.key);
      await clock.advance(500);
      expect(anna.count("answer")).toBe(0);
      // Chromium rolls back and answers ours.
      anna.answer(b.key);
      await clock.advance(100);
      expect(b.connected).toEqual([anna.key]);
    }));

  test("while ours is still being made theirs is answered", () =>
    scene(async ({ clock, bot, person }) => {
      const anna = person("anna");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(312);
      const theirs = anna.offer(b.key);
      await clock.advance(200);
      expect(anna.count("offer") + anna.count("answer")).toBe(1);
      expect(anna.count("answer")).toBe(1);
      theirs.setRemote(anna.newest("answer"));
      await clock.advance(100);
      expect(b.connected).toEqual([anna.key]);
    }));
});

describe("an offer that still waits for the homeserver's rate limit", () => {
  // Every write takes 4 s there and 4 s back.
  const slow = { writeMs: () => 8000 };

  test("is taken back when theirs comes: theirs is answered", () =>
    scene(async ({ clock, bot, person, room }) => {
      const anna = person("anna");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(8400);
      anna.joined();
      await clock.advance(1000);
      const theirs = anna.offer(b.key);
      await clock.advance(8000);
      expect(room.signals(b.userId).map((signal) => signal["rtc_type"])).toEqual(["answer"]);
      theirs.setRemote(anna.newest("answer"));
      await clock.advance(100);
      expect(b.connected).toEqual([anna.key]);
    }, slow));

  test("is taken back when they leave", () =>
    scene(async ({ clock, bot, person, room }) => {
      const anna = person("anna");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(8400);
      anna.left();
      await clock.advance(20_000);
      expect(room.signals(b.userId)).toEqual([]);
    }, slow));

  test("of which it is too late to take it back: they are to answer it", () =>
    scene(async ({ clock, bot, person, room }) => {
      const anna = person("anna");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(8400);
      anna.joined();
      await clock.advance(4000);
      anna.offer(b.key);
      await clock.advance(7000);
      expect(room.signals(b.userId).map((signal) => signal["rtc_type"])).toEqual(["offer"]);
      anna.answer(b.key);
      await clock.advance(100);
      expect(b.connected).toEqual([anna.key]);
    }, slow));
});

describe("connections that end", () => {
  test("a new offer from a connected key replaces the connection", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined();
      const first = anna.offer(b.key);
      await clock.advance(100);
      first.setRemote(anna.newest("answer"));
      await clock.advance(100);
      expect(b.connected).toEqual([anna.key]);
      // The page was reloaded: the old connection is silent for a while yet.
      const second = anna.offer(b.key);
      await clock.advance(100);
      second.setRemote(anna.newest("answer"));
      await clock.advance(100);
      first.vanish();
      await clock.advance(20_000);
      expect(b.connected).toEqual([anna.key]);
      const changes = b.changes.map((change) => change.kind).filter((kind) => kind.startsWith("member"));
      expect(changes).toEqual([
        "member.joined",
        "member.connected",
        "member.disconnected",
        "member.connected",
      ]);
    }));

  test("LEFT closes at once, in whatever state", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined();
      anna.offer(b.key);
      await clock.advance(100);
      expect(b.plane.peers(CHANNEL)).toEqual([anna.key]);
      anna.left();
      await clock.advance(50);
      expect(b.plane.peers(CHANNEL)).toEqual([]);
      expect(b.memberKeys).toEqual([]);
    }));

  test("'failed' closes and waits for their refresh, then 5 s for their offer", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined();
      const first = anna.offer(b.key);
      await clock.advance(100);
      first.setRemote(anna.newest("answer"));
      await clock.advance(100);
      b.plane.emit({ kind: "peer.state", channel: CHANNEL, peer: anna.key, state: "failed" });
      await clock.advance(8000);
      expect(b.plane.peers(CHANNEL)).toEqual([]);
      expect(anna.count("offer")).toBe(0);
      anna.joined();
      await clock.advance(4900);
      expect(anna.count("offer")).toBe(0);
      await clock.advance(300);
      expect(anna.count("offer")).toBe(1);
    }));

  test("a connection of ours that fails before it worked is offered again after a second, at most four times", () =>
    scene(async ({ clock, bot, person }) => {
      const anna = person("anna");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(500);
      for (let round = 1; round <= 4; round++) {
        expect(anna.count("offer")).toBe(round);
        anna.joined();
        anna.answer(b.key);
        await clock.advance(40);
        b.plane.emit({ kind: "peer.state", channel: CHANNEL, peer: anna.key, state: "failed" });
        await clock.advance(1100);
      }
      expect(anna.count("offer")).toBe(4);
      // She answered each: there is nothing to try about the form.
      expect(anna.inbox.filter(({ body }) => String(body).startsWith("v=0"))).toEqual([]);
      await clock.advance(10_000);
      expect(anna.count("offer")).toBe(4);
    }));

  test("a connection of theirs that fails before it worked: their next offer is awaited, then offered", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined();
      anna.offer(b.key);
      await clock.advance(100);
      b.plane.emit({ kind: "peer.state", channel: CHANNEL, peer: anna.key, state: "failed" });
      await clock.advance(4900);
      expect(anna.count("offer")).toBe(0);
      await clock.advance(200);
      expect(anna.count("offer")).toBe(1);
      anna.answer(b.key);
      await clock.advance(100);
      expect(b.connected).toEqual([anna.key]);
    }));

  test("a missed refresh does not end a call whose media flows, nor is it offered again", () =>
    scene(async ({ clock, botInside, person, room }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined();
      const mine = anna.offer(b.key);
      await clock.advance(100);
      mine.setRemote(anna.newest("answer"));
      await clock.advance(120_000);
      expect(b.connected).toEqual([anna.key]);
      expect(room.signals(b.userId)).toHaveLength(1);
    }));

  test("interrupted media ends the call after 30 s, and the stale member is gone", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined();
      const mine = anna.offer(b.key);
      await clock.advance(100);
      mine.setRemote(anna.newest("answer"));
      await clock.advance(100);
      b.plane.emit({ kind: "peer.state", channel: CHANNEL, peer: anna.key, state: "disconnected" });
      await clock.advance(29_000);
      expect(b.memberKeys).toEqual([anna.key]);
      await clock.advance(2000);
      expect(b.memberKeys).toEqual([]);
    }));

  test("a stray answer while nothing is heard replaces the connection and offers again", () =>
    scene(async ({ clock, bot, person }) => {
      const anna = person("anna");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(1000);
      // The answer to our first offer comes after the second went out, so it fits neither.
      await clock.advance(8000);
      expect(anna.count("offer")).toBe(2);
      anna.joined();
      const stray = anna.connection();
      const body = JSON.stringify({ type: "answer", sdp: stray.describe("active") });
      const content = { rtc_type: "answer", sender: anna.key, receiver: b.key, body };
      anna.send(content);
      await clock.advance(50);
      anna.answer(b.key);
      await clock.advance(200);
      expect(anna.count("offer")).toBe(3);
      anna.answer(b.key);
      await clock.advance(200);
      expect(b.connected).toEqual([anna.key]);
      anna.send(content);
      await clock.advance(200);
      expect(b.connected).toEqual([anna.key]);
      expect(anna.count("offer")).toBe(3);
    }));

  test("an answer that the plane refuses ends that attempt only", () =>
    scene(async ({ clock, bot, person }) => {
      const anna = person("anna");
      anna.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(1000);
      b.plane.failNext("peer.accept", new BotError("bad_sdp", "no"));
      anna.answer(b.key);
      await clock.advance(100);
      expect(b.plane.peers(CHANNEL)).toEqual([]);
      anna.joined();
      await clock.advance(6000);
      anna.answer(b.key);
      await clock.advance(100);
      expect(b.connected).toEqual([anna.key]);
    }));

  test("a late event of a replaced connection does not hit its successor", () =>
    scene(async ({ clock, botInside, person }) => {
      const b = await botInside("b");
      const anna = person("anna");
      anna.joined();
      const first = anna.offer(b.key);
      await clock.advance(100);
      first.setRemote(anna.newest("answer"));
      await clock.advance(100);
      const second = anna.offer(b.key);
      // The offer has reached us and the plane works on it.
      await clock.advance(32);
      b.plane.emit({ kind: "peer.state", channel: CHANNEL, peer: anna.key, state: "failed" });
      await clock.advance(100);
      second.setRemote(anna.newest("answer"));
      await clock.advance(100);
      expect(b.connected).toEqual([anna.key]);
    }));
});
