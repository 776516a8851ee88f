// What `npm pack` would ship: everything that the program needs, and nothing else.
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

const root = new URL("../../", import.meta.url).pathname;
const packed = z.tuple([
  z.object({
    files: z.array(z.object({ path: z.string(), mode: z.number() })),
    bundled: z.array(z.string()),
  }),
]);

const SHIPPED = [
  /^dist\/([a-z0-9-]+\/)*[a-z0-9-]+\.js$/,
  /^audio\/[a-z0-9-]+\.(opus|ogg|flac|wav|mp3)$/,
  /^(audio|docs)\/[A-Z-]+\.md$/,
  /^docs\/[a-z0-9-]+\.(svg|png)$/,
  /^config\/example\.yaml$/,
  /^(README|CHANGELOG|SECURITY)\.md$/,
  /^(LICENSE|package\.json)$/,
];

test("the package has what it should, and no more", async () => {
  if (!existsSync(join(root, "dist/cli.js"))) throw new Error("There is no build yet: run `npm run build`.");
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const [{ files, bundled }] = packed.parse(JSON.parse(stdout));
  const own = files.map(({ path }) => path).filter((path) => !path.startsWith("node_modules/"));

  expect(own.filter((path) => !SHIPPED.some((pattern) => pattern.test(path)))).toEqual([]);
  for (const path of [
    ...["README.md", "LICENSE", "package.json", "config/example.yaml", "docs/CONFIGURATION.md"],
    ...["dist/cli.js", "dist/program/main.js", "dist/media/child.js", "dist/recorder/export/export-child.js"],
  ]) {
    expect(own).toContain(path);
  }
  expect((files.find(({ path }) => path === "dist/cli.js")?.mode ?? 0) & 0o111).not.toBe(0);

  // Whatever a module of it imports is in it, or is a dependency; what README says more about is in it as well.
  for (const path of [...own.filter((path) => path.endsWith(".js")), "README.md"]) {
    const text = readFileSync(join(root, path), "utf8");
    const wanted = path.endsWith(".js")
      ? text.matchAll(/(?:from|import\() ?"(\.[^"]+\.js)"/g)
      : text.matchAll(/\]\(((?:docs|config)\/[^)#\s]+)[^)]*\)/g);
    const missing = [...wanted].map(([, target = ""]) => posix.join(dirname(path), target));
    expect([path, missing.filter((file) => !own.includes(file))]).toEqual([path, []]);
  }

  // An override of this package counts for nobody who installs it: what stands in for others comes along.
  expect(bundled).toContain("matrix-bot-sdk");
  const crypto = files.map(({ path }) => path).filter((path) => path.includes("matrix-sdk-crypto-nodejs/"));
  expect(crypto.map((path) => posix.basename(path)).toSorted()).toEqual(["index.cjs", "package.json"]);
});
