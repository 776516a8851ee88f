import { mkdir, mkdtemp, readdir, rename, rm, rmdir, symlink } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { BotError } from "../../base/errors.ts";
import type { ExportChoice, Exporter, ExportOutcome } from "../exporter.ts";
import { JOURNAL_FILE } from "../journal.ts";
import { TRACK_FILE } from "./folder.ts";

/**
 * Makes the files of a recording in a folder of their own, `output`, which is there afterwards or not at all. In the
 * recording's own folder nothing is changed: what the bot sends, or has sent, stays what its journal says.
 * @throws BotError as the exporter; `bad_command` when `output` is there and has something in it; errors of the file system
 */
export async function exportTo(
  directory: string,
  output: string,
  exporter: Exporter,
  options: { signal: AbortSignal; onProgress: (percent: number) => void } & Partial<ExportChoice>,
): Promise<ExportOutcome> {
  const target = resolve(output);
  await requireFree(target);
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  try {
    for (const name of await readdir(directory))
      if (name === JOURNAL_FILE || TRACK_FILE.test(name))
        await symlink(join(resolve(directory), name), join(work, name));
    const outcome = await exporter.export(work, options);
    await rmdir(target).catch(() => undefined);
    await rename(join(work, "export"), target);
    return outcome;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function requireFree(target: string): Promise<void> {
  try {
    if ((await readdir(target)).length === 0) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
  }
  throw new BotError("bad_command", `${target} is there already: name a folder that is new or empty`);
}
