import { fork, type ChildProcess } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Clock, Timer } from "../base/clock.ts";
import { BotError } from "../base/errors.ts";
import { render, type Language, type MessageKey } from "../base/messages/catalogue.ts";
import { exportedDocumentSchema, exportedTrackSchema, trackPartSchema } from "./journal.ts";
import type { ExportedDocument, ExportedTrack, TrackPart } from "./journal.ts";

/** What the voices and the music are delivered as; `opus`: the packets as they came. */
export const exportFormatSchema = z.enum(["opus", "flac", "wav"]);
export type ExportFormat = z.infer<typeof exportFormatSchema>;

/** What the export child is told, once. */
export const exportJobSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("export"),
    directory: z.string(),
    /** The program. */
    ffmpeg: z.string(),
    /** Names of the files that are nobody's voice. */
    titles: z.object({ music: z.string(), mix: z.string(), voices: z.string() }),
    format: exportFormatSchema,
    /** One file with everything in it, too. */
    zip: z.boolean(),
    /** Of the texts for people. */
    language: z.enum(["en", "de"]),
  }),
  z.object({
    kind: z.literal("split"),
    directory: z.string(),
    /** A track of `export/`. */
    file: z.string(),
    /** Of each part, at most. */
    maxBytes: z.number().positive(),
    /** The word in "Robin (2 of 3).ogg". */
    of: z.string().max(20),
  }),
]);
export type ChildJob = z.infer<typeof exportJobSchema>;
export type ExportJob = Extract<ChildJob, { kind: "export" }>;

export const exportReportSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("progress"), percent: z.number().min(0).max(100) }),
  z.object({
    type: z.literal("done"),
    durationMs: z.number(),
    tracks: z.array(exportedTrackSchema),
    documents: z.array(exportedDocumentSchema),
    mixProblem: z.string().nullable(),
  }),
  z.object({ type: z.literal("split"), parts: z.array(trackPartSchema) }),
  z.object({
    type: z.literal("failed"),
    code: z.enum(["recording_damaged", "ffmpeg_failed", "disk_full"]).default("recording_damaged"),
    message: z.string().max(2_000),
  }),
]);
export type ExportReport = z.infer<typeof exportReportSchema>;
/** The last word of a job that went well. */
type JobResult = Exclude<ExportReport, { type: "progress" | "failed" }>;

export interface ExportOutcome {
  durationMs: number;
  /** Voices, then music, then the mixes; empty when nobody was heard. */
  tracks: ExportedTrack[];
  /** What comes with them, and the zip if there is one. */
  documents: ExportedDocument[];
  /** Why there is no mix; null when there is one, or nothing to mix. */
  mixProblem: string | null;
}

/** What the room wants to have. */
export interface ExportChoice {
  format: ExportFormat;
  zip: boolean;
  language: Language;
}

const USUAL: ExportChoice = { format: "opus", zip: false, language: "en" };

interface RunOptions {
  signal: AbortSignal;
  onProgress: (percent: number) => void;
}

/** Makes the files of a finished recording, below its `export/`. It can be done again: then it replaces them. */
export interface Exporter {
  /** @throws BotError `recording_damaged`, `ffmpeg_failed`, `disk_full`, `timeout`, `cancelled`, `internal` */
  export(directory: string, options: RunOptions & Partial<ExportChoice>): Promise<ExportOutcome>;
}

/** Cuts a track of `export/` into files, in `parts/`, of at most `maxBytes` that can each be played. */
export interface Splitter {
  /** @throws BotError `recording_damaged` (also when it cannot be cut so small), `timeout`, `cancelled`, `internal` */
  split(
    directory: string,
    file: string,
    options: { maxBytes: number; language: Language; signal: AbortSignal },
  ): Promise<TrackPart[]>;
}

/** No word for this long ends the child: progress comes several times a second of work. */
const SILENT_MS = 120_000;

