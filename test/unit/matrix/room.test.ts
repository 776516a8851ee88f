import type { RoomEvent } from "../../../src/matrix/events.ts";
import { Room } from "../../../src/matrix/room.ts";
import { FakeClock } from "../../fakes/clock.ts";

const bot = "@bot:voice.test";
const ada = "@ada:voice.test";
const bob = "@bob:voice.test";
const callState = "de.mtorials.test.callstate";

let serial = 0;
const clock = new FakeClock();

function state(type: string, stateKey: string, content: object, more: Partial<RoomEvent> = {}): RoomEvent {
  return {
    eventId: `$${serial++}`,
    roomId: "!r",
    type,
    sender: ada,
    stateKey,
    originServerTs: clock.wall(),
    ageMs: 0,
    content: content as Record<string, unknown>,
    prevContent: null,
    redacts: null,
    origin: "live",
    ...more,
  };
}

function member(userId: string, membership: string, displayname?: string): RoomEvent {
  return state("m.room.member", userId, { membership, displayname });
}

function room(...events: RoomEvent[]): Room {
  const room = new Room("!r", bot, [callState], clock);
  room.replace(events);
  return room;
}

describe("people", () => {
  test("two who share a name are told apart, as long as both are there", () => {
    const r = room(member(ada, "join", "Sam"), member(bob, "join", "Sam"));
    expect([r.displayName(ada), r.displayName(bob)]).toEqual([`Sam (${ada})`, `Sam (${bob})`]);
    r.applyLive(member(bob, "leave", "Sam"));
    expect(r.displayName(ada)).toBe("Sam");
    expect(r.displayName(bob)).toBe(bob);
  });

  test("an invited person counts for names, a banned one does not", () => {
    expect(room(member(ada, "join", "Sam"), member(bob, "invite", "Sam")).displayName(ada)).toContain(ada);
    expect(room(member(ada, "join", "Sam"), member(bob, "ban", "Sam")).displayName(ada)).toBe("Sam");
  });

  test("without a name, or with a blank one, it is the user id", () => {
    const r = room(member(ada, "join"), member(bob, "join", "  "));
    expect([r.displayName(ada), r.displayName(bob)]).toEqual([ada, bob]);
  });

  test("a new name gives the old one free", () => {
    const r = room(member(ada, "join", "Sam"), member(bob, "join", "Sam"));
    r.applyLive(member(ada, "join", "Ada"));
    expect([r.displayName(ada), r.displayName(bob)]).toEqual(["Ada", "Sam"]);
    expect(r.joinedCount).toBe(2);
    expect([...r.joinedMembers()].toSorted()).toEqual([ada, bob]);
  });

  test("memberships, and that only who is in may do something", () => {
    const r = room(
      member(bot, "join"),
      member(ada, "ban"),
      member(bob, "invite"),
      state("m.room.power_levels", "", { users: { [ada]: 100, [bot]: 50 } }),
    );
    expect([r.membership, r.membershipOf(ada), r.membershipOf(bob), r.membershipOf("@x:y")]).toEqual([
      "join",
      "ban",
      "invite",
      "leave",
    ]);
    expect(r.can(bot, callState, true)).toBe(true);
    expect(r.can(ada, callState, true)).toBe(false);
    expect(r.can(bob, "m.room.message", false)).toBe(false);
  });
});

describe("encryption", () => {
  test("is in doubt before the state is known, and after reading it failed", () => {
    const fresh = new Room("!r", bot, [], clock);
    expect(fresh.encrypted).toBe(true);
    fresh.replace([member(bot, "join")]);
    expect(fresh.encrypted).toBe(false);
    fresh.markUnknown();
    expect(fresh.encrypted).toBe(true);
    fresh.replace([member(bot, "join")]);
    expect(fresh.encrypted).toBe(false);
  });

  test("once seen it stays, whatever comes later", () => {
    const r = room();
    r.applyLive(state("m.room.encryption", "", { algorithm: "m.megolm.v1.aes-sha2" }));
    r.applyLive(state("m.room.encryption", "", {}));
    r.replace([member(bot, "join")]);
    expect(r.encrypted).toBe(true);
  });
});

describe("state blocks", () => {
  const joined = { join_state: "JOINED" };
  const left = { join_state: "LEFT" };

  test("an older LEFT after the JOINED does not stand", () => {
    const r = room();
    r.applyLive(state(callState, "d", joined, { originServerTs: clock.wall() }));
    expect(r.applySnapshot(state(callState, "d", left, { originServerTs: clock.wall() - 300 }))).toBe(false);
    expect(r.stateOf(callState).map((event) => event.content)).toEqual([joined]);
  });

  test("a time in the future counts as now: it does not pin a state", () => {
    const r = room();
    r.applySnapshot(state(callState, "d", joined, { originServerTs: clock.wall() + 1e9 }));
    clock.tick(1);
    expect(r.applySnapshot(state(callState, "d", left, { originServerTs: clock.wall() }))).toBe(true);
  });

  test("what comes live stands, whatever its time says", () => {
    const r = room();
    r.applyLive(state(callState, "d", joined));
    r.applyLive(state(callState, "d", left, { originServerTs: 5 }));
    expect(r.stateOf(callState).map((event) => event.content)).toEqual([left]);
  });

  test("a re-read replaces everything", () => {
    const r = room(
      member(ada, "join"),
      state("m.room.name", "", { name: "Old" }),
      state(callState, "d", joined),
    );
    r.replace([state("m.room.canonical_alias", "", { alias: "#new:voice.test" })]);
    expect([r.name, r.membershipOf(ada), r.stateOf(callState)]).toEqual(["#new:voice.test", "leave", []]);
  });

  test("kept state ages", () => {
    const r = room(state(callState, "d", joined, { ageMs: 100 }));
    clock.tick(50);
    expect(r.stateOf(callState)).toMatchObject([{ ageMs: 150, origin: "state" }]);
    expect(r.stateOf("m.room.name")).toEqual([]);
  });

  test("state keys that anybody may make are bounded", () => {
    const r = room();
    for (let i = 0; i < 3000; i++) r.applyLive(state(callState, `k${i}`, joined));
    expect(r.stateOf(callState)).toHaveLength(1000);
  });
});
