import { render } from "../../../src/base/messages/catalogue.ts";
import { describeMany } from "../../../src/commands/play-commands.ts";
import type { AddedMany } from "../../../src/player/adding.ts";
import type { Refused } from "../../../src/player/resolver/resolver.ts";

const all = (count: number): AddedMany => ({ count, left: 0, why: null });
const gone = (name: string): Refused => ({ name, why: { key: "playlist.why_missing" } });
const told = (added: AddedMany, refused: Refused[], left = 0): string =>
  render(describeMany(added, { title: "X", refused, left }), "en").text;

test("a playlist of which some cannot be used is told with the first few of them and why", () => {
  const outside: Refused = { name: "a", why: { key: "playlist.why_outside" } };
  expect(told(all(37), [outside, gone("b"), gone("c")])).toBe(
    "Added 37 of 40 from X; 3 could not be used:\na: it is outside of the media folder\n" +
      "b: it is not in the media folder\nc: it is not in the media folder",
  );
  const many = told(
    all(1),
    Array.from({ length: 12 }, (_, i) => gone(`${i}`)),
  ).split("\n");
  expect([many.length, many.at(-1)]).toEqual([7, "and 7 more"]);
});

test("what did not fit counts, whether the queue or the playlist has no more room", () => {
  expect(told(all(5), [])).toBe("Added 5 tracks of X to the queue.");
  expect(told({ count: 3, left: 2, why: "full" }, [], 10)).toBe(
    "Added 3 tracks of X to the queue; 12 more did not fit.",
  );
  expect(told({ count: 3, left: 2, why: "full" }, [gone("a")], 10)).toBe(
    "Added 3 of 16 from X; 12 more did not fit, and 1 could not be used:\na: it is not in the media folder",
  );
});
