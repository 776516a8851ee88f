// What listeners hear of music whose packets are lost, with nothing done about it, with in-band FEC, and with redundant packets.
// `npm run bench -- loss` as root prints the table that docs/BENCHMARKS.md keeps. Nothing here passes or fails.
import { cpus } from "node:os";
import type { Protection } from "../test/support/loss/listener.ts";
import { listenWithLoss, type LossResult } from "../test/support/loss/scene.ts";

const LOSSES = [0, 0.05, 0.2];
const TIMES = { warmUpMs: 30_000, measureMs: 45_000 };
const NAMES: Readonly<Record<Protection, string>> = {
  off: "nothing",
  fec: "in-band FEC (a listener without RED)",
  red: "redundant packets (as Chromium)",
};

const percent = (share: number, digits: number): string => `${(share * 100).toFixed(digits)} %`;

function row({ loss, protection, redundancy, encoder, ...figures }: LossResult): string {
  const does = encoder?.fec
    ? `FEC for ${encoder.expectedLoss} %, ${Math.round(encoder.bitrate / 1000)} kbit/s`
    : redundancy
      ? `${redundancy} packet${redundancy > 1 ? "s" : ""} before, ${Math.round((encoder?.bitrate ?? 0) / 1000)} kbit/s`
      : "";
  return [
    ...[percent(loss, 0), NAMES[protection], does, percent(figures.concealed, 2)],
    ...[figures.correlation.toFixed(2), figures.worstTenth.toFixed(2), Math.round(figures.kbits)],
    ...[`${Math.round(figures.jitterBufferMs)} ms`, percent(figures.cpu, 1)],
  ].join(" | ");
}

const results: LossResult[] = [];
for (const protection of ["off", "fec", "red"] as const)
  results.push(
    ...(await listenWithLoss(
      LOSSES.map((loss) => ({ loss, protection })),
      TIMES,
    )),
  );
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}\n`,
);
console.log(
  "| loss | against it | at the end | concealed | correlation | worst tenth | kbit/s | jitter buffer | CPU |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (const loss of LOSSES)
  for (const result of results) if (result.loss === loss) console.log(`| ${row(result)} |`);
