import { placeErrand, placeRoom, roomLoad, type ChildStanding } from "../../../src/media/placement.ts";

const awake = (load: number): ChildStanding => ({ state: "awake", load });
const asleep: ChildStanding = { state: "asleep", load: 0 };
const down: ChildStanding = { state: "down", load: 0 };

describe("the child for a room", () => {
  test.each<[string, ChildStanding[], number | null, number | null]>([
    ["the first room has the first child forked", [asleep, asleep], null, 0],
    ["a second small room forks none", [awake(1), asleep], null, 0],
    ["a third does", [awake(2), asleep], null, 1],
    ["so does a second room beside a big one", [awake(roomLoad(8)), asleep], null, 1],
    ["there is room in an awake one before another is forked", [awake(3), awake(1), asleep], null, 1],
    ["with all awake it is the least loaded", [awake(4), awake(2.3), awake(3)], null, 1],
    ["one that is being replaced takes none", [down, awake(5)], null, 1],
    ["… not even where another has to be forked", [down, awake(2), asleep], null, 2],
    ["with all being replaced there is none", [down, down], null, null],
    ["a room goes back to the child that it was lost with", [awake(0), awake(9)], 1, 1],
    ["… unless that is away", [awake(0), down], 1, 0],
    ["… or asleep", [awake(0), asleep], 1, 0],
  ])("%s", (_, children, former, expected) => {
    expect(placeRoom(children, former)).toBe(expected);
  });

  test("rooms of one size come evenly over the children", () => {
    const loads = Array.from({ length: 4 }, () => 0);
    for (let room = 0; room < 12; room++) {
      const at = placeRoom(
        loads.map((load) => (load === 0 ? asleep : awake(load))),
        null,
      );
      loads[at!]! += roomLoad(3);
    }
    expect(loads).toEqual(loads.map(() => 3 * roomLoad(3)));
  });
});

describe("the child for what belongs to no room", () => {
  test.each<[string, ChildStanding[], number | null]>([
    ["is an awake one, whatever its load", [asleep, awake(9)], 1],
    ["is the least loaded of them", [awake(9), awake(3)], 1],
    ["is forked where there is none", [down, asleep], 1],
    ["is none where all are being replaced", [down], null],
  ])("%s", (_, children, expected) => {
    expect(placeErrand(children)).toBe(expected);
  });
});
