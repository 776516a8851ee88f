import { BotError } from "../../../src/base/errors.ts";
import { CHANNEL, codeOf, scene } from "./bots.ts";

describe("joining", () => {
  test("PUTs JOINED, awaits it, waits for its own echo and 0.3 s, then offers", () =>
    scene(
      async ({ bot, person, clock, room }) => {
        const anna = person("anna");
        anna.joined();
        await clock.advance(500);
        const b = bot("b");
        const joined = b.session.join();
        await clock.advance(5 + 100);
        expect(room.memberships(b.userId, b.key)).toEqual(["JOINED"]);
        // The echo is there 400 ms after the write reached the homeserver.
        await clock.advance(300 + 250);
        expect(room.signals(b.userId)).toEqual([]);
        expect(b.session.state).toBe("joining");
        await clock.advance(100);
        await joined;
        expect(room.signals(b.userId, "offer")).toHaveLength(1);
      },
      { writeMs: () => 10, syncMs: () => 400 },
    ));

  test("goes on without the echo after 10 s", () =>
    scene(
      async ({ clock, bot }) => {
        const b = bot("b");
        const joined = b.session.join();
        await clock.advance(30);
        await clock.advance(11_000);
        await joined;
        expect(b.session.state).toBe("in");
      },
      { syncMs: () => 60_000 },
    ));

  test("if its own key still stands as JOINED it sends LEFT and waits 300 ms", () =>
    scene(async ({ clock, room, bot }) => {
      const old = bot("b");
      void old.session.join();
      await clock.advance(1000);
      await old.close();
      await clock.advance(60_000);
      const b = bot("b");
      const joined = b.session.join();
      await clock.advance(250);
      expect(room.memberships(b.userId, b.key)).toEqual(["JOINED", "LEFT"]);
      await clock.advance(100);
      expect(room.memberships(b.userId, b.key)).toEqual(["JOINED", "LEFT", "JOINED"]);
      await clock.advance(1000);
      await joined;
    }));

  test("offers to every fresh JOINED member, never to one that is LEFT or stale", () =>
    scene(async ({ clock, room, bot, person }) => {
      const [gone, stale, anna, ben] = [person("gone"), person("stale"), person("anna"), person("ben")];
      gone.joined();
      gone.left();
      stale.joined();
      await clock.advance(26_000);
      anna.joined();
      ben.joined();
      const b = bot("b");
      void b.session.join();
      await clock.advance(10_000);
      expect(room.signals(b.userId, "offer").map((offer) => offer["receiver"])).toEqual([
        anna.key,
        ben.key,
        anna.key,
        ben.key,
      ]);
      expect(b.memberKeys).toEqual([anna.key, ben.key]);
    }));

  test("opens a plane that starts with its first request", () =>
    scene(async ({ clock, bot }) => {
      const b = bot("b", "down");
      const joined = b.session.join();
      await clock.advance(1000);
      await joined;
      expect(b.plane.isOpen(CHANNEL)).toBe(true);
    }));

  test("opens the channel again when the plane dies while opening it", () =>
    scene(async ({ clock, bot }) => {
      const b = bot("b");
      const joined = b.session.join();
      await clock.advance(1);
      b.plane.crash();
      b.plane.up();
      await clock.advance(1000);
      await joined;
      expect(b.plane.isOpen(CHANNEL)).toBe(true);
    }));

  test("join() is idempotent and resolves for everybody who asked", () =>
    scene(async ({ clock, room, bot }) => {
      const b = bot("b");
      const both = Promise.all([b.session.join(), b.session.join()]);
      await clock.advance(1000);
      await both;
      await b.session.join();
      expect(room.memberships(b.userId, b.key)).toEqual(["JOINED"]);
    }));

  test("rejects and is out again when the homeserver refuses JOINED", () =>
    scene(async ({ clock, room, bot }) => {
      const b = bot("b");
      room.refuse(b.userId, new BotError("forbidden", "no"));
      const outcome = codeOf(b.session.join());
      await clock.advance(1000);
      expect(await outcome).toBe("forbidden");
      expect(b.session.state).toBe("out");
      expect(b.plane.isOpen(CHANNEL)).toBe(false);
    }));

  test("rejects and posts LEFT when it is not known whether the homeserver took JOINED", () =>
    scene(async ({ clock, room, bot }) => {
      const b = bot("b");
      room.refuse(b.userId, new BotError("homeserver", "gateway timeout", { retryable: true }));
      const outcome = codeOf(b.session.join());
      await clock.advance(1000);
      expect(await outcome).toBe("homeserver");
      expect(b.session.state).toBe("out");
      expect(room.memberships(b.userId, b.key)).toEqual(["LEFT"]);
    }));

  test("rejects when the media plane does not come up within 10 s", () =>
    scene(async ({ clock, bot }) => {
      const b = bot("b");
      b.plane.crash();
      const outcome = codeOf(b.session.join());
      await clock.advance(10_500);
      expect(await outcome).toBe("media_plane_down");
      expect(b.session.state).toBe("out");
    }));

  test("leave() while joining: join() is cancelled and LEFT is what stands", () =>
    scene(async ({ clock, room, bot }) => {
      const b = bot("b");
      const outcome = codeOf(b.session.join());
      await clock.advance(20);
      const left = b.session.leave();
      await clock.advance(1000);
      await left;
      expect(await outcome).toBe("cancelled");
      expect(room.memberships(b.userId, b.key)).toEqual(["JOINED", "LEFT"]);
    }));

  test("join() while leaving comes in again", () =>
    scene(async ({ clock, room, botInside }) => {
      const b = await botInside("b");
      const left = b.session.leave();
      const joined = b.session.join();
      await clock.advance(2000);
      await Promise.all([left, joined]);
      expect(b.session.state).toBe("in");
      expect(room.memberships(b.userId, b.key)).toEqual(["JOINED", "LEFT", "JOINED"]);
    }));

  test("leave() is bounded at 5 s when the homeserver does not answer", () =>
    scene(
      async ({ clock, bot }) => {
        const b = bot("b");
        void b.session.join();
        await clock.advance(25_000);
        expect(b.session.state).toBe("in");
        const left = b.session.leave();
        await clock.advance(4900);
        expect(b.session.state).toBe("leaving");
        await clock.advance(200);
        await left;
        expect(b.session.state).toBe("out");
      },
      { writeMs: () => 20_000 },
    ));
});