/** Runs each export in a child of low priority: it takes a core for a while, and sound must not notice. */
export class ChildExporter implements Exporter, Splitter {
  readonly #ffmpeg: string;
  readonly #clock: Clock;

  /** @param ffmpeg the program */
  constructor({ ffmpeg, clock }: { ffmpeg: string; clock: Clock }) {
    this.#ffmpeg = ffmpeg;
    this.#clock = clock;
  }

  async export(
    directory: string,
    { signal, onProgress, ...choice }: RunOptions & Partial<ExportChoice>,
  ): Promise<ExportOutcome> {
    const { format, zip, language } = { ...USUAL, ...choice };
    const title = (key: MessageKey): string => render({ key }, language).text;
    const titles = {
      music: title("record.music"),
      mix: title("record.mix"),
      voices: title("record.voices"),
    };
    const job: ExportJob = {
      ...{ kind: "export", directory, ffmpeg: this.#ffmpeg, titles, format, zip, language },
    };
    const result = await this.#run(job, { signal, onProgress });
    if (result.type !== "done") throw new BotError("internal", "the export said something else");
    const { durationMs, tracks, documents, mixProblem } = result;
    return { durationMs, tracks, documents, mixProblem };
  }

  async split(
    directory: string,
    file: string,
    { maxBytes, language, signal }: { maxBytes: number; language: Language; signal: AbortSignal },
  ): Promise<TrackPart[]> {
    const of = render({ key: "record.part_of" }, language).text;
    const job: ChildJob = { kind: "split", directory, file, maxBytes, of };
    const result = await this.#run(job, { signal, onProgress: () => undefined });
    if (result.type !== "split") throw new BotError("internal", "the export said something else");
    return result.parts;
  }

  #run(job: ChildJob, { signal, onProgress }: RunOptions): Promise<JobResult> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(new BotError("cancelled", "cancelled"));
        return;
      }
      const child = startChild();
      let silence: Timer | null = null;
      let outcome: JobResult | BotError | null = null;
      const end = (result: JobResult | BotError): void => {
        outcome ??= result;
        child.kill("SIGKILL");
      };
      const heard = (): void => {
        silence?.cancel();
        silence = this.#clock.timer(SILENT_MS, () => end(new BotError("timeout", "the export hangs")));
      };
      const onAbort = (): void => end(new BotError("cancelled", "cancelled"));
      signal.addEventListener("abort", onAbort, { once: true });
      child.on("message", (raw) => {
        heard();
        const report = exportReportSchema.safeParse(raw);
        if (!report.success) end(new BotError("internal", "the export said something unknown"));
        else if (report.data.type === "progress") onProgress(report.data.percent);
        else if (report.data.type === "failed") end(new BotError(report.data.code, report.data.message));
        else end(report.data);
      });
      child.once("error", (error) => end(new BotError("internal", error.message, { cause: error })));
      child.once("close", (code, killedBy) => {
        silence?.cancel();
        signal.removeEventListener("abort", onAbort);
        outcome ??= new BotError("internal", `the export ended (${code ?? killedBy})`);
        if (outcome instanceof BotError) reject(outcome);
        else resolve(outcome);
      });
      heard();
      child.send(job, () => undefined);
    });
  }
}

/**
 * Node's options of the export child. Left alone V8 lets its young generation grow as long as packets stream through, so that the
 * child took more the longer a recording was; with this it takes as much for half an hour as for two minutes, in the same time.
 */
export const EXPORT_CHILD_OPTIONS: readonly string[] = [
  "--max-semi-space-size=2",
  "--max-old-space-size=192",
];

function startChild(): ChildProcess {
  // The same file from sources and from dist/.
  const ending = extname(fileURLToPath(import.meta.url));
  const entry = fileURLToPath(new URL(`./export/export-child${ending}`, import.meta.url));
  return fork(entry, [], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    execArgv: [...EXPORT_CHILD_OPTIONS],
  });
}
