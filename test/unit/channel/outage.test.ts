// While the homeserver is away nobody can refresh: who was there is still there, media or not.
import { scene } from "./bots.ts";

const SYNC_MS = 10_000;

describe("while we hear nothing from the homeserver", () => {
  test("nobody expires, nor in the 25 s after; then who does not refresh does", () =>
    scene(async ({ clock, bot, person }) => {
      const b = bot("b");
      const [anna, ben] = [person("anna"), person("ben")];
      b.session.synced(false);
      anna.joined();
      ben.joined();
      await clock.advance(5000);
      b.session.synced(false);
      await clock.advance(120_000);
      expect(b.memberKeys).toEqual([anna.key, ben.key]);
      b.session.synced(true);
      await clock.advance(SYNC_MS);
      b.session.synced(false);
      await clock.advance(SYNC_MS);
      b.session.synced(false);
      expect(b.memberKeys).toEqual([anna.key, ben.key]);
      anna.joined();
      await clock.advance(SYNC_MS);
      b.session.synced(false);
      expect(b.memberKeys).toEqual([anna.key]);
    }));

  test("it takes no failure to know: a connection that hangs is no news either", () =>
    scene(async ({ clock, bot, person }) => {
      const b = bot("b");
      const anna = person("anna");
      anna.joined();
      await clock.advance(1000);
      b.session.synced(false);
      await clock.advance(60_000);
      expect(b.memberKeys).toEqual([anna.key]);
      expect(clock.pending).toBe(0);
      b.session.synced(true);
      await clock.advance(1000);
      expect(b.memberKeys).toEqual([anna.key]);
    }));

  test("who had expired before stays so", () =>
    scene(async ({ clock, bot, person }) => {
      const b = bot("b");
      person("anna").joined();
      for (let i = 0; i < 3; i++) {
        b.session.synced(false);
        await clock.advance(SYNC_MS);
      }
      expect(b.memberKeys).toEqual([]);
      await clock.advance(60_000);
      b.session.synced(true);
      await clock.advance(1000);
      expect(b.memberKeys).toEqual([]);
      expect(b.changes.map(({ kind }) => kind)).toEqual(["member.joined", "member.left"]);
    }));
});

test("with the homeserver's answers members expire 25 s after their last event, to the second", () =>
  scene(async ({ clock, bot, person }) => {
    const b = bot("b");
    const anna = person("anna");
    anna.joined();
    for (let i = 0; i < 24; i++) {
      await clock.advance(1000);
      b.session.synced(false);
    }
    expect(b.memberKeys).toEqual([anna.key]);
    await clock.advance(1100);
    expect(b.memberKeys).toEqual([]);
  }));
