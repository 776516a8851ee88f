// Figures as Markdown: what a bench prints, and what stands in docs/BENCHMARKS.md.
import type {
  AlignmentFigures,
  AlignmentRow,
  CpuFigures,
  CpuRow,
  CpuShare,
  ExportFigures,
  ExportRow,
  FlushFigures,
  Held,
  LibraryFigures,
  MemoryFigures,
  MemorySample,
  PlayerFigures,
  RecorderFigures,
  SeekFigures,
  SetupFigures,
} from "./figures.ts";
import { median, slope } from "./statistics.ts";

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

/** Whether both sent and were sent as much: where the machine had too little for one of them, shares say nothing. */
function sameWork(bot: CpuShare, bare: CpuShare): boolean {
  const alike = (a: number, b: number): boolean => Math.abs(a - b) <= 0.03 * Math.max(a, b);
  return alike(bot.sentPerSecond, bare.sentPerSecond) && alike(bot.receivedPerSecond, bare.receivedPerSecond);
}

export function cpuTable({ rows }: CpuFigures): string {
  return table(
    ["of one core", "bot", "bare library", "ratio", "packets/s out, in"],
    rows.map(({ what, size, bot, bare, ratio }) => {
      const all = what === "rooms";
      const share = ({ own, programs }: CpuRow["bot"]): string => percent(own + (all ? programs : 0));
      const rate = `${Math.round(bot.sentPerSecond)}, ${Math.round(bot.receivedPerSecond)}`;
      return [
        NAMES[what](size),
        share(bot),
        share(bare),
        sameWork(bot, bare) ? ratio.toFixed(2) : "not the same work",
        rate,
      ];
    }),
  );
}

/** Median and worst. */
const times = (values: readonly number[]): string =>
  values.length === 0 ? "–" : `${median(values)} ms (worst ${Math.max(...values)}, n = ${values.length})`;

export function setupTable({ alone, crowd, plays }: SetupFigures): string {
  return table(
    ["from … to", "bot", "bare library"],
    [
      ["a member's offer to connected", times(alone.bot), times(alone.bare)],
      [`${crowd.size} offers at once to the last connected`, times(crowd.bot), times(crowd.bare)],
      ["`!play` being sent, in the channel, to its first packet at a member", times(plays), "–"],
    ],
  );
}

export function playerTable({ skips, seeks, ...shares }: PlayerFigures): string {
  const waits = table(
    ["from being sent, in the channel, to its first sound at a member", "waited", "to reach"],
    [
      ["`!skip`", times(skips), "150 ms"],
      ["`!seek`", times(seeks), "300 ms"],
    ],
  );
  const rows = (["idle", "paused", "playing"] as const).map((state) => {
    const { own, programs } = shares[state];
    return [state, `${(own * 100).toFixed(2)} %`, `${(programs * 100).toFixed(2)} %`];
  });
  return `${waits}\n\n${table(["a room with one member", "of one core", "ffmpeg"], rows)}`;
}

export function seekTable({ rows }: SeekFigures): string {
  return table(
    ["kind of file", "error of a seek", "to its first frame", "silence before the next"],
    rows.map(({ name, errorsMs, waitsMs, gapMs }) => [
      name,
      times(errorsMs.map(Math.abs)),
      times(waitsMs),
      `${gapMs} ms`,
    ]),
  );
}

const MB = 2 ** 20;
const HELD: readonly [key: keyof Held, name: string, unit: number][] = [
  ["heapUsed", "heap", MB],
  ["external", "external", MB],
  ["rss", "resident", MB],
  ["handles", "handles", 1],
  ["descriptors", "descriptors", 1],
  ["threads", "threads", 1],
  ["children", "children", 1],
];

/** The slope is that of the second half: caches fill in the first. */
export function memoryTable({ before, after, hour }: MemoryFigures): string {
  const rows: string[][] = [];
  for (const side of ["control", "media"] as const) {
    const late = hour.slice(Math.floor(hour.length / 2));
    for (const [key, name, unit] of HELD) {
      const show = (sample: MemorySample | null | undefined): string => {
        const held = sample?.[side];
        return held ? (held[key] / unit).toFixed(unit === 1 ? 0 : 1) : "–";
      };
      const points = late.flatMap((sample): [number, number][] => {
        const held = sample[side];
        return held ? [[sample.minute / 60, held[key] / unit]] : [];
      });
      const { value, error } = slope(points);
      const grows = points.length < 3 ? "–" : `${value.toFixed(2)} ± ${error.toFixed(2)}`;
      const what = `${side}: ${name}${unit === 1 ? "" : ", MB"}`;
      rows.push([what, show(before), show(after), show(hour.at(-1)), grows]);
    }
  }
  const last = hour.at(-1);
  const first = `after ${(after?.cycles ?? 0) - before.cycles} cycles`;
  return table(
    ["process", "before", first, `after ${last?.minute ?? 0} min, ${last?.cycles ?? 0} cycles`, "per hour"],
    rows,
  );
}

