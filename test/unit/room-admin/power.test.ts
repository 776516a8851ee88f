import fc from "fast-check";
import { decodeCreation, decodePowerLevels, powerNeeded, powerOf } from "../../../src/matrix/power-levels.ts";
import { missingIn, type RoomFacts } from "../../../src/room-admin/missing.ts";
import { createRoomBody } from "../../../src/room-admin/new-room.ts";
import { differenceOf, powerLevelsFor, refusalFor, withChanges } from "../../../src/room-admin/power.ts";
import type { PowerState } from "../../../src/room-admin/read-room.ts";

const bot = "@bot:voice.test";
const ada = "@ada:voice.test";
const callstate = "de.mtorials.test.callstate";
const call = "de.mtorials.test.call";

function power(content: Record<string, unknown> | null, version = "12", creator = ada): PowerState {
  const levels = content === null ? null : decodePowerLevels(content);
  return { content, levels, creation: decodeCreation(creator, { room_version: version, creator }) };
}

function facts({ levels, creation }: PowerState): RoomFacts {
  return {
    ownUserId: bot,
    encrypted: false,
    powerOf: (userId) => powerOf(userId, levels, creation),
    powerNeeded: (type, isState) => powerNeeded(type, isState, levels),
  };
}

const differenceFor = (content: Record<string, unknown> | null): object =>
  differenceOf(powerLevelsFor(power(content), bot));

test.each<[string, Record<string, unknown> | null, object]>([
  ["a room as others make it", {}, { events: { [callstate]: 0 } }],
  ["a voice room", { events: { [callstate]: 0 } }, {}],
  ["members have 25 by default: no lower than that", { users_default: 25 }, { events: { [callstate]: 25 } }],
  [
    "newcomers are silenced on purpose, and stay so",
    { users_default: -1, users: { [bot]: 0 } },
    { events: { [callstate]: 0 } },
  ],
  [
    "the chat is for some: the channel opens, the chat does not, the bot may answer",
    { events_default: 25 },
    { events: { [callstate]: 0, [call]: 0 }, users: { [bot]: 25 } },
  ],
  ["the bot was silenced", { events: { [callstate]: 0 }, users: { [bot]: -5 } }, { users: { [bot]: 0 } }],
  ["the bot has more than it takes", { users: { [bot]: 100 } }, { events: { [callstate]: 0 } }],
  [
    "a creator needs no level, and must not have one",
    { events_default: 50, users: {} },
    { events: { [callstate]: 0, [call]: 0 } },
  ],
  [
    "levels as text, as old rooms have them",
    { events: { [callstate]: "50" } },
    { events: { [callstate]: 0 } },
  ],
  ["no power levels event", null, { events: { [callstate]: 0 } }],
])("%s", (title, content, expected) => {
  if (title.startsWith("a creator")) {
    expect(differenceOf(powerLevelsFor(power(content, "12", bot), bot))).toEqual(expected);
  } else expect(differenceFor(content)).toEqual(expected);
});

test("what somebody set before is told", () => {
  const [change] = powerLevelsFor(power({ events: { [callstate]: 50 } }), bot);
  expect(change).toEqual({ in: "events", key: callstate, from: 50, inForce: 50, to: 0 });
  expect(powerLevelsFor(power({ state_default: 30 }), bot)[0]).toMatchObject({ from: null, inForce: 30 });
});

const level = fc.integer({ min: -10, max: 110 });
const anyLevels = fc.record(
  {
    users: fc.dictionary(fc.constantFrom(bot, ada, "@bob:voice.test"), level),
    events: fc.dictionary(
      fc.constantFrom(callstate, call, "m.room.message", "m.room.name", "m.room.power_levels"),
      level,
    ),
    users_default: level,
    events_default: level,
    state_default: level,
    notifications: fc.constant({ room: 50 }),
    "org.example.unknown": fc.constant([1, { a: null }]),
  },
  { requiredKeys: [] },
);

