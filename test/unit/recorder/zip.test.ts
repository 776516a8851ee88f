import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeZip } from "../../../src/recorder/export/documents/zip.ts";

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "voicebot-zip-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const TIME = { timeMs: Date.UTC(2026, 0, 2, 3, 4, 6), onBytes: () => undefined };
const NAMES = ["Ann _ Ü 🎙️.ogg", "李.flac", "leer.txt"];

/** What another program says of it: names, sizes, times, and whether the checksums are right. */
function listed(path: string): unknown {
  const script = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    print(json.dumps({"bad": z.testzip(), "files": [[i.filename, i.file_size, i.compress_type, list(i.date_time)] for i in z.infolist()]}))
`;
  const run = spawnSync("python3", ["-c", script, path], { encoding: "utf8", timeout: 30_000 });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

test("keeps files as they are, under their names, for other programs to read", async () => {
  const contents = [Buffer.alloc(3_000_000, 7), Buffer.from("x"), Buffer.alloc(0)];
  const sources = NAMES.map((name, index) => ({ name, path: join(directory, String(index)) }));
  for (const [index, { path }] of sources.entries()) writeFileSync(path, contents[index] ?? "");
  const path = join(directory, "all.zip");
  let told = 0;
  await writeZip(path, sources, { ...TIME, onBytes: (bytes) => void (told += bytes) });
  expect(told).toBe(3_000_001);
  expect(listed(path)).toEqual({
    bad: null,
    files: NAMES.map((name, index) => [name, contents[index]?.length, 0, [2026, 1, 2, 3, 4, 6]]),
  });
  // No piece of it needs what comes behind it: the first header knows its file's length.
  expect(readFileSync(path).readUInt32LE(18)).toBe(3_000_000);
});

test("sizes and places that need 64 bits are read by other programs, too", async () => {
  const sources = ["a", "b", "c"].map((name) => ({ name, path: join(directory, name) }));
  for (const { name, path } of sources) writeFileSync(path, name.repeat(name === "b" ? 2_000 : 10));
  const path = join(directory, "all.zip");
  await writeZip(path, sources, { ...TIME, zip64From: 1_000 });
  const sizes = [
    ["a", 10],
    ["b", 2_000],
    ["c", 10],
  ].map((file) => [...file, 0, [2026, 1, 2, 3, 4, 6]]);
  expect(listed(path)).toEqual({ bad: null, files: sizes });
});

test("an archive of nothing is one", async () => {
  const path = join(directory, "none.zip");
  await writeZip(path, [], TIME);
  expect(listed(path)).toEqual({ bad: null, files: [] });
});

test("a file that gets shorter meanwhile is an error, not a wrong archive", async () => {
  const source = join(directory, "x");
  writeFileSync(source, Buffer.alloc(3_000_000));
  const shrink = (): void => truncateSync(source, 1_000_000);
  const work = writeZip(join(directory, "x.zip"), [{ name: "x", path: source }], {
    ...TIME,
    onBytes: shrink,
  });
  await expect(work).rejects.toThrow("shorter");
  expect(statSync(source).size).toBe(1_000_000);
});
