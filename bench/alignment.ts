// How far exported tracks are from the truth: in simulation, an hour of each scene with several seeds; and for real, one page that
// says the same under three identities at once, recorded by the whole bot (dist/) for ten minutes. `npm run bench -- alignment`
// leaves bench/results/alignment.json; `-- alignment --simulated` leaves the real part as it was. Nothing here passes or fails.
import { rm } from "node:fs/promises";
import { ALIGNMENT_SCENES, measureScene } from "../test/support/alignment-scenes.ts";
import { apart, exportedVoices, recordSameVoice } from "../test/support/same-voice.ts";
import { Stage } from "../test/support/stage.ts";
import type { AlignmentFigures, AlignmentRow } from "./support/figures.ts";
import { environment, readResult, writeResult } from "./support/results.ts";
import { alignmentTable } from "./support/tables.ts";

const quick = process.argv.includes("--quick");
const SEEDS = quick ? 1 : 5;
const COMMAND = `npm run bench -- alignment${process.argv.includes("--simulated") ? " --simulated" : ""}`;
const IDENTITIES = 3;
const LENGTH_MS = quick ? 60_000 : 600_000;

/** The worst seed of each scene. */
async function simulated(): Promise<AlignmentRow[]> {
  const rows: AlignmentRow[] = [];
  for (const scene of ALIGNMENT_SCENES) {
    const row = { name: scene.name, resampled: { maxMs: 0, p99Ms: 0 }, opus: { maxMs: 0, p99Ms: 0 } };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { resampled, opus } = await measureScene(scene, seed);
      for (const [into, found] of [
        [row.resampled, resampled],
        [row.opus, opus],
      ] as const) {
        into.maxMs = Math.max(into.maxMs, found.maxMs);
        into.p99Ms = Math.max(into.p99Ms, found.p99Ms);
      }
    }
    rows.push(row);
  }
  return rows;
}

async function real(): Promise<AlignmentFigures["real"]> {
  const stage = await Stage.start({ maxUploadSize: "100M" });
  try {
    const directory = await recordSameVoice(stage, { identities: IDENTITIES, lengthMs: LENGTH_MS });
    try {
      const resampled = apart(await exportedVoices(directory, "wav"));
      const opus = apart(await exportedVoices(directory, "opus"));
      return { identities: IDENTITIES, lengthMs: LENGTH_MS, resampled, opus };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  } finally {
    await stage.close();
  }
}

const kept = process.argv.includes("--simulated")
  ? (readResult<AlignmentFigures>("alignment")?.figures.real ?? null)
  : null;
const figures: AlignmentFigures = {
  seeds: SEEDS,
  simulated: await simulated(),
  real: process.argv.includes("--simulated") ? kept : await real(),
};
if (!quick) writeResult("alignment", { environment: environment(COMMAND), figures });
console.log(alignmentTable(figures));
