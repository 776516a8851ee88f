import { chmod, lstat, mkdir, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { BotError, messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { DataLock } from "../store/data-lock.ts";

/** Files of ours at the top of the folder; what is deeper is behind folders of mode 700. */
const OURS = /^(bot\.db(-wal|-shm)?|bot\.db\.damaged-.*|sync\.json|account\.json|running\.lock)$/;

/**
 * Makes the data folder (mode 700) and takes it for this process: two bots on one database and one sync position would
 * lose what they write. A folder of ours with looser rights is tightened, any other is told about.
 * @throws BotError `data_dir_busy`; errors of the file system
 */
export async function openDataFolder(path: string, log: Log): Promise<DataLock> {
  const dataDir = resolve(path);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await tighten(dataDir, log);
  const lock = DataLock.take(dataDir);
  if (lock !== null) return lock;
  throw new BotError(
    "data_dir_busy",
    `another matrix-voice-bot uses the data folder ${dataDir}; stop it, or give this one a folder (VOICEBOT_DATA_DIR) and an account of its own`,
  );
}

async function tighten(dataDir: string, log: Log): Promise<void> {
  const entries = await readdir(dataDir);
  // Somebody who names a folder of something else by mistake must not find it closed.
  const ours = entries.length === 0 || entries.some((entry) => OURS.test(entry));
  const paths = [dataDir, ...entries.filter((entry) => OURS.test(entry)).map((name) => join(dataDir, name))];
  for (const path of paths) {
    const stats = await lstat(path).catch(() => null);
    if (stats === null || stats.isSymbolicLink() || (stats.mode & 0o077) === 0) continue;
    const mode = (stats.mode & 0o777).toString(8);
    const hint = `Others on this machine may look into it: chmod ${stats.isDirectory() ? "700" : "600"} ${path}`;
    if (!ours) {
      log.warn("data_dir_open", { path, mode, hint });
      continue;
    }
    try {
      await chmod(path, stats.isDirectory() ? 0o700 : 0o600);
      log.info("data_dir_tightened", { path, mode });
    } catch (error) {
      log.warn("data_dir_open", { path, mode, hint, reason: messageOf(error) });
    }
  }
}
