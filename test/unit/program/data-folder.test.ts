import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog, type Log } from "../../../src/base/log.ts";
import { openDataFolder } from "../../../src/program/data-folder.ts";
import { rejection } from "../../support/rejection.ts";

let base: string;
let told: string[];
const log: Log = {
  ...silentLog,
  info: (event, { mode } = {}) => void told.push(`${event} ${String(mode)}`),
  warn: (event, { mode } = {}) => void told.push(`${event} ${String(mode)}`),
};
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "voicebot-folder-"));
  told = [];
});
afterEach(() => rm(base, { recursive: true }));

test("a new folder is made for our eyes only, and a second user of it is told what to do", async () => {
  const path = join(base, "a", "data");
  const lock = await openDataFolder(path, log);
  expect(await modeOf(path)).toBe("700");
  expect(await modeOf(join(path, "running.lock"))).toBe("600");
  expect(told).toEqual([]);
  expect(await rejection(openDataFolder(path, log))).toMatchObject({
    code: "data_dir_busy",
    message: expect.stringContaining("VOICEBOT_DATA_DIR"),
  });
  lock.release();
  (await openDataFolder(path, log)).release();
});

test("a folder of ours with looser rights is tightened, its files too, and links are not followed", async () => {
  const elsewhere = join(base, "elsewhere");
  await writeFile(elsewhere, "");
  await chmod(elsewhere, 0o644);
  const path = join(base, "data");
  await mkdir(path);
  await chmod(path, 0o755);
  await writeFile(join(path, "bot.db"), "");
  await chmod(join(path, "bot.db"), 0o640);
  await writeFile(join(path, "notes.txt"), "");
  await chmod(join(path, "notes.txt"), 0o644);
  await symlink(elsewhere, join(path, "sync.json"));
  (await openDataFolder(path, log)).release();
  expect(await modeOf(path)).toBe("700");
  expect(await modeOf(join(path, "bot.db"))).toBe("600");
  expect(await modeOf(join(path, "notes.txt"))).toBe("644");
  expect(await modeOf(elsewhere)).toBe("644");
  expect(told).toEqual(["data_dir_tightened 755", "data_dir_tightened 640"]);
});

test("an empty folder becomes ours; a folder of something else is left as it is and told about", async () => {
  const empty = join(base, "empty");
  await mkdir(empty);
  await chmod(empty, 0o777);
  (await openDataFolder(empty, log)).release();
  expect(await modeOf(empty)).toBe("700");
  const home = join(base, "home");
  await mkdir(home);
  await chmod(home, 0o755);
  await writeFile(join(home, "letter.txt"), "");
  told = [];
  (await openDataFolder(home, log)).release();
  expect(await modeOf(home)).toBe("755");
  expect(told).toEqual(["data_dir_open 755"]);
  expect((await readdir(home)).toSorted()).toEqual(["letter.txt", "running.lock"]);
});
