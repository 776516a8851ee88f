// The README's "Why is there no sound?" goes through all that `!check` and `matrix-voice-bot check` can find, in their words.
// That its text is what the tree prints is compared in generated-docs.test.ts.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SOUND_TREE, soundTree, type Leaf } from "../../scripts/sound-tree.ts";
import { en } from "../../src/base/messages/en.ts";
import { CHECKS } from "../../src/check/list.ts";
import { missingSentence } from "../../src/room-admin/missing.ts";
import { CHANNEL_EVENTS, TALK_EVENT } from "../../src/room-admin/missing.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const leaves = SOUND_TREE.flatMap((branch) => branch.leaves);
const says = leaves.flatMap((leaf) => ("says" in leaf ? [leaf.says] : []));
const checks = leaves.filter((leaf): leaf is Extract<Leaf, { check: string }> => "check" in leaf);

/** What src/diagnosis can find: the keys in the files that make findings, and what a room may lack. */
function findings(): string[] {
  const folder = join(ROOT, "src/diagnosis");
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith("-findings.ts"))
    .map((name) => readFileSync(join(folder, name), "utf8"));
  const keys = sources.flatMap((source) =>
    [...source.matchAll(/"(check\.\w+)"/g)].map(([, key]) => key ?? ""),
  );
  const lack = { needed: 50, actual: 0, suggested: 0 };
  const missing = [TALK_EVENT, ...CHANNEL_EVENTS].flatMap(({ type }) =>
    (["bot_power", "members_power"] as const).map(
      (kind) => missingSentence({ kind, event: type, ...lack }).key,
    ),
  );
  return [...new Set([...keys, ...missing, missingSentence({ kind: "encrypted" }).key])].sort();
}

test("every finding of !check is a leaf, once", () => {
  expect(findings().length).toBeGreaterThan(30);
  expect([...says].sort()).toEqual(findings());
});

test("every check of the program is a leaf, once", () => {
  expect(checks.map(({ check }) => check).sort()).toEqual(CHECKS.map(({ id }) => id).sort());
});

test.each(checks.map((leaf) => [leaf.check, leaf.todo]))("%s says to do: %s", (check, todo) => {
  const source = readFileSync(join(ROOT, `src/check/checks/${check.replaceAll("_", "-")}.ts`), "utf8");
  expect(source).toContain(todo);
});

test("what is printed are the sentences of the catalogue, with an example for each of their parameters", () => {
  const printed = soundTree();
  for (const key of says) {
    const parts = en[key].split(/\{\w+\}/);
    for (const part of parts) expect(printed).toContain(part);
  }
  expect(printed).not.toMatch(/\{\w+\}/);
});
