// Every sentence there is, in every language: complete, with the same gaps to fill, said by somebody, and filled.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { render, type MessageKey } from "../../../src/base/messages/catalogue.ts";
import { de } from "../../../src/base/messages/de.ts";
import { en } from "../../../src/base/messages/en.ts";

const SRC = new URL("../../../src/", import.meta.url).pathname;
const keys = Object.keys(en) as MessageKey[];
const gaps = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g))].sort();
const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.startsWith("base/messages/"))
  .map((name) => ({ name, text: readFileSync(join(SRC, name), "utf8") }));

test("both languages have the same sentences with the same gaps, and none is empty", () => {
  expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
  const wrong = keys.filter((key) => gaps(en[key]).join() !== gaps(de[key]).join());
  expect(wrong).toEqual([]);
  for (const catalogue of [en, de]) expect(keys.filter((key) => catalogue[key].trim() === "")).toEqual([]);
});

/** Words that depend on a number: `{count?track|tracks}`. */
const forms = (text: string): string[] => text.match(/\{[^{}]*\?[^{}]*\}/g) ?? [];

test("a word for one or many is by a number that the sentence has, and stands alone in a bracket", () => {
  for (const catalogue of [en, de])
    for (const key of keys)
      for (const form of forms(catalogue[key])) {
        const [, gap] = /^\{(\w+)\?[^|{}]+\|[^|{}]+\}$/.exec(form) ?? [];
        expect(`${key} ${form}: ${gaps(catalogue[key]).join()}`).toContain(`{${gap}}`);
      }
  for (const [count, said, gesagt] of [
    [1, "Kept 1 track as x.", "1 Titel ist als x aufgehoben."],
    [2, "Kept 2 tracks as x.", "2 Titel sind als x aufgehoben."],
    [0, "Kept 0 tracks as x.", "0 Titel sind als x aufgehoben."],
  ] as const) {
    const sentence = { key: "lists.saved", params: { count, name: "x", prefix: "!" } } as const;
    expect(render(sentence).text).toContain(said);
    expect(render(sentence, "de").text).toContain(gesagt);
  }
});

test("every sentence is said somewhere", () => {
  const all = sources.map(({ text }) => text).join("\n");
  const said = new Set(Array.from(all.matchAll(/["']([a-z][\w.]*)["']/g), ([, key]) => key));
  // `check.is_${phase}` and the like: with something for each gap.
  const made = Array.from(all.matchAll(/`([a-z]\w*\.[^`\s]*\$\{[^`]*)`/g), ([, template = ""]) => {
    const parts = template.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join("\\w+")}$`);
  });
  const unsaid = keys.filter((key) => !said.has(key) && !made.some((form) => form.test(key)));
  expect(unsaid).toEqual([]);
});

/** The text of an object literal from its brace on. */
function literal(text: string, from: number): string {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "{") depth++;
    if (text[at] === "}" && --depth === 0) return text.slice(from + 1, at);
  }
  return "";
}

test("where a sentence stands with what fills it, nothing is left out", () => {
  const missing: string[] = [];
  let seen = 0;
  for (const { name, text } of sources) {
    for (const found of text.matchAll(/\{\s*key: "(\w+\.\w+)"/g)) {
      const whole = literal(text, found.index);
      const key = found[1] as MessageKey;
      const isSaid = /(say: |tell\(|return )$/.test(text.slice(0, found.index)) && !whole.includes(",");
      if (!isSaid && !whole.includes("params: {")) continue;
      // What is spread or named may have the rest.
      if (!(key in en) || /\.\.\.|\b(params|parts)\b(?!:)/.test(whole)) continue;
      seen++;
      const given = new Set(whole.match(/\w+/g));
      // Findings are given the prefix where they are put together.
      if (name.startsWith("diagnosis/")) given.add("prefix");
      for (const gap of gaps(en[key]))
        if (!given.has(gap.slice(1, -1))) missing.push(`${name}: ${key} ${gap}`);
    }
  }
  expect(seen).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});

test("no sentence has what would ping or break out of its markup", () => {
  for (const catalogue of [en, de])
    for (const key of keys) {
      expect(`${key}: ${catalogue[key]}`).not.toMatch(/@room|<[a-z/]|matrix\.to/);
      // The prefix is the operator's to choose.
      expect(`${key}: ${catalogue[key]}`).not.toMatch(/`![a-z]/);
      const { text, html } = render({ key });
      expect(`${key}: ${text}`).not.toMatch(/\*\*|`/);
      expect(html.split("<strong>").length).toBe(html.split("</strong>").length);
    }
});