const EXPORTS: Record<ExportRow["what"], (row: ExportRow) => string> = {
  track: ({ format }) => `one track, ${format}`,
  mixes: ({ format, speakers }) => `measuring and the mix of ${speakers}, ${format}`,
  everything: ({ format, speakers }) => `everything of ${speakers}, ${format}, with the zip`,
};

export function exportTable({ lengthMs, rows, peakBytes }: ExportFigures): string {
  const times = (ms: number): string => `${Math.round(lengthMs / ms)}`;
  const lines = rows.map((row) => {
    const { ours, ffmpeg } = row;
    const bare = ffmpeg
      ? [times(ffmpeg.ms), times(ffmpeg.cpuMs), (ours.cpuMs / ffmpeg.cpuMs).toFixed(2)]
      : ["–", "–", "–"];
    return [EXPORTS[row.what](row), times(ours.ms), times(ours.cpuMs), ...bare];
  });
  const head = [
    "times real time",
    "by the clock",
    "for one core",
    "ffmpeg: by the clock",
    "for one core",
    "core time against it",
  ];
  const mb = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`;
  const peak = `Largest resident set of the child: ${mb(peakBytes.short)}, of a recording four times as long ${mb(peakBytes.long)}.`;
  return `${table(head, lines)}\n\n${peak}`;
}

const QUERIES = {
  title: "a whole title",
  words: "two words of a title",
  beginnings: "the beginnings of its words",
  errors: "a title with an error in each word",
  nothing: "words that are nowhere",
  many: "twelve words of different titles",
};

export function libraryTable({ files, queries, ...figures }: LibraryFigures): string {
  const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  const rows = (["title", "words", "beginnings", "errors", "nothing", "many"] as const).map((kind) => {
    const { medianMs, worstMs } = queries[kind];
    return [QUERIES[kind], `${medianMs.toFixed(1)} ms`, `${worstMs.toFixed(1)} ms`];
  });
  const lines = [
    `${files.toLocaleString("en")} files: all tags read after ${Math.round(figures.indexMs / 1000)} s, at ${percent(figures.share)} of a core`,
    `(${percent(figures.worstShare)} in the worst ten seconds); listed again after a restart, with what was kept, in ${(figures.listedMs / 1000).toFixed(1)} s;`,
    `what was kept itself is known ${(figures.knownMs / 1000).toFixed(1)} s after a restart to who asks at once.`,
    `Memory: ${mb(figures.heapBytes)} more on the heap (${mb(figures.residentBytes)} resident, with the watchers), and ${mb(figures.childBytes)} for the process that`,
    "reads tags, as long as it does.",
  ];
  return `${lines.join("\n")}\n\n${table(["looked for", "median", "worst"], rows)}`;
}

export function recorderTable({ speakers, flushes, ...figures }: RecorderFigures): string {
  const { sharePerSpeaker, shares, bytesPerSecond } = figures;
  const percents = shares.map(({ on, off }) => ((on - off) / speakers) * 100);
  const [least, most] = [Math.min(...percents), Math.max(...percents)].map((each) => each.toFixed(2));
  const spread = `${least} to ${most} in ${shares.length} pairs of windows`;
  const flush = ({ medianMs, worstMs, cpuMs }: FlushFigures): string =>
    `${medianMs} ms (worst ${worstMs}), of which ${cpuMs} ms computed`;
  const of = `${speakers} speakers' files, once a second`;
  return table(
    ["figure", "measured", "to reach"],
    [
      [
        "recording one speaker, of one core",
        `${(sharePerSpeaker * 100).toFixed(2)} % (${spread})`,
        "≤ 0.3 %",
      ],
      [
        "… with receiving and decrypting it",
        `${((median(shares.map(({ on }) => on)) / speakers) * 100).toFixed(2)} %`,
        "",
      ],
      ["recording one speaker, on the disk", `${(bytesPerSecond / 1000).toFixed(2)} kB/s`, "≤ 7 kB/s"],
      [`${of}: written, left to the system`, flush(flushes.written), ""],
      [`${of}: written and synced, all at once, as it is`, flush(flushes.synced), ""],
      [`${of}: written and synced, one after the other`, flush(flushes.inTurn), ""],
    ],
  );
}

export function alignmentTable({ simulated, real }: AlignmentFigures): string {
  const ms = ({ maxMs, p99Ms }: AlignmentRow["opus"]): string =>
    `${maxMs.toFixed(1)} ms, ${p99Ms.toFixed(1)} ms`;
  const rows = simulated.map(({ name, resampled, opus }) => [name, ms(resampled), ms(opus)]);
  if (real !== null) {
    const minutes = Math.round(real.lengthMs / 60_000);
    const what = `for real: one page as ${real.identities} members, ${minutes} min, each two tracks apart`;
    rows.push([what, ms(real.resampled), ms(real.opus)]);
  }
  return table(["largest, 99th percentile", "WAV, FLAC, mixes", "original Opus"], rows);
}
