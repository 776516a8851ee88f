import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { WorkFolder } from "../../../src/recorder/export/work.ts";

let directory: string;
let made: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "voicebot-work-"));
  made = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const KEY = { format: "opus", size: 1 };
const result = z.object({ of: z.string() });
const parts = (): string[] => readdirSync(directory).filter((name) => name.endsWith(".part"));

/** A step that writes one file of its name. */
function step(work: WorkFolder, name: string): Promise<{ of: string }> {
  return work.step(name, [name], result, () => {
    made.push(name);
    writeFileSync(work.path(name), `content of ${name}`);
    return Promise.resolve({ of: name });
  });
}

test("what a killed export finished is not made again, and its results are known", async () => {
  const killed = await WorkFolder.open(directory, KEY);
  await step(killed, "a");
  writeFileSync(killed.path("b"), "half");
  const next = await WorkFolder.open(directory, KEY);
  expect(await step(next, "a")).toEqual({ of: "a" });
  expect(await step(next, "b")).toEqual({ of: "b" });
  expect(made).toEqual(["a", "b"]);
  await next.finish();
  expect(readdirSync(directory)).toEqual(["export"]);
  expect(readdirSync(join(directory, "export")).sort()).toEqual(["a", "b"]);
  expect(readFileSync(join(directory, "export", "b"), "utf8")).toBe("content of b");
});

test("a file that is not as it was left is made again", async () => {
  await step(await WorkFolder.open(directory, KEY), "a");
  writeFileSync(join(directory, parts()[0] ?? "", "a"), "cut");
  await step(await WorkFolder.open(directory, KEY), "a");
  expect(made).toEqual(["a", "a"]);
});

test("what was made from something else, or cannot be read, is removed", async () => {
  await step(await WorkFolder.open(directory, KEY), "a");
  const other = await WorkFolder.open(directory, { ...KEY, size: 2 });
  expect(existsSync(other.path("a"))).toBe(false);
  await step(other, "a");
  writeFileSync(other.path("manifest.json"), "{");
  await step(await WorkFolder.open(directory, { ...KEY, size: 2 }), "a");
  expect(made).toEqual(["a", "a", "a"]);
  expect(parts()).toHaveLength(1);
});

test("the folder of another process that still works is left alone; an earlier export stays until the new one is whole", async () => {
  const working = await WorkFolder.open(directory, KEY);
  await step(working, "a");
  const child = spawn("sleep", ["30"]);
  try {
    const started = readFileSync(`/proc/${child.pid}/stat`, "latin1").split(") ")[1]?.split(" ")[19];
    writeFileSync(working.path("owner.json"), JSON.stringify({ pid: child.pid, started }));
    const ours = await WorkFolder.open(directory, KEY);
    expect(existsSync(ours.path("a"))).toBe(false);
    await step(ours, "b");
    await ours.finish();
    expect(existsSync(working.path("a"))).toBe(true);
    const third = await WorkFolder.open(directory, { ...KEY, size: 3 });
    expect(readdirSync(join(directory, "export"))).toEqual(["b"]);
    await third.discard();
  } finally {
    child.kill("SIGKILL");
  }
});