test("in any room: after it nothing of the channel is missing, everything else is as it was, again changes nothing", () => {
  fc.assert(
    fc.property(
      anyLevels,
      fc.constantFrom("1", "10", "11", "12"),
      fc.constantFrom(ada, bot),
      (content, version, creator) => {
        const before = power(content, version, creator);
        const changes = powerLevelsFor(before, bot);
        const contentAfter = withChanges(before, changes);
        const after = power(contentAfter, version, creator);
        expect(powerLevelsFor(after, bot)).toEqual([]);
        for (const missing of missingIn(facts(after))) {
          expect(missing).toMatchObject({ kind: "members_power", event: "m.room.message" });
        }
        const difference = differenceOf(changes);
        for (const part of ["events", "users"] as const) {
          const was = content[part] ?? {};
          expect(contentAfter[part] ?? {}).toEqual({ ...was, ...difference[part] });
        }
        const { events: _e, users: _u, ...rest } = content;
        expect(contentAfter).toMatchObject(rest);
        for (const change of changes) {
          expect(change.in === "events" ? change.to < change.inForce : change.to > change.inForce).toBe(true);
          expect(change.in === "events" || change.key === bot).toBe(true);
        }
      },
    ),
  );
});

test("a room without a power levels event keeps its creator's power", () => {
  const changes = powerLevelsFor(power(null, "11"), bot);
  expect(withChanges(power(null, "11"), changes)).toEqual({
    users: { [ada]: 100 },
    events: { [callstate]: 0 },
  });
  expect(withChanges(power(null, "12"), changes)).toEqual({ users: {}, events: { [callstate]: 0 } });
});

describe("who may", () => {
  const refusal = (content: Record<string, unknown>, userId: string, version = "11"): unknown =>
    refusalFor(power(content, version), powerLevelsFor(power(content, version), bot), userId);

  test("takes the level of the power levels event itself", () => {
    const content = { users: { [ada]: 50 }, events: { "m.room.power_levels": 75 } };
    expect(refusal(content, ada)).toEqual({ needed: 75, actual: 50 });
    expect(refusal({ users: { [ada]: 50 } }, ada)).toBeNull();
    expect(refusal({}, bot)).toEqual({ needed: 50, actual: 0 });
    expect(refusal(content, ada, "12")).toBeNull();
  });

  test("takes as much as the entry that is lowered, and as the level that is given", () => {
    expect(refusal({ users: { [ada]: 60 }, events: { [callstate]: 80 } }, ada)).toMatchObject({ needed: 80 });
    expect(refusal({ users: { [ada]: 60 }, events_default: 70 }, ada)).toMatchObject({ needed: 70 });
  });

  test("takes more than somebody else's level, and as much as the own", () => {
    const content = {
      users: { [ada]: 50, [bot]: 50 },
      events_default: 60,
      events: { [callstate]: 0, [call]: 0 },
    };
    expect(refusal(content, ada)).toEqual({ needed: 60, actual: 50 });
    const same = {
      users: { [ada]: -1, [bot]: -1 },
      state_default: -1,
      events_default: 0,
      events: { [callstate]: -1 },
    };
    expect(refusal(same, ada)).toMatchObject({ needed: 0 });
  });
});

describe("a new room", () => {
  const plan = { name: "Den", public: false, moderators: [ada], owners: ["@eve:voice.test"] };
  const levelsOf = (version: string): Record<string, unknown> =>
    createRoomBody(plan, bot, version)["power_level_content_override"] as Record<string, unknown>;

  test.each(["11", "12"])("lacks nothing (version %s)", (version) => {
    const state = power(levelsOf(version), version, bot);
    expect(missingIn(facts(state))).toEqual([]);
    expect(powerOf(bot, state.levels, state.creation)).toBe(version === "12" ? Infinity : 100);
    expect(powerOf(ada, state.levels, state.creation)).toBe(50);
  });

  test("names its creator among the users only where that is allowed", () => {
    expect(levelsOf("12")["users"]).toEqual({ [ada]: 50, "@eve:voice.test": 100 });
    expect(levelsOf("11")["users"]).toMatchObject({ [bot]: 100 });
  });

  test("members may send what the channel and the chat are made of, and change nothing of the room", () => {
    const { levels } = power(levelsOf("12"));
    for (const type of [
      "m.room.name",
      "m.room.encryption",
      "m.room.power_levels",
      "m.room.topic",
      "any.other",
    ]) {
      expect(powerNeeded(type, true, levels)).toBeGreaterThanOrEqual(50);
    }
    for (const type of [call, "m.room.message", "m.reaction"])
      expect(powerNeeded(type, false, levels)).toBe(0);
    expect(levels).toMatchObject({ invite: 50, kick: 50, ban: 50, redact: 50 });
  });

  test("is for invited people unless it is said otherwise, and never in the server's public list", () => {
    expect(createRoomBody(plan, bot, "12")).toMatchObject({ preset: "private_chat", visibility: "private" });
    expect(createRoomBody({ ...plan, public: true }, bot, "12")).toMatchObject({
      preset: "public_chat",
      visibility: "private",
    });
  });
});
