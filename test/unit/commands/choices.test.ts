import type { Choice } from "../../../src/player/resolver/resolver.ts";
import { CHOICE_MS, Choices } from "../../../src/commands/choices.ts";
import { FakeClock } from "../../fakes/clock.ts";

const offered = (...names: string[]): Choice[] =>
  names.map((name) => ({
    label: name,
    found: { source: { kind: "library", path: name }, title: name, durationMs: null },
  }));

test("a number is an answer to one's own last offer, for two minutes, and alone but once", () => {
  const clock = new FakeClock();
  const choices = new Choices(clock);
  expect(choices.answers("@ann:x", 1)).toBe(false);
  choices.offer("@ann:x", offered("a", "b"));
  expect(choices.answers("@bob:x", 1)).toBe(false);
  expect(choices.answers("@ann:x", 3)).toBe(false);
  expect(choices.answers("@ann:x", 2)).toBe(true);
  expect(choices.answers("@ann:x", 2)).toBe(false);
  expect(choices.get("@ann:x", 2)?.label).toBe("b");
  choices.offer("@ann:x", offered("c"));
  expect(choices.get("@ann:x", 1)?.label).toBe("c");
  choices.offer("@ann:x", []);
  expect(choices.get("@ann:x", 1)?.label).toBe("c");
  clock.tick(CHOICE_MS + 1);
  expect(choices.get("@ann:x", 1)).toBeNull();
  expect(choices.answers("@ann:x", 1)).toBe(false);
});
