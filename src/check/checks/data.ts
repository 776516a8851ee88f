import { constants } from "node:fs";
import { access, open, rm, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { DEFAULT_LIMITS } from "../../recorder/limits.ts";
import { need } from "../context.ts";
import { fail, ok, warn, type Check, type Finding } from "../check.ts";

/** A recording of four people for four hours, with its export. */
const COMFORTABLE_BYTES = 2e9;
const WRITES = 8;
const WRITE_BYTES = 16_384;
/** Journals and track files are flushed once a second for each recording. */
const SLOW_MS = 200;

export const data: Check = {
  id: "data",
  about: "the data folder is the bot's own (mode 700), has space, and how fast a write is safe on its disk",
  limitMs: 20_000,
  async run(context): Promise<Finding[]> {
    const path = resolve(need(context, "dataDir"));
    const there = await stat(path).catch(() => null);
    if (!there) return [await notThere(path)];
    if (!there.isDirectory()) return [fail(`${path} is not a folder`, "Name a folder: VOICEBOT_DATA_DIR.")];
    try {
      await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      const todo = `Give it to the user that the bot runs as: chown -R <user> ${path}`;
      return [fail(messageOf(error), todo)];
    }
    const { bavail, bsize } = await statfs(path);
    return [rights(path, there.mode), space(path, bavail * bsize), await speed(path, context.clock)];
  },
};

async function notThere(path: string): Promise<Finding> {
  try {
    await access(await existing(path), constants.W_OK | constants.X_OK);
    return ok(`${path} is not there yet; the first start makes it`);
  } catch (error) {
    return fail(
      `${path} is not there and cannot be made: ${messageOf(error)}`,
      `mkdir -m 700 ${path}, as the bot's user`,
    );
  }
}

async function existing(path: string): Promise<string> {
  const parent = dirname(path);
  return parent === path || (await stat(parent).catch(() => null)) ? parent : existing(parent);
}

function rights(path: string, mode: number): Finding {
  const text = (mode & 0o777).toString(8);
  if ((mode & 0o077) === 0) return ok(`${path} has mode ${text}`);
  return warn(
    `${path} has mode ${text}: others on this machine may look into recordings`,
    `chmod 700 ${path}`,
  );
}

function space(path: string, free: number): Finding {
  const gigabytes = `${(free / 1e9).toFixed(1)} GB free`;
  const floor = DEFAULT_LIMITS.diskFloorBytes;
  const todo = `Make space on the disk of ${path}, or move VOICEBOT_DATA_DIR.`;
  if (free < floor) return fail(`${gigabytes}; recordings need ${Math.round(floor / 1e6)} MB`, todo);
  if (free < COMFORTABLE_BYTES) return warn(`${gigabytes}: long recordings will end early`, todo);
  return ok(gigabytes);
}

/** The median of some writes that are on the disk when they are done. */
async function speed(path: string, clock: Clock): Promise<Finding> {
  const file = join(path, `.check-${process.pid}`);
  try {
    const handle = await open(file, "wx", 0o600);
    const tookMs: number[] = [];
    try {
      for (let i = 0; i < WRITES; i++) {
        const startedMs = clock.now();
        await handle.write(Buffer.alloc(WRITE_BYTES, i));
        await handle.sync();
        tookMs.push(clock.now() - startedMs);
      }
    } finally {
      await handle.close();
      await rm(file, { force: true });
    }
    const median = tookMs.sort((a, b) => a - b)[WRITES / 2] ?? 0;
    const what = `a write of 16 KB is safe on the disk after ${median.toFixed(1)} ms`;
    return median <= SLOW_MS
      ? ok(what)
      : warn(what, "The disk is slow: put VOICEBOT_DATA_DIR on a local one.");
  } catch (error) {
    return fail(`cannot write to ${path}: ${messageOf(error)}`, "Is the disk full, or read-only?");
  }
}
