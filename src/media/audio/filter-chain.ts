import { equalizerLiftDb, type Filters } from "../filters.ts";

/** What `night` does is the same for everybody: 4 to 1 above -30 dB, and 9 dB more of everything. */
const NIGHT = "acompressor=threshold=0.0316:ratio=4:attack=8:release=250:knee=4:detection=peak:link=maximum";
const NIGHT_MAKEUP_DB = 9;

export interface SoundFilters {
  /** Of ffmpeg, between input and output; none when nothing is changed. */
  args: readonly string[];
  /** To be given back after ffmpeg, in dB: it turns down what the filters might lift over full scale. */
  makeupDb: number;
}

/**
 * The arguments by which ffmpeg changes a track. Only numbers within the bounds of `filtersSchema` come in.
 * @param rubberband whether ffmpeg has that filter: without it pitch is changed by resampling and stretching
 */
export function soundFilters(filters: Filters, rubberband: boolean): SoundFilters {
  const { bassDb, trebleDb, eq, mono, night } = filters;
  const liftDb = Math.max(0, bassDb) + Math.max(0, trebleDb) + equalizerLiftDb(eq);
  const chain = [
    ...(liftDb > 0 ? [`volume=${number(-liftDb)}dB`] : []),
    ...(mono ? ["pan=stereo|c0=0.5*c0+0.5*c1|c1=0.5*c0+0.5*c1"] : []),
    ...(bassDb === 0 ? [] : [`bass=g=${number(bassDb)}:f=100`]),
    ...(trebleDb === 0 ? [] : [`treble=g=${number(trebleDb)}:f=3000`]),
    ...eq.map(({ hz, db }) => `equalizer=f=${number(hz)}:t=o:w=1:g=${number(db)}`),
    ...stretching(filters, rubberband),
    ...(night ? [NIGHT] : []),
  ];
  const makeupDb = liftDb + (night ? NIGHT_MAKEUP_DB : 0);
  if (chain.length === 0) return { args: [], makeupDb: 0 };
  // Filters see what comes out of every file alike: two sides at 48 kHz.
  return {
    args: ["-af", ["aresample=48000", "aformat=channel_layouts=stereo", ...chain].join(",")],
    makeupDb,
  };
}

function stretching({ speed, pitch }: Filters, rubberband: boolean): string[] {
  const ratio = 2 ** (pitch / 12);
  if (pitch === 0) return speed === 1 ? [] : tempo(speed);
  if (rubberband) return [`rubberband=tempo=${number(speed)}:pitch=${number(ratio)}`];
  return [`asetrate=${Math.round(48_000 * ratio)}`, "aresample=48000", ...tempo(speed / ratio)];
}

/** One `atempo` halves at most. */
function tempo(factor: number): string[] {
  if (factor >= 0.5) return [`atempo=${number(factor)}`];
  const half = number(Math.sqrt(factor));
  return [`atempo=${half}`, `atempo=${half}`];
}

const number = (value: number): string => value.toFixed(5);
