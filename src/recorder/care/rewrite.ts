import { copyFile, mkdir, open, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { encodeFileHeader, encodeRecord, type FileKind } from "../../media/tracks/framing.ts";
import { FileScan } from "./scan.ts";

export interface KeepOptions {
  /** Leave a copy of every file that is changed in `damaged/`. */
  keepDamaged: boolean;
  /** Wall clock, ms since 1970. */
  wallMs: number;
}

/** Copies a file that is about to be changed, if that is wanted. */
export async function keep(
  directory: string,
  file: string,
  { keepDamaged, wallMs }: KeepOptions,
): Promise<void> {
  if (!keepDamaged) return;
  const folder = join(directory, "damaged", new Date(wallMs).toISOString().replaceAll(/[:.]/g, "-"));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await copyFile(join(directory, file), join(folder, file));
}

/** Cuts a file behind its first `validBytes` and adds what its end lacks. */
export async function cut(path: string, validBytes: number, end: Uint8Array | null): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.truncate(validBytes);
    if (end !== null) await handle.write(end, 0, end.length, validBytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts a new file in the place of one, when it is whole and on the disk. */
export async function rewrite(
  path: string,
  kind: FileKind,
  write: (out: FileHandle) => Promise<void>,
): Promise<void> {
  const part = `${path}.part`;
  const out = await open(part, "w", 0o640);
  try {
    await out.writeFile(encodeFileHeader(kind));
    await write(out);
    await out.sync();
  } catch (error) {
    await out.close();
    await rm(part, { force: true });
    throw error;
  }
  await out.close();
  await rename(part, path);
}

/** Copies every record that can be read, of types that `takes` wants. */
export async function copyRecords(
  path: string,
  kind: FileKind,
  out: FileHandle,
  takes: (type: number) => boolean,
): Promise<void> {
  const scan = await FileScan.open(path, kind);
  let pending: Uint8Array[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    await out.writeFile(Buffer.concat(pending));
    pending = [];
    bytes = 0;
  };
  for await (const found of scan.scan()) {
    if (found.what === "hole" || !takes(found.type)) continue;
    const record = encodeRecord(found.type, found.payload);
    pending.push(record);
    bytes += record.length;
    if (bytes > 256 * 1024) await flush();
  }
  await flush();
}
