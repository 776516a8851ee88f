import { rename, rm, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { BotError } from "../base/errors.ts";
import { silentLog } from "../base/log.ts";
import { systemClock } from "../base/system-clock.ts";
import type { Config, LoadedConfig } from "../config/config.ts";
import { findFfmpeg } from "../media/audio/ffmpeg-path.ts";
import { exportTo } from "../recorder/care/copy-out.ts";
import { DELETED, findRecording, recordingIds, recordingsFolder } from "../recorder/care/folder.ts";
import { listRecording, listRecordings } from "../recorder/care/list.ts";
import { repairRecording } from "../recorder/care/repair.ts";
import { verifyRecording, type VerifyReport } from "../recorder/care/verify.ts";
import { ChildExporter, type ExportFormat } from "../recorder/exporter.ts";
import { DataLock } from "../store/data-lock.ts";
import { Store } from "../store/store.ts";
import { refuseConfig } from "./config-command.ts";
import { EXIT } from "./exit-codes.ts";
import { Progress } from "./progress.ts";
import { changeLine, listText, sizeText, verifyText } from "./recordings-text.ts";

/** Options of all of them; each has its own. */
export interface RecordingsOptions {
  json?: boolean;
  keepDamaged?: boolean;
  yes?: boolean;
  format?: ExportFormat;
  zip?: boolean;
  output?: string;
  language?: "en" | "de";
}

type Place = Pick<Config, "dataDir"> & Partial<Config>;

/** `recordings list`. @returns the exit code, as all of these */
export function list(loaded: LoadedConfig, { json = false }: RecordingsOptions): Promise<number> {
  return inPlace(loaded, async ({ dataDir }) => {
    const recordings = await listRecordings(dataDir, DataLock.isTaken(dataDir));
    if (json) printJson({ version: 1, recordings });
    else
      print(recordings.length === 0 ? `no recordings in ${recordingsFolder(dataDir)}` : listText(recordings));
    return EXIT.ok;
  });
}

/** `recordings verify`: one, or all when `id` is empty. */
export function verify(
  loaded: LoadedConfig,
  id: string,
  { json = false }: RecordingsOptions,
): Promise<number> {
  return inPlace(loaded, async ({ dataDir }) => {
    const running = DataLock.isTaken(dataDir);
    const ids = id === "" ? await recordingIds(dataDir) : [(await findRecording(dataDir, id)).id];
    const reports: VerifyReport[] = [];
    const progress = new Progress(process.stdout);
    for (const [index, one] of ids.entries()) {
      if (!json) progress.show(`${index + 1} of ${ids.length}: ${one} …`);
      const report = await verifyRecording(join(recordingsFolder(dataDir), one), { running });
      reports.push(report);
      progress.clear();
      if (!json) print(verifyText(report));
    }
    const exitCode = verdictCode(reports);
    if (json) printJson({ version: 1, ok: exitCode === EXIT.ok, exitCode, recordings: reports });
    else if (reports.length === 0) print(`no recordings in ${recordingsFolder(dataDir)}`);
    return exitCode;
  });
}

function verdictCode(reports: readonly VerifyReport[]): number {
  const has = (verdict: VerifyReport["verdict"]): boolean => reports.some((one) => one.verdict === verdict);
  if (has("lost") || has("newer")) return EXIT.data;
  return has("damaged") ? EXIT.failed : EXIT.ok;
}

/** `recordings repair`. 0 when it is whole afterwards, else as `verify`. */
export function repair(
  loaded: LoadedConfig,
  text: string,
  { keepDamaged = false }: RecordingsOptions,
): Promise<number> {
  return inPlace(loaded, ({ dataDir }) =>
    alone(dataDir, async () => {
      const { id, directory } = await findRecording(dataDir, text);
      const known = withStore(dataDir, (store) => store.recordings.get(id));
      const changes = await repairRecording(directory, {
        ...{ known, keepDamaged, wallMs: systemClock.wall() },
      });
      for (const change of changes) print(changeLine(change));
      if (changes.length === 0) print("nothing to repair");
      const report = await verifyRecording(directory);
      print(verifyText(report));
      return verdictCode([report]);
    }),
  );
}

/** `recordings export`. */
export function exportOne(loaded: LoadedConfig, text: string, options: RecordingsOptions): Promise<number> {
  return inPlace(loaded, async ({ dataDir, ffmpegPath = null }) => {
    const { id, directory } = await findRecording(dataDir, text);
    const { state } = await listRecording(directory, id, DataLock.isTaken(dataDir));
    if (state === "recording") {
      throw new BotError("data_dir_busy", `${id} is being recorded: end it first (!record stop in its room)`);
    }
    const ffmpeg = await findFfmpeg(ffmpegPath);
    const output = options.output ?? id;
    const progress = new Progress(process.stdout);
    const stop = new AbortController();
    const onSignal = (): void => stop.abort();
    process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
    const { format = "opus", zip = false, language = "en" } = options;
    const outcome = await exportTo(directory, output, new ChildExporter({ ffmpeg, clock: systemClock }), {
      ...{ format, zip, language, signal: stop.signal },
      onProgress: (percent) => progress.show(`${Math.floor(percent)} %`),
    }).finally(() => progress.clear());
    for (const { file, bytes } of [...outcome.tracks, ...outcome.documents])
      print(`${sizeText(bytes).padStart(9)}  ${join(output, file)}`);
    if (outcome.tracks.length === 0) print("nobody was heard in it: there are no tracks");
    if (outcome.mixProblem === null) return EXIT.ok;
    process.stderr.write(`matrix-voice-bot: there is no mix: ${outcome.mixProblem}\n`);
    return EXIT.failed;
  });
}

/** `recordings delete`. */
export function remove(
  loaded: LoadedConfig,
  text: string,
  { yes = false }: RecordingsOptions,
): Promise<number> {
  return inPlace(loaded, ({ dataDir }) =>
    alone(dataDir, async () => {
      const { id, directory } = await findRecording(dataDir, text);
      print(listText([await listRecording(directory, id, false)]));
      if (!yes && !process.stdin.isTTY) {
        process.stderr.write("matrix-voice-bot: nobody can be asked here: say --yes\n");
        return EXIT.usage;
      }
      if (!yes && !(await confirmed("Delete it? What was sent to the room stays there. [y/N] "))) {
        print("kept");
        return EXIT.failed;
      }
      // From here on it is none, whatever comes between.
      await rename(directory, `${directory}.deleted`);
      withStore(dataDir, ({ recordings }) => {
        const row = recordings.get(id);
        if (row !== null) recordings.put({ ...row, state: "deleted" });
      });
      await removeDeleted(dataDir);
      print(`${id} is deleted`);
      return EXIT.ok;
    }),
  );
}

async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^(y|yes|j|ja)$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}

