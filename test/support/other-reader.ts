// Two readers of a recording's folder, ours and the one made from docs/RECORDING-FORMAT.md alone, in one shape.
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { RecordReader, TrackReader } from "../../src/media/tracks/reader.ts";

/** A file as both readers give it; packets' payloads in hexadecimal. */
export interface ReadFile {
  records: unknown[];
  validBytes: number;
  tornBytes: number;
}

const READER = new URL("outside/read-recording.py", import.meta.url).pathname;

/** What the other one reads, by name of the file. */
export async function readOutside(directory: string): Promise<Record<string, ReadFile>> {
  const { stdout } = await promisify(execFile)("python3", [READER, directory], { maxBuffer: 1e9 });
  return JSON.parse(stdout) as Record<string, ReadFile>;
}

/** What ours reads. */
export async function readOurs(directory: string): Promise<Record<string, ReadFile>> {
  const files: Record<string, ReadFile> = {};
  for (const name of await readdir(directory)) {
    if (name === "journal.mvt") files[name] = await readOurJournal(join(directory, name));
    else if (name.endsWith(".mvt")) files[name] = await readOurTrack(join(directory, name));
  }
  return files;
}

async function readOurTrack(path: string): Promise<ReadFile> {
  const reader = await TrackReader.open(path);
  const records: unknown[] = [{ type: "header", ...reader.header }];
  for await (const record of reader.records()) {
    if (record.type !== "packet") records.push(record);
    else records.push({ ...record, payload: Buffer.from(record.payload).toString("hex") });
  }
  return { records, ...endOf(reader) };
}

/** Each entry as it stands there, also of kinds that we do not know. */
async function readOurJournal(path: string): Promise<ReadFile> {
  const reader = await RecordReader.open(path, "journal");
  const records: unknown[] = [];
  for await (const { type, payload } of reader.records())
    if (type === 1) records.push(JSON.parse(Buffer.from(payload).toString("utf8")));
  return { records, ...endOf(reader) };
}

function endOf({ end }: Pick<RecordReader, "end">): Pick<ReadFile, "validBytes" | "tornBytes"> {
  return { validBytes: end?.validBytes ?? 0, tornBytes: end?.tornBytes ?? 0 };
}
