import { fail, ok, type Check } from "../check.ts";

export const configuration: Check = {
  id: "configuration",
  about: "every setting is known and has a value that can be used",
  limitMs: 1_000,
  run: ({ problems }) =>
    Promise.resolve(
      problems.length === 0
        ? ok("all settings are right")
        : problems.map(({ key, problem, hint }) => fail(`${key} ${problem}`, hint)),
    ),
};
