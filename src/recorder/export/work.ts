import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const MANIFEST = "manifest.json";
const OWNER = "owner.json";
const NAME = /^export-[0-9a-f]{8}\.part$/;

const manifestSchema = z.object({
  /** What the files are made from, and how. */
  key: z.string(),
  steps: z.record(
    z.string(),
    z.object({ files: z.array(z.object({ file: z.string(), bytes: z.number() })), result: z.unknown() }),
  ),
});
type Manifest = z.infer<typeof manifestSchema>;

/** A process: its id alone is given again, to another one. */
const ownerSchema = z.object({ pid: z.int(), started: z.string() });

/**
 * The folder in which an export is made. What was finished in it is written down, so that an export that was killed goes on in the
 * same folder and makes only the rest. It becomes `export/` as a whole.
 */
export class WorkFolder {
  readonly #directory: string;
  readonly #path: string;
  readonly #manifest: Manifest;

  private constructor(directory: string, path: string, manifest: Manifest) {
    this.#directory = directory;
    this.#path = path;
    this.#manifest = manifest;
  }

  /**
   * Goes on with what an earlier process left for the same `key`; what it left for others is removed. Folders of a process that still
   * works are left alone.
   */
  static async open(directory: string, key: unknown): Promise<WorkFolder> {
    const hash = createHash("sha256").update(JSON.stringify(key)).digest("hex");
    const path = join(directory, `export-${randomBytes(4).toString("hex")}.part`);
    let manifest: Manifest | null = null;
    for (const name of await readdir(directory)) {
      if (!NAME.test(name)) continue;
      const left = join(directory, name);
      if (await isOwned(left)) continue;
      const found: Manifest | null = manifest === null ? await manifestOf(left) : null;
      if (found?.key === hash) {
        manifest = found;
        await rename(left, path);
      } else await rm(left, { recursive: true, force: true });
    }
    if (!manifest) await mkdir(path, { mode: 0o700 });
    await writeFile(join(path, OWNER), JSON.stringify(ourselves()), { mode: 0o600 });
    return new WorkFolder(directory, path, manifest ?? { key: hash, steps: {} });
  }

  path(file: string): string {
    return join(this.#path, file);
  }

  /**
   * Makes `files` by `make`, or takes what it made and returned before. @param result decodes that, from JSON
   */
  async step<T>(
    name: string,
    files: readonly string[],
    result: z.ZodType<T>,
    make: () => Promise<T>,
  ): Promise<T> {
    const done = this.#manifest.steps[name];
    if (done && (await this.#isThere(done.files))) {
      const known = result.safeParse(done.result);
      if (known.success) return known.data;
    }
    const made = await make();
    const there: { file: string; bytes: number }[] = [];
    for (const file of files) {
      // A step may do without one of its files.
      const found = await stat(this.path(file)).catch(() => null);
      if (found) there.push({ file, bytes: found.size });
    }
    this.#manifest.steps[name] = { files: there, result: made };
    const next = this.path(`${MANIFEST}.new`);
    await writeFile(next, JSON.stringify(this.#manifest), { mode: 0o600 });
    await rename(next, this.path(MANIFEST));
    return made;
  }

  /** Files that came to nothing. */
  async remove(files: readonly string[]): Promise<void> {
    for (const file of files) await rm(this.path(file), { force: true });
  }

  /** Everything is there: it becomes `export/`, in the place of an earlier one. */
  async finish(): Promise<void> {
    const known = new Set(
      Object.values(this.#manifest.steps).flatMap(({ files }) => files.map(({ file }) => file)),
    );
    // Its own, and what a killed step of another kind left.
    for (const name of await readdir(this.#path))
      if (!known.has(name)) await rm(this.path(name), { recursive: true, force: true });
    await rm(join(this.#directory, "export"), { recursive: true, force: true });
    await rename(this.#path, join(this.#directory, "export"));
  }

  /** It came to nothing. */
  async discard(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true });
  }

  async #isThere(files: readonly { file: string; bytes: number }[]): Promise<boolean> {
    for (const { file, bytes } of files) {
      const found = await stat(this.path(file)).catch(() => null);
      if (found?.size !== bytes) return false;
    }
    return true;
  }
}

async function manifestOf(path: string): Promise<Manifest | null> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(join(path, MANIFEST), "utf8")));
  } catch {
    return null;
  }
}

/** Whether another process works in it now. */
async function isOwned(path: string): Promise<boolean> {
  try {
    const owner = ownerSchema.parse(JSON.parse(await readFile(join(path, OWNER), "utf8")));
    return owner.pid !== process.pid && owner.started === startOf(owner.pid);
  } catch {
    return false;
  }
}

const ourselves = (): z.infer<typeof ownerSchema> => ({
  pid: process.pid,
  started: startOf(process.pid) ?? "",
});

/** When a process began, as the system counts it; null when there is none, or nothing is known. */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Behind the name, which may have blanks and brackets: proc(5), field 22.
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
