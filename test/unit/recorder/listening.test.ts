import fc from "fast-check";
import {
  freshListening,
  listen,
  WARN_AFTER_MS,
  type HeardPerson,
  type Listening,
  type Warning,
} from "../../../src/recorder/listening.ts";

const talking: Omit<HeardPerson, "userId"> = {
  ...{ connected: true, soundAgeMs: 100, levelDbfs: -25, clippedRecently: 0 },
};
const quiet = { ...talking, soundAgeMs: 400_000, levelDbfs: -70, clippedRecently: null };
const digital = { ...quiet, levelDbfs: -127 };
const nothing = { ...quiet, soundAgeMs: null, levelDbfs: null };
const apart = { ...nothing, connected: false };
const clipping = { ...talking, clippedRecently: 0.5 };

/** Looks every 10 s. @returns what the room was told, with the time */
function over(
  lengthMs: number,
  people: (atMs: number) => Record<string, Omit<HeardPerson, "userId">>,
  begin: Listening = freshListening(),
): (Warning & { atMs: number })[] {
  const told: (Warning & { atMs: number })[] = [];
  let state = begin;
  for (let atMs = 0; atMs <= lengthMs; atMs += 10_000) {
    const heard = Object.entries(people(atMs)).map(([userId, person]) => ({ userId, ...person }));
    const { after, warnings } = listen(state, heard, atMs);
    state = after;
    told.push(...warnings.map((warning) => ({ ...warning, atMs })));
  }
  return told;
}

test("who is silent for two minutes while others speak is mentioned once", () => {
  const told = over(600_000, () => ({ ann: talking, bob: quiet, cem: nothing }));
  expect(told).toEqual([
    { what: "silent", userId: "bob", atMs: WARN_AFTER_MS },
    { what: "silent", userId: "cem", atMs: WARN_AFTER_MS },
  ]);
});

test("where nobody speaks nobody is missed, but a dead microphone and a missing connection are", () => {
  expect(over(600_000, () => ({ ann: quiet, bob: quiet }))).toEqual([]);
  const told = over(600_000, () => ({ ann: quiet, bob: digital, cem: apart }));
  expect(told.map(({ userId }) => userId)).toEqual(["bob", "cem"]);
});

test("whoever says something now and then is not mentioned", () => {
  const told = over(1_200_000, (atMs) => ({ ann: talking, bob: atMs % 110_000 === 0 ? talking : quiet }));
  expect(told).toEqual([]);
});

test("who is distorted for two minutes of speaking is mentioned; a loud laugh is not", () => {
  const told = over(600_000, (atMs) => ({
    ann: clipping,
    bob: atMs % 60_000 === 0 ? clipping : talking,
    // Pauses in between count neither way.
    cem: atMs % 20_000 === 0 ? clipping : quiet,
  }));
  expect(told.filter(({ what }) => what === "clipped").map(({ userId }) => userId)).toEqual(["ann", "cem"]);
});

test("what was told in an earlier run is not told again", () => {
  const begin = freshListening(new Set(["silent bob"]));
  expect(over(600_000, () => ({ ann: talking, bob: quiet }), begin)).toEqual([]);
});

test("a look that comes late says nothing about the time between", () => {
  const first = listen(freshListening(), [{ userId: "bob", ...apart }], 0).after;
  expect(listen(first, [{ userId: "bob", ...apart }], 3_600_000).warnings).toEqual([]);
});

test("whatever is heard, each is told at most once of each, and never before two minutes", () => {
  const person = fc.constantFrom(talking, quiet, digital, nothing, apart, clipping);
  fc.assert(
    fc.property(
      fc.array(fc.record({ ann: person, bob: person }), { minLength: 40, maxLength: 60 }),
      (looks) => {
        const told = over(looks.length * 10_000 - 10_000, (atMs) => looks[atMs / 10_000]!);
        expect(new Set(told.map(({ what, userId }) => what + userId)).size).toBe(told.length);
        for (const { atMs } of told) expect(atMs).toBeGreaterThanOrEqual(WARN_AFTER_MS);
      },
    ),
  );
});