describe("staying", () => {
  test("refreshes every 14 s, every 7 s while a README reader is there", () =>
    scene(async ({ clock, room, botInside, person }) => {
      const b = await botInside("b");
      const count = (): number => room.memberships(b.userId, b.key).length;
      await clock.advance(60_000);
      expect(count()).toBe(1 + 4);
      const reader = person("reader");
      for (let second = 0; second < 60; second += 10) {
        reader.joined(String(clock.wall()));
        await clock.advance(10_000);
      }
      expect(count()).toBeGreaterThanOrEqual(1 + 4 + 7);
      expect(count()).toBeLessThanOrEqual(1 + 4 + 9);
    }));

  test("with a README reader, but nothing over in the rate budget, refreshes every 14 s; sooner as soon as there is", () => {
    let spare = false;
    return scene(
      async ({ clock, room, botInside, person }) => {
        const b = await botInside("b");
        const count = (): number => room.memberships(b.userId, b.key).length;
        const reader = person("reader");
        const minute = async (): Promise<void> => {
          for (let second = 0; second < 60; second += 5) {
            reader.joined(String(clock.wall()));
            await clock.advance(5000);
          }
        };
        await minute();
        expect(count()).toBe(1 + 4);
        spare = true;
        await minute();
        expect(count()).toBeGreaterThanOrEqual(1 + 4 + 7);
      },
      { spare: () => spare },
    );
  });

  test("counts the time until the first refresh from the JOINED itself, however long its echo takes", () =>
    scene(
      async ({ clock, room, bot, person }) => {
        person("reader").joined(null);
        const b = bot("b");
        void b.session.join();
        await clock.advance(4000 + 2500);
        expect(room.memberships(b.userId, b.key)).toHaveLength(1);
        await clock.advance(1000);
        expect(room.memberships(b.userId, b.key)).toHaveLength(2);
      },
      { syncMs: () => 4000 },
    ));

  test("a refused refresh is tried again; a forbidden one ends the stay and the room is told", () =>
    scene(async ({ clock, room, botInside }) => {
      const b = await botInside("b");
      room.refuse(b.userId, new BotError("homeserver", "502", { retryable: true }));
      await clock.advance(20_000);
      expect(room.memberships(b.userId, b.key)).toHaveLength(2);
      room.refuse(b.userId, new BotError("forbidden", "no"));
      await clock.advance(20_000);
      expect(b.session.state).toBe("out");
      expect(b.told).toEqual(["channel.refresh_forbidden"]);
    }));

  test("our key overwritten by somebody: JOINED again, bounded, and the room is told who it was, once", () =>
    scene(async ({ clock, room, botInside }) => {
      const b = await botInside("b");
      const content = { join_state: "LEFT", timestamp: 1 };
      for (let time = 0; time < 8; time++) {
        room.send("@mallory:hs", content, b.key);
        await clock.advance(1000);
      }
      expect(b.said).toEqual([{ key: "channel.key_overwritten", params: { user: "@mallory:hs" } }]);
      expect(room.memberships(b.userId, b.key)).toEqual(["JOINED", "JOINED", "JOINED", "JOINED"]);
      expect(b.session.state).toBe("in");
      await clock.advance(14_000);
      expect(room.memberships(b.userId, b.key)).toHaveLength(5);
    }));

  test("LEFT in our own name (the delayed one, after a stall): in again without a word, with offers to all who closed", () =>
    scene(async ({ clock, room, botInside, bot }) => {
      const a = await botInside("a");
      const b = bot("b");
      void b.session.join();
      await clock.advance(2000);
      expect(a.connected).toEqual([b.key]);
      room.send(a.userId, { join_state: "LEFT", timestamp: 1 }, a.key);
      await clock.advance(60);
      expect(b.memberKeys).toEqual([]);
      expect(a.plane.isOpen(CHANNEL)).toBe(true);
      await clock.advance(1000);
      expect(room.memberships(a.userId, a.key)).toEqual(["JOINED", "LEFT", "JOINED"]);
      expect(a.session.state).toBe("in");
      expect(a.connected).toEqual([b.key]);
      expect(b.connected).toEqual([a.key]);
      expect(a.said).toEqual([]);
      expect(a.changes.filter((change) => change.kind === "media")).toHaveLength(1);
    }));

  test("LEFT in our own name again and again: three times a minute, then with the next refresh", () =>
    scene(async ({ clock, room, botInside }) => {
      const b = await botInside("b");
      for (let time = 0; time < 8; time++) {
        room.send(b.userId, { join_state: "LEFT", timestamp: 1 }, b.key);
        await clock.advance(1000);
      }
      const joined = (): number =>
        room.memberships(b.userId, b.key).filter((state) => state === "JOINED").length;
      expect(joined()).toBe(1 + 3);
      await clock.advance(14_000);
      expect(joined()).toBe(1 + 3 + 1);
    }));

  test("our own LEFT from before joining, late in the sync, throws nobody out", () =>
    scene(
      async ({ clock, room, bot }) => {
        const old = bot("b");
        void old.session.join();
        await clock.advance(13_000);
        await old.close();
        await clock.advance(1000);
        const b = bot("b");
        void b.session.join();
        await clock.advance(11_000);
        expect(b.session.state).toBe("in");
        await clock.advance(5000);
        const states = room.memberships(b.userId, b.key);
        expect(states.slice(states.indexOf("LEFT"))).toEqual(["LEFT", "JOINED", "JOINED"]);
        expect(b.phases).toEqual(["joining", "in"]);
      },
      // The own events come back after it was given up to wait for them.
      { syncMs: () => 12_000 },
    ));

  test("not in the room any more: everything is closed, nothing is written", () =>
    scene(async ({ clock, room, botInside, bot }) => {
      const a = await botInside("a");
      const b = bot("b");
      void b.session.join();
      await clock.advance(2000);
      expect(a.connected).toEqual([b.key]);
      a.session.roomMember(a.userId, "leave");
      expect(a.session.state).toBe("out");
      await clock.advance(1000);
      expect(a.plane.isOpen(CHANNEL)).toBe(false);
      expect(room.memberships(a.userId, a.key)).toEqual(["JOINED"]);
    }));
});

