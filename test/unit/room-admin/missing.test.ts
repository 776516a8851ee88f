import { render } from "../../../src/base/messages/catalogue.ts";
import { decodeCreation, decodePowerLevels, powerNeeded, powerOf } from "../../../src/matrix/power-levels.ts";
import { missingIn, missingSentence, type RoomFacts } from "../../../src/room-admin/missing.ts";

const bot = "@bot:voice.test";
const ada = "@ada:voice.test";
const callstate = "de.mtorials.test.callstate";
const call = "de.mtorials.test.call";

function room(content: object | null, encrypted = false): RoomFacts {
  const levels = content === null ? null : decodePowerLevels(content);
  const creation = decodeCreation(ada, { room_version: "12" });
  return {
    ownUserId: bot,
    encrypted,
    powerOf: (userId) => powerOf(userId, levels, creation),
    powerNeeded: (type, isState) => powerNeeded(type, isState, levels),
  };
}

const lacks = (facts: RoomFacts): string[] =>
  missingIn(facts).map((missing) =>
    "event" in missing
      ? `${missing.kind} ${missing.event} ${missing.actual}/${missing.needed}`
      : missing.kind,
  );

test.each<[string, object | null, string[]]>([
  ["a voice room", { events: { [callstate]: 0 } }, []],
  [
    "a room as others make it: state needs 50",
    {},
    [`bot_power ${callstate} 0/50`, `members_power ${callstate} 0/50`],
  ],
  ["the bot moderates, members cannot join", { users: { [bot]: 50 } }, [`members_power ${callstate} 0/50`]],
  [
    "only some may write",
    { events: { [callstate]: 0 }, events_default: 25 },
    [
      `bot_power ${call} 0/25`,
      "bot_power m.room.message 0/25",
      `members_power ${call} 0/25`,
      "members_power m.room.message 0/25",
    ],
  ],
  [
    "some may write, signalling is everybody's",
    { events: { [callstate]: 0, [call]: 0, "m.room.message": 10 }, users: { [bot]: 10 } },
    ["members_power m.room.message 0/10"],
  ],
  ["everybody has more than 0", { events: { [callstate]: 25 }, users_default: 25 }, []],
  [
    "the bot was silenced",
    { events: { [callstate]: 0 }, users: { [bot]: -1 } },
    [`bot_power ${callstate} -1/0`, `bot_power ${call} -1/0`, "bot_power m.room.message -1/0"],
  ],
  [
    "newcomers are silenced, who has a voice may do all",
    { events: { [callstate]: 0 }, users_default: -1, users: { [bot]: 0 } },
    [],
  ],
  ["no power levels event", null, [`bot_power ${callstate} 0/50`, `members_power ${callstate} 0/50`]],
])("%s", (_, content, expected) => {
  expect(lacks(room(content))).toEqual(expected);
});

test("in an encrypted room nothing else matters", () => {
  expect(missingIn(room({}, true), { limited: true })).toEqual([{ kind: "encrypted" }]);
});

test("a rate limit is missing only where it is known", () => {
  const fine = room({ events: { [callstate]: 0 } });
  expect(missingIn(fine)).toEqual([]);
  expect(missingIn(fine, { limited: true })).toEqual([{ kind: "rate_limit" }]);
});

test.each(["en", "de"] as const)("every lack has a sentence without gaps (%s)", (language) => {
  const all = [...missingIn(room({ events_default: 25 }), { limited: true }), ...missingIn(room(null, true))];
  expect(all.length).toBe(8);
  for (const missing of all) {
    expect(render(missingSentence(missing), language).text).not.toMatch(/[{}]|undefined/);
  }
});
