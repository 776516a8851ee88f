import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../base/errors.ts";
import { bytesIn } from "../folder-size.ts";
import { JOURNAL_FILE, readJournal } from "../journal.ts";
import { recordingIds, recordingsFolder, stateOf, TRACK_FILE, type RecordingState } from "./folder.ts";

export interface ListedRecording {
  id: string;
  state: RecordingState | "damaged";
  what: "recording" | "clip";
  /** Null where the journal cannot be read. */
  roomId: string | null;
  title: string | null;
  startedAt: string | null;
  durationMs: number | null;
  /** Of all that is in its folder. */
  bytes: number;
  /** Track files: voices and music. */
  tracks: number;
  /** Why the journal cannot be read. */
  problem: string | null;
}

/** All recordings of a data folder, oldest first. Reads their journals, not their sound. @param running a bot uses the folder */
export async function listRecordings(dataDir: string, running: boolean): Promise<ListedRecording[]> {
  const listed: ListedRecording[] = [];
  for (const id of await recordingIds(dataDir))
    listed.push(await listRecording(join(recordingsFolder(dataDir), id), id, running));
  return listed;
}

export async function listRecording(
  directory: string,
  id: string,
  running: boolean,
): Promise<ListedRecording> {
  const names: string[] = await readdir(directory).catch(() => []);
  const folder = {
    id,
    bytes: await bytesIn(directory),
    tracks: names.filter((name) => TRACK_FILE.test(name)).length,
  };
  try {
    if (!names.includes(JOURNAL_FILE)) throw new Error("there is no journal");
    const { start, entries } = await readJournal(directory);
    const exported = entries.findLast((entry) => entry.kind === "exported");
    const stop = entries.find(({ kind }) => kind === "stop");
    const last = stop ?? entries.at(-1);
    return {
      ...folder,
      ...{ state: stateOf(entries, running), roomId: start.roomId, title: start.title, problem: null },
      what: start.what,
      startedAt: new Date(start.wallMs).toISOString(),
      durationMs: exported?.durationMs ?? (last ? Math.max(0, last.atMs - start.atMs) : null),
    };
  } catch (error) {
    return {
      ...{
        ...folder,
        state: "damaged",
        what: "recording",
        roomId: null,
        title: null,
        startedAt: null,
        durationMs: null,
      },
      problem: messageOf(error),
    };
  }
}
