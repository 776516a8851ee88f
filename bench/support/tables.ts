// Figures as Markdown: what a bench prints, and what stands in docs/BENCHMARKS.md.
import type { CpuFigures, CpuRow } from "./figures.ts";

/** Cells padded as the formatter pads them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) =>
    Math.max(3, cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join(
    "\n",
  );
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const NAMES: Record<CpuRow["what"], (size: number) => string> = {
  listeners: (size) => `a track to ${size} listener${size === 1 ? "" : "s"}`,
  speakers: (size) => `${size} speaker${size === 1 ? "" : "s"} recorded`,
  mesh: (size) => `mesh of ${size}, playing and recording`,
  rooms: (size) => `${size} room${size === 1 ? "" : "s"} with a track each, ffmpeg included`,
};

export function cpuTable({ rows }: CpuFigures): string {
  return table(
    ["of one core", "bot", "bare library", "ratio", "packets/s out, in"],
    rows.map(({ what, size, bot, bare, ratio }) => {
      const all = what === "rooms";
      const share = ({ own, programs }: CpuRow["bot"]): string => percent(own + (all ? programs : 0));
      const rate = `${Math.round(bot.sentPerSecond)}, ${Math.round(bot.receivedPerSecond)}`;
      return [NAMES[what](size), share(bot), share(bare), ratio.toFixed(2), rate];
    }),
  );
}
