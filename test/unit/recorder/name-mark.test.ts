import fc from "fast-check";
import { markedName, unmarkedName } from "../../../src/recorder/name-mark.ts";

test("says what is done, in the room's language, and is taken off again", () => {
  expect(markedName("Voice Bot", "recording", "en")).toBe("🔴 Voice Bot (recording)");
  expect(markedName("Voice Bot", "paused", "de")).toBe("⏸️ Voice Bot (Aufnahme angehalten)");
  for (const name of ["Voice Bot", "🔴 Radio", "Bot (recording)", "🔴", "NAME"])
    expect(unmarkedName(name)).toBe(name);
});

test("any name comes back as it was", () => {
  const mark = fc.constantFrom("recording" as const, "paused" as const);
  const language = fc.constantFrom("en" as const, "de" as const);
  const name = fc.stringMatching(/^[\p{L}\p{N}().:,-]{1,60}$/u);
  fc.assert(
    fc.property(name, mark, language, (plain, how, where) => {
      expect(unmarkedName(markedName(plain, how, where))).toBe(plain);
    }),
  );
});
