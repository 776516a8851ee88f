import { LEVEL_MS, type Levels } from "../pcm/meter.ts";

/** Somebody speaks, ms of the timeline. */
export interface Turn {
  fromMs: number;
  toMs: number;
}

export interface Speech {
  turns: Turn[];
  talkMs: number;
  longestTurnMs: number;
  /** While at least one other spoke, too. */
  overlapMs: number;
}

/** -dBov. Quieter than that nobody speaks, whatever the room is like; louder than that somebody does. */
const NEVER = 55;
const ALWAYS = 40;
/** How far speech is above the sound of the room, dB. */
const ABOVE_ROOM = 10;
/** Pauses for breath belong to a turn; what is shorter than a word is none. */
const PAUSE_MS = 600;
const SHORTEST_MS = 150;

/** When a speaker spoke. */
export function turnsOf({ fromMs: beginMs, values }: Levels): Turn[] {
  const threshold = thresholdOf(values);
  const turns: Turn[] = [];
  let open: Turn | null = null;
  for (const [index, level] of values.entries()) {
    if (level > threshold) continue;
    const fromMs = beginMs + index * LEVEL_MS;
    if (open && fromMs - open.toMs <= PAUSE_MS) open.toMs = fromMs + LEVEL_MS;
    else {
      open = { fromMs, toMs: fromMs + LEVEL_MS };
      turns.push(open);
    }
  }
  return turns.filter(({ fromMs, toMs }) => toMs - fromMs >= SHORTEST_MS);
}

/** Above the quietest tenth of what came: the room's own sound, where it is quiet at all. */
function thresholdOf(levels: Uint8Array): number {
  const histogram = new Uint32Array(128);
  for (const level of levels) histogram[Math.min(127, level)]!++;
  const heard = levels.length - histogram[127]!;
  let left = heard / 10;
  let floor = 126;
  while (floor > 0 && (left -= histogram[floor]!) > 0) floor--;
  return Math.min(NEVER, Math.max(ALWAYS, floor - ABOVE_ROOM));
}

/** Each speaker's turns with what they sum up to, and how long they spoke while others did. */
export function speechOf(speakers: readonly (readonly Turn[])[]): Speech[] {
  const overlaps = overlapsOf(speakers);
  return speakers.map((turns, index) => {
    const lengths = turns.map(({ fromMs, toMs }) => toMs - fromMs);
    return {
      turns: [...turns],
      talkMs: lengths.reduce((sum, length) => sum + length, 0),
      longestTurnMs: lengths.reduce((max, length) => Math.max(max, length), 0),
      overlapMs: overlaps[index] ?? 0,
    };
  });
}

/** In one sweep over all beginnings and ends. */
function overlapsOf(speakers: readonly (readonly Turn[])[]): number[] {
  const edges = speakers.flatMap((turns, speaker) =>
    turns.flatMap(({ fromMs, toMs }) => [
      { atMs: fromMs, speaker, begins: true },
      { atMs: toMs, speaker, begins: false },
    ]),
  );
  edges.sort((a, b) => a.atMs - b.atMs);
  const sums = speakers.map(() => 0);
  const speaking = new Set<number>();
  let lastMs = 0;
  for (const { atMs, speaker, begins } of edges) {
    if (speaking.size > 1) for (const one of speaking) sums[one]! += atMs - lastMs;
    if (begins) speaking.add(speaker);
    else speaking.delete(speaker);
    lastMs = atMs;
  }
  return sums;
}
