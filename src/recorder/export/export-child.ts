// Entry of the export child (exporter.ts forks it): one job by message, reports back, ends. Its own process, so that
// hours of packets are read without anybody in a voice channel noticing.
import { BotError, messageOf } from "../../base/errors.ts";
import { silentLog } from "../../base/log.ts";
import { stepBack } from "../../base/step-back.ts";
import { systemClock } from "../../base/system-clock.ts";
import { exportJobSchema, type ExportReport } from "../exporter.ts";
import { exportRecording } from "./export.ts";
import { splitTrack } from "./split/split.ts";

stepBack(process.pid);

// The parent is gone, and with it who would deliver this; the next start does it again.
process.once("disconnect", () => process.exit(1));
process.once("message", (raw) => void run(raw));

async function run(raw: unknown): Promise<void> {
  try {
    const job = exportJobSchema.parse(raw);
    const onProgress = (percent: number): void => report({ type: "progress", percent });
    if (job.kind === "split") report({ type: "split", parts: await splitTrack(job, onProgress) });
    else {
      const outcome = await exportRecording(job, { clock: systemClock, log: silentLog, onProgress });
      report({ type: "done", ...outcome });
    }
  } catch (error) {
    const known = error instanceof BotError && (error.code === "ffmpeg_failed" || error.code === "disk_full");
    const code = known ? error.code : "recording_damaged";
    report({ type: "failed", code, message: messageOf(error).slice(0, 2_000) });
  }
}

function report(message: ExportReport): void {
  process.send?.(message);
}