describe("losing the media plane", () => {
  test("LEFT, 300 ms, JOINED, offers when it is up again", () =>
    scene(async ({ clock, room, botInside, bot }) => {
      const a = await botInside("a");
      const b = bot("b");
      void b.session.join();
      await clock.advance(2000);
      a.plane.crash();
      expect(a.session.state).toBe("joining");
      expect(a.connected).toEqual([]);
      await clock.advance(100);
      a.plane.up();
      await clock.advance(2000);
      expect(a.session.state).toBe("in");
      expect(room.memberships(a.userId, a.key)).toEqual(["JOINED", "LEFT", "JOINED"]);
      expect(a.connected).toEqual([b.key]);
      expect(b.connected).toEqual([a.key]);
      expect(a.phases).toEqual(["joining", "in", "joining", "in"]);
      const media = a.changes.flatMap((change) => (change.kind === "media" ? [change.open] : []));
      expect(media).toEqual([true, false, true]);
    }));

  test("twice in a row, while on the way back", () =>
    scene(async ({ clock, botInside, bot }) => {
      const a = await botInside("a");
      const b = bot("b");
      void b.session.join();
      await clock.advance(2000);
      for (const pauseMs of [50, 330, 360, 700]) {
        a.plane.crash();
        await clock.advance(pauseMs);
        a.plane.up();
        await clock.advance(pauseMs);
      }
      await clock.advance(5000);
      expect(a.connected).toEqual([b.key]);
      expect(b.connected).toEqual([a.key]);
    }));

  test("gives up after two minutes, leaves and tells the room", () =>
    scene(async ({ clock, room, botInside }) => {
      const a = await botInside("a");
      a.plane.crash();
      await clock.advance(121_000);
      expect(a.session.state).toBe("out");
      expect(a.told).toEqual(["channel.lost"]);
      expect(room.memberships(a.userId, a.key).at(-1)).toBe("LEFT");
    }));
});
