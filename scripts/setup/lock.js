// One set-up at a time in one folder: a lock file with the owner's process id.
import * as fs from "node:fs";
import { join } from "node:path";
import { cache, minute, readText, SetupError } from "./look.js";

const lockPath = join(cache, "setup.lock");

let locked = false;

export async function withLock(work) {
  const deadline = Date.now() + 30 * minute;
  let told = false;
  while (!tryLock()) {
    const owner = Number(readText(lockPath));
    if (!isSetup(owner)) {
      // Left behind by one that was killed. Two may see that at once: the rename lets only one of them win.
      const stale = `${lockPath}.${process.pid}`;
      try {
        fs.renameSync(lockPath, stale);
        const moved = Number(readText(stale));
        if (moved !== owner && isSetup(moved)) fs.linkSync(stale, lockPath); // It was a fresh one: put it back.
        fs.rmSync(stale, { force: true });
      } catch {
        // Somebody else was quicker.
      }
      continue;
    }
    if (Date.now() > deadline) throw new SetupError(`Another set-up (process ${owner}) does not end.`);
    if (!told) console.log(`Another set-up is at work here (process ${owner}); waiting for it.`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  try {
    await work();
  } finally {
    unlock();
  }
}

function tryLock() {
  // Written first and linked then, so that nobody ever reads a lock without its owner.
  const own = `${lockPath}.${process.pid}.new`;
  fs.writeFileSync(own, String(process.pid));
  try {
    fs.linkSync(own, lockPath);
    locked = true;
    return true;
  } catch {
    return false;
  } finally {
    fs.rmSync(own, { force: true });
  }
}

export function unlock() {
  if (locked) fs.rmSync(lockPath, { force: true });
  locked = false;
}

function isSetup(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== "EPERM") return false;
  }
  // A process id is used again; where the kernel tells, look whose it is now.
  const command = readText(`/proc/${pid}/cmdline`);
  return command === null || command.includes("bootstrap.js");
}