/** Also what an earlier call was killed over. */
async function removeDeleted(dataDir: string): Promise<void> {
  const folder = recordingsFolder(dataDir);
  for (const name of await readdir(folder))
    if (DELETED.test(name)) await rm(join(folder, name), { recursive: true, force: true });
}

/** Runs a command that needs nothing but to know where the recordings are. */
async function inPlace(loaded: LoadedConfig, run: (place: Place) => Promise<number>): Promise<number> {
  const config = loaded.ok ? loaded.config : loaded.partial;
  // The account may be missing; what was typed here may not be wrong.
  const typed = loaded.ok ? [] : loaded.problems.filter(({ key }) => /^(--|[./])/.test(key));
  const { dataDir } = config;
  if (typed.length > 0) return refuseConfig(typed);
  if (dataDir === undefined) return refuseConfig(loaded.ok ? [] : loaded.problems);
  try {
    return await run({ ...config, dataDir: resolve(dataDir) });
  } catch (error) {
    if (!(error instanceof BotError)) throw error;
    const { code, message } = error;
    const known = { data_dir_busy: EXIT.busy, bad_command: EXIT.usage, ambiguous: EXIT.usage };
    const exitCode = { ...known, not_found: EXIT.data, recording_damaged: EXIT.data }[
      code as keyof typeof known
    ];
    if (exitCode === undefined) throw error;
    process.stderr.write(`matrix-voice-bot: ${message}\n`);
    return exitCode;
  }
}

/** Runs what writes into the data folder: with its lock, and as its owner. @throws BotError `data_dir_busy` */
async function alone(dataDir: string, run: () => Promise<number>): Promise<number> {
  await becomeOwner(dataDir);
  const lock = DataLock.take(dataDir);
  if (lock === null) {
    throw new BotError(
      "data_dir_busy",
      `a bot uses the data folder ${dataDir}: stop it first. (list, verify and export work beside it; in the room, !recordings deletes)`,
    );
  }
  try {
    return await run();
  } finally {
    lock.release();
  }
}

/** Files that root leaves behind could not be read by the bot. @throws BotError `not_found` */
async function becomeOwner(dataDir: string): Promise<void> {
  const stats = await stat(dataDir).catch(() => null);
  if (stats === null) throw new BotError("not_found", `there is no data folder ${dataDir}`);
  process.umask(0o077);
  if (process.getuid?.() !== 0 || stats.uid === 0) return;
  process.setgroups?.([stats.gid]);
  process.setgid?.(stats.gid);
  process.setuid?.(stats.uid);
}

function withStore<T>(dataDir: string, use: (store: Store) => T): T {
  const store = Store.open({ dataDir, clock: systemClock, log: silentLog });
  try {
    return use(store);
  } finally {
    store.close();
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));
