// Links of the documents: files that are there, headings that are there, pages that something leads to.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { pages, proseOf, readPage } from "../support/doc-blocks.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

interface Link {
  readonly from: string;
  readonly to: string;
}

const links: readonly Link[] = pages().flatMap((from) =>
  [...proseOf(from).matchAll(/\]\(([^()\s]+)\)/g)].map(([, to = ""]) => ({ from, to })),
);
const inside = links.filter(({ to }) => !/^[a-z]+:/.test(to));

/** The anchors of a page, as GitHub makes them of its headings. */
function anchors(file: string): Set<string> {
  const seen = new Map<string, number>();
  const names = readPage(file)
    .replaceAll(/^( *)(`{3,}).*\n[^]*?^\1\2$/gm, "")
    .split("\n")
    .flatMap((line) => /^#{1,6} +(.*?) *#*$/.exec(line)?.[1] ?? [])
    .map((heading) => {
      const slug = heading
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "")
        .replaceAll(" ", "-");
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    });
  return new Set(names);
}

/** The file that a link leads to, from the root; the page itself for an anchor alone. */
function target({ from, to }: Link): { file: string; anchor: string | null } {
  const [path = "", anchor = null] = to.split("#");
  return { file: path === "" ? from : normalize(join(dirname(from), decodeURI(path))), anchor };
}

test("there are links, and pages", () => {
  expect(pages().length).toBeGreaterThan(14);
  expect(inside.length).toBeGreaterThan(40);
});

test("every relative link leads to a file of the project", () => {
  const broken = inside.filter((link) => {
    const { file } = target(link);
    return file.startsWith("..") || !existsSync(join(ROOT, file));
  });
  expect(broken).toEqual([]);
});

test("every anchor is a heading", () => {
  const broken = inside.filter((link) => {
    const { file, anchor } = target(link);
    return anchor !== null && file.endsWith(".md") && !anchors(file).has(anchor);
  });
  expect(broken).toEqual([]);
});

test("links to the web are https", () => {
  expect(links.filter(({ to }) => /^[a-z]+:/.test(to) && !to.startsWith("https://"))).toEqual([]);
});

test("docs/README.md leads to every page of docs/", () => {
  const listed = new Set(
    inside.filter(({ from }) => from === "docs/README.md").map((link) => target(link).file),
  );
  expect(
    pages().filter((file) => file.startsWith("docs/") && file !== "docs/README.md" && !listed.has(file)),
  ).toEqual([]);
});

test("what a page says about files of the project, in backticks, is there", () => {
  const named = pages().flatMap((from) =>
    [...readPage(from).matchAll(/`((?:src|test|scripts|demo|deploy|bench)\/[\w./-]*\w)`/g)].map(
      ([, file = ""]) => ({ from, file }),
    ),
  );
  expect(named.length).toBeGreaterThan(20);
  const gone = named.filter(
    ({ file }) => !["", ".ts", ".test.ts", "/index.ts"].some((end) => existsSync(join(ROOT, file + end))),
  );
  expect(gone).toEqual([]);
});

test("tests that a page names by their title are there", () => {
  const page = readPage("SECURITY.md");
  const named = [...page.matchAll(/`(test\/[\w./-]+\.ts)`: ((?:“[^”]+”(?:, )?)+)/g)].flatMap(
    ([, file = "", titles = ""]) =>
      [...titles.matchAll(/“([^”]+)”/g)].map(([, title = ""]) => ({ file, title })),
  );
  expect(named.length).toBeGreaterThan(20);
  const gone = named.filter(
    ({ file, title }) =>
      !existsSync(join(ROOT, file)) || !readFileSync(join(ROOT, file), "utf8").includes(title),
  );
  expect(gone).toEqual([]);
});

test("the picture is well-formed, is readable on dark paper, and has a text for who cannot see it", () => {
  const svg = readPage("docs/picture.svg");
  expect(svg.length).toBeLessThan(10_000);
  expect(svg).toContain("prefers-color-scheme: dark");
  expect(svg).toMatch(/<title id="t">[^<]+<\/title>\s*<desc id="d">[^<]+<\/desc>/);
  expect(svg).not.toMatch(/<script|href=|url\(/);
  const open: string[] = [];
  for (const [, end, name, self] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (self === "/") continue;
    if (end !== "/") open.push(name ?? "");
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
});
