// README.md in this folder says which test shows which sentence of the protocol: each of those tests must exist.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  decodeMembership,
  decodeSignal,
  encodeCandidate,
  encodeDescription,
} from "../../../src/channel/codec.ts";
import { MEMBERSHIP_TYPE } from "../../../src/channel/ports.ts";

const tests = fileURLToPath(new URL("../../", import.meta.url));
const table = readFileSync(new URL("./README.md", import.meta.url), "utf8");
const rows = table
  .split("\n")
  .filter((line) => line.startsWith("| ") && !/^\| (sentence |-|\*\*)/.test(line))
  .map((line) => line.split(" | "));

/** Tests of one cell: `path: "title", "title…"; path: …`. */
function named(cell: string): { path: string; title: string }[] {
  return [...cell.matchAll(/([\w./-]+): ((?:"[^"]+"(?:, )?)+)/g)].flatMap(([, path = "", titles = ""]) =>
    [...titles.matchAll(/"([^"]+)"/g)].map(([, title = ""]) => ({ path, title })),
  );
}

function exists({ path, title }: { path: string; title: string }): boolean {
  const file = [`${tests}${path}.test.ts`, `${tests}${path}.ts`].find((one) => existsSync(one));
  if (file === undefined) return false;
  const begins = title.endsWith("…") ? `"${title.slice(0, -1)}` : `"${title}"`;
  return readFileSync(file, "utf8").includes(begins);
}

test("each sentence names a test", () => {
  expect(rows.length).toBeGreaterThan(60);
  expect(rows.filter(([, cell = ""]) => named(cell).length === 0).map(([sentence]) => sentence)).toEqual([]);
});

test("and each of them is there", () => {
  const missing = rows.flatMap(([, cell = ""]) => named(cell)).filter((one) => !exists(one));
  expect(missing).toEqual([]);
});

test("also behind everything that is written with a title", () => {
  const quoted = rows.flatMap(([, cell = ""]) => [...cell.matchAll(/"/g)]).length / 2;
  expect(rows.flatMap(([, cell = ""]) => named(cell))).toHaveLength(quoted);
});

test("the events that docs/PROTOCOL.md shows whole are read, and written by the same form", () => {
  const page = readFileSync(new URL("../../../docs/PROTOCOL.md", import.meta.url), "utf8");
  const shown = page
    .split("\n")
    .filter((line) => line.startsWith('{"type":'))
    .map((line) => JSON.parse(line) as { type: string; content: Record<string, unknown> });
  expect(shown).toHaveLength(10);
  for (const { type, content } of shown) {
    if (type === MEMBERSHIP_TYPE) {
      expect(decodeMembership(content)).toMatchObject({ ok: true });
      continue;
    }
    const decoded = decodeSignal(content);
    if (!decoded.ok) throw new Error(JSON.stringify(content));
    const { value } = decoded;
    const receiver = value.receiver ?? "";
    const written =
      value.type === "candidate"
        ? encodeCandidate(value.form, value.key, receiver, value.candidate, value.mid ?? "0")
        : encodeDescription(value.form, value.type, value.key, receiver, value.sdp);
    expect(written).toEqual(content);
  }
});
