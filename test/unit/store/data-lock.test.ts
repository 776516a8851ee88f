import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataLock } from "../../../src/store/data-lock.ts";

const module = new URL("../../../src/store/data-lock.ts", import.meta.url).href;

test("one process at a time has a data folder, and a kill gives it free", async () => {
  const folder = await mkdtemp(join(tmpdir(), "voicebot-lock-"));
  const source = `const { DataLock } = await import(${JSON.stringify(module)});
    globalThis.lock = DataLock.take(${JSON.stringify(folder)});
    process.stdout.write("taken");
    setInterval(() => {}, 1000);`;
  expect(DataLock.isTaken(folder)).toBe(false);
  const other = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    await once(other.stdout, "data");
    expect(DataLock.take(folder)).toBeNull();
    expect(DataLock.isTaken(folder)).toBe(true);
    other.kill("SIGKILL");
    await once(other, "exit");
    expect(DataLock.isTaken(folder)).toBe(false);
    const lock = DataLock.take(folder);
    expect(lock).not.toBeNull();
    lock?.release();
    lock?.release();
    expect((await stat(join(folder, "running.lock"))).mode & 0o777).toBe(0o600);
  } finally {
    other.kill("SIGKILL");
    await rm(folder, { recursive: true });
  }
});
