import { decodeCreation, decodePowerLevels, powerNeeded, powerOf } from "../../../src/matrix/power-levels.ts";

const ada = "@ada:voice.test";
const bob = "@bob:voice.test";

describe("the power of a person", () => {
  test.each<[string, object | null, object, string, number]>([
    ["named in users", { users: { [bob]: 50 } }, {}, bob, 50],
    ["not named: users_default", { users_default: 10, users: { [ada]: 100 } }, {}, bob, 10],
    ["not named, no users_default", { users: {} }, {}, bob, 0],
    ["no power levels event: the creator", null, { creator: ada }, ada, 100],
    ["no power levels event: others", null, { creator: ada }, bob, 0],
    ["version 11: the creator is the sender", null, { room_version: "11", creator: bob }, ada, 100],
    ["version 11: content.creator says nothing", null, { room_version: "11", creator: bob }, bob, 0],
    ["a power levels event that does not name the creator", { users: {} }, { creator: ada }, ada, 0],
    ["version 12: creators rank above all", { users: {} }, { room_version: "12" }, ada, Infinity],
    [
      "version 12: additional creators too",
      { users: { [bob]: 0 } },
      { room_version: "12", additional_creators: [bob] },
      bob,
      Infinity,
    ],
    [
      "version 11 knows no additional creators",
      {},
      { room_version: "11", additional_creators: [bob] },
      bob,
      0,
    ],
    ["levels as text, as old rooms have them", { users: { [bob]: " +50 " } }, {}, bob, 50],
    ["a malformed level counts as not there", { users: { [bob]: "all" }, users_default: 5 }, {}, bob, 5],
    ["a malformed event counts as empty", { users: 7, users_default: 1.5 }, {}, bob, 0],
    ["a negative level", { users: { [bob]: -1 } }, {}, bob, -1],
    ["a user id that every object has", { users: {} }, {}, "constructor", 0],
  ])("%s", (_, levels, create, user, expected) => {
    const decoded = levels === null ? null : decodePowerLevels(levels);
    expect(powerOf(user, decoded, decodeCreation(ada, create))).toBe(expected);
  });
});

describe("the power that an event needs", () => {
  test.each<[string, object | null, string, boolean, number]>([
    ["a message by default", {}, "m.room.message", false, 0],
    ["a state event by default", {}, "de.mtorials.test.callstate", true, 50],
    ["events_default", { events_default: 20 }, "m.room.message", false, 20],
    ["state_default", { state_default: 20 }, "m.room.name", true, 20],
    ["named for state", { events: { "m.room.name": 30 } }, "m.room.name", true, 30],
    ["named for messages", { events: { "m.room.message": 30 } }, "m.room.message", false, 30],
    ["without a power levels event, state", null, "m.room.name", true, 50],
    ["without a power levels event, messages", null, "m.room.message", false, 0],
    ["a type that every object has", { events: {} }, "toString", false, 0],
  ])("%s", (_, levels, type, isState, expected) => {
    expect(powerNeeded(type, isState, levels === null ? null : decodePowerLevels(levels))).toBe(expected);
  });
});
