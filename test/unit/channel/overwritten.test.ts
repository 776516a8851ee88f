// Somebody writes LEFT under the bot's own key. A web client believes it and closes: it is offered to again at once.
import type { FakeRoom } from "../../fakes/room.ts";
import { scene, type Bot } from "./bots.ts";

const left = { join_state: "LEFT", timestamp: 1 };
const overwrite = (room: FakeRoom, bot: Bot): void => void room.send("@mallory:hs", left, bot.key);
const web = { name: "web", loses: () => false } as const;

test("whoever closed because of it is connected again as soon as JOINED stands again", () =>
  scene(async ({ clock, room, botInside, member }) => {
    const b = await botInside("b");
    const anna = member("anna", web);
    void anna.join();
    await clock.advance(3000);
    expect(anna.connectedTo(b.key)).toBe(true);
    overwrite(room, b);
    await clock.advance(1000);
    expect(anna.connectedTo(b.key)).toBe(true);
    expect(b.connected).toEqual([anna.key]);
    expect(room.memberships(b.userId, b.key)).toEqual(["JOINED", "JOINED"]);
    expect(room.signals(b.userId, "offer")).toHaveLength(1);
  }));

test.each([5, 2000])("also when their end of it comes first, %d ms before we hear of the LEFT", (lateMs) =>
  scene(async ({ clock, room, botInside, person }) => {
    const b = await botInside("b");
    const anna = person("anna");
    anna.joined();
    await clock.advance(100);
    const connection = anna.offer(b.key);
    await clock.advance(200);
    connection.setRemote(anna.newest("answer"));
    await clock.advance(1000);
    expect(b.connected).toEqual([anna.key]);
    connection.close();
    await clock.advance(lateMs);
    overwrite(room, b);
    await clock.advance(1000);
    expect(anna.count("offer")).toBe(1);
    anna.answer(b.key);
    await clock.advance(1000);
    expect(b.connected).toEqual([anna.key]);
  }),
);

test("nothing is offered before JOINED stands again: who believed LEFT would not look at it", () =>
  scene(async ({ clock, room, botInside, member }) => {
    const b = await botInside("b");
    const anna = member("anna", web);
    void anna.join();
    await clock.advance(3000);
    overwrite(room, b);
    await clock.advance(1000);
    const ours = room.events.filter(({ sender }) => sender === b.userId).slice(-2);
    expect(ours.map(({ content }) => content)).toMatchObject([
      { join_state: "JOINED" },
      { rtc_type: "offer" },
    ]);
    expect((ours[1]?.originServerTs ?? 0) - (ours[0]?.originServerTs ?? 0)).toBeGreaterThanOrEqual(300);
  }));

test("an end that has nothing to do with it is waited out as ever", () =>
  scene(async ({ clock, room, botInside, person }) => {
    const b = await botInside("b");
    const anna = person("anna");
    anna.joined();
    await clock.advance(100);
    const connection = anna.offer(b.key);
    await clock.advance(200);
    connection.setRemote(anna.newest("answer"));
    await clock.advance(1000);
    connection.close();
    await clock.advance(10_000);
    anna.joined();
    await clock.advance(100);
    overwrite(room, b);
    await clock.advance(2000);
    expect(anna.count("offer")).toBe(0);
  }));

test("a connection in the making is not waited for half a minute", () =>
  scene(async ({ clock, room, botInside, person }) => {
    const b = await botInside("b");
    const anna = person("anna");
    anna.joined();
    await clock.advance(100);
    const gone = anna.offer(b.key);
    await clock.advance(50);
    overwrite(room, b);
    gone.vanish();
    await clock.advance(7000);
    expect(anna.count("offer")).toBe(1);
    anna.answer(b.key);
    await clock.advance(1000);
    expect(b.connected).toEqual([anna.key]);
  }));

test("who overwrites it all the time makes us say a few things a minute, and no more", () =>
  scene(async ({ clock, room, botInside, member }) => {
    const b = await botInside("b");
    const anna = member("anna", web);
    void anna.join();
    await clock.advance(3000);
    const before = room.events.length;
    for (let second = 0; second < 540; second++) {
      if (second % 3 === 0) overwrite(room, b);
      await clock.advance(1000);
    }
    const ours = room.events.slice(before).filter(({ sender }) => sender === b.userId);
    const offers = ours.filter(({ stateKey }) => stateKey === null);
    // Refreshes, three repairs a minute, and a round of offers now and then.
    expect(ours.length - offers.length).toBeLessThanOrEqual(540 / 14 + 3 * 10 + 1);
    expect(offers.length).toBeLessThan(45);
    await clock.advance(120_000);
    expect(anna.connectedTo(b.key)).toBe(true);
  }));
