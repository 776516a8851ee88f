import { fork, type ChildProcess } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Clock, Timer } from "../base/clock.ts";
import { BotError } from "../base/errors.ts";
import { exportedTrackSchema, type ExportedTrack } from "./journal.ts";

/** What the export child is told, once. */
export const exportJobSchema = z.object({
  directory: z.string(),
  /** The program. */
  ffmpeg: z.string(),
  titles: z.object({ music: z.string(), mix: z.string() }),
});
export type ExportJob = z.infer<typeof exportJobSchema>;

export const exportReportSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("progress"), percent: z.number().min(0).max(100) }),
  z.object({
    type: z.literal("done"),
    durationMs: z.number(),
    tracks: z.array(exportedTrackSchema),
    mixProblem: z.string().nullable(),
  }),
  z.object({ type: z.literal("failed"), message: z.string().max(2_000) }),
]);
export type ExportReport = z.infer<typeof exportReportSchema>;

export interface ExportOutcome {
  durationMs: number;
  /** Voices, then music, then the mix; empty when nobody was heard. */
  tracks: ExportedTrack[];
  /** Why there is no mix; null when there is one, or nothing to mix. */
  mixProblem: string | null;
}

/** Makes the files of a finished recording, below its `export/`. It can be done again: then it replaces them. */
export interface Exporter {
  /** @throws BotError `recording_damaged`, `ffmpeg_failed`, `timeout`, `cancelled`, `internal` */
  export(
    directory: string,
    options: { signal: AbortSignal; onProgress: (percent: number) => void },
  ): Promise<ExportOutcome>;
}

/** No word for this long ends the child: progress comes several times a second of work. */
const SILENT_MS = 120_000;

/** Runs each export in a child of low priority: it takes a core for a while, and sound must not notice. */
export class ChildExporter implements Exporter {
  readonly #ffmpeg: string;
  readonly #titles: ExportJob["titles"];
  readonly #clock: Clock;

  /** @param ffmpeg the program @param titles names of the files that are nobody's voice */
  constructor({ ffmpeg, titles, clock }: { ffmpeg: string; titles: ExportJob["titles"]; clock: Clock }) {
    this.#ffmpeg = ffmpeg;
    this.#titles = titles;
    this.#clock = clock;
  }

  export(
    directory: string,
    { signal, onProgress }: { signal: AbortSignal; onProgress: (percent: number) => void },
  ): Promise<ExportOutcome> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(new BotError("cancelled", "cancelled"));
        return;
      }
      const child = startChild();
      let silence: Timer | null = null;
      let outcome: ExportOutcome | BotError | null = null;
      const end = (result: ExportOutcome | BotError): void => {
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
        else if (report.data.type === "failed") end(new BotError("recording_damaged", report.data.message));
        else {
          const { durationMs, tracks, mixProblem } = report.data;
          end({ durationMs, tracks, mixProblem });
        }
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
      const job: ExportJob = { directory, ffmpeg: this.#ffmpeg, titles: this.#titles };
      child.send(job, () => undefined);
    });
  }
}

function startChild(): ChildProcess {
  // The same file from sources and from dist/.
  const ending = extname(fileURLToPath(import.meta.url));
  const entry = fileURLToPath(new URL(`./export/export-child${ending}`, import.meta.url));
  return fork(entry, [], { stdio: ["ignore", "ignore", "ignore", "ipc"], execArgv: [] });
}
