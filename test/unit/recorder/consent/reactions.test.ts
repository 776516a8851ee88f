import { silentLog } from "../../../../src/base/log.ts";
import { RoomConsent } from "../../../../src/recorder/consent/consent.ts";
import { ConsentReactions, meaningOf } from "../../../../src/recorder/consent/reactions.ts";
import { FakeClock } from "../../../fakes/clock.ts";
import { FakeDocuments } from "../../../fakes/documents.ts";

const ann = "@ann:test";
const bob = "@bob:test";

let consent: RoomConsent;
let reactions: ConsentReactions;
let clock: FakeClock;
/** What a look at a message says. */
let lookUp: (eventId: string) => Promise<string | null>;
let looked: string[];
let taken: [string, boolean][];
let count = 0;

beforeEach(() => {
  clock = new FakeClock();
  [looked, taken] = [[], []];
  lookUp = () => Promise.resolve(null);
  consent = new RoomConsent({ documents: new FakeDocuments(), setting: () => "opt-out" });
  reactions = new ConsentReactions({
    ...{ consent, clock, log: silentLog },
    recordingOf: (eventId) => (looked.push(eventId), lookUp(eventId)),
    onTaken: (userId, agreed) => taken.push([userId, agreed]),
  });
});

const begin = (id = "r1"): void => {
  const journal = { add: () => undefined, flush: () => Promise.resolve() };
  consent.began({ id, directory: "/r1", journal, entries: [] });
};
const react = async (sender: string, key: string, target = "$notice"): Promise<string> => {
  const eventId = `$reaction${count++}`;
  await reactions.reacted({ eventId, sender, target, key });
  return eventId;
};

test.each([
  ["🔇", false],
  ["🚫", false],
  ["⛔️", false],
  ["❌", false],
  ["✅", true],
  ["✔️", true],
  ["☑", true],
  ["👍", null],
  ["🔊", null],
  ["no", null],
])("%s means %s", (key, meaning) => expect(meaningOf(key)).toBe(meaning));

test("a reaction on our message takes its sender out, and taking it back takes them in", async () => {
  begin();
  reactions.posted("$notice", "r1");
  const eventId = await react(ann, "🔇");
  expect(consent.agreed(ann)).toBe(false);
  expect(consent.agreed(bob)).toBe(true);
  await reactions.redacted(eventId, bob);
  expect(consent.agreed(ann)).toBe(false);
  await reactions.redacted(eventId, ann);
  expect(consent.agreed(ann)).toBe(true);
  expect(taken).toEqual([
    [ann, false],
    [ann, true],
  ]);
  expect(looked).toEqual([]);
});

test("a reaction on anything else, of another recording, or while none runs, says nothing", async () => {
  reactions.posted("$notice", "r1");
  await react(ann, "🔇");
  begin("r2");
  await react(ann, "🔇");
  await react(ann, "🔇", "$somebody else's");
  expect(consent.agreed(ann)).toBe(true);
  expect(looked).toEqual(["$somebody else's"]);
});

test("a message of an earlier run is looked at once", async () => {
  begin();
  lookUp = () => Promise.resolve("r1");
  await react(ann, "🔇", "$before");
  await react(bob, "🔇", "$before");
  expect(looked).toEqual(["$before"]);
  expect([consent.agreed(ann), consent.agreed(bob)]).toEqual([false, false]);
});

test("when nobody can say what a message is about, a refusal holds and an agreement does not", async () => {
  begin();
  lookUp = () => Promise.reject(new Error("homeserver away"));
  await react(ann, "🔇", "$unknown");
  expect(consent.agreed(ann)).toBe(false);
  await react(ann, "✅", "$unknown");
  expect(consent.agreed(ann)).toBe(false);
});

test("a look that takes too long ends, and the refusal holds", async () => {
  begin();
  lookUp = () => new Promise(() => undefined);
  const reacting = react(ann, "🔇", "$unknown");
  await clock.advance(10_000);
  await reacting;
  expect(consent.agreed(ann)).toBe(false);
});

test("one person does not make us look at everything", async () => {
  begin();
  lookUp = () => new Promise(() => undefined);
  for (let i = 0; i < 50; i++) void react(ann, "✅", `$${i}`);
  void react(bob, "✅", "$bob's");
  await clock.advance(0);
  expect(looked).toHaveLength(4);
});

test("a recording that ended while we looked is not meant any more", async () => {
  begin();
  const found = Promise.withResolvers<string>();
  lookUp = () => found.promise;
  const reacting = react(ann, "🔇", "$before");
  consent.ended();
  begin("r2");
  found.resolve("r1");
  await reacting;
  expect(consent.agreed(ann)).toBe(true);
});
