/** One person in the channel whose voice is recorded, as the media plane heard them lately. */
export interface HeardPerson {
  userId: string;
  /** A connection to them is up. */
  connected: boolean;
  /** Since the newest sound louder than a quiet room; null: none ever came. */
  soundAgeMs: number | null;
  /** -127 is digital silence; null: nothing came lately. */
  levelDbfs: number | null;
  /** Of the frames decoded lately those with clipped samples (0..1); null: not known. */
  clippedRecently: number | null;
}

export type Trouble = "silent" | "clipped";

/** What is to be remembered from one look to the next. */
export interface Listening {
  atMs: number | null;
  /** By user id: how long in all this has gone on without the opposite being seen. */
  people: ReadonlyMap<string, { silentMs: number; clippedMs: number }>;
  /** `what userId` of what the room was told in this recording. */
  told: ReadonlySet<string>;
}

export interface Warning {
  what: Trouble;
  userId: string;
}

export const freshListening = (told: ReadonlySet<string> = new Set()): Listening => ({
  ...{ atMs: null, people: new Map(), told },
});

/** How long before the room is told. */
export const WARN_AFTER_MS = 120_000;
/** A look that comes later than this (a stall, a pause) says nothing about the time before. */
const LONGEST_MS = 30_000;
const DIGITAL_SILENCE_DBFS = -127;
/** One frame in ten has clipped samples: heard as distortion, not as a loud laugh. */
const CLIPPED_FRAMES = 0.1;

/**
 * Decides whom the room is told about, once per recording and person: of whom nothing was heard for two minutes in which
 * others spoke (who only listens while nobody speaks is not meant), or two minutes of digital silence or without a
 * connection (whoever speaks); whose sound was clipped for two minutes of their speaking.
 */
export function listen(
  before: Listening,
  people: readonly HeardPerson[],
  nowMs: number,
): { after: Listening; warnings: Warning[] } {
  const sinceMs = before.atMs === null ? 0 : nowMs - before.atMs;
  const spanMs = sinceMs > LONGEST_MS ? 0 : sinceMs;
  const sounded = new Set(
    people
      .filter(({ soundAgeMs }) => soundAgeMs !== null && soundAgeMs <= spanMs)
      .map(({ userId }) => userId),
  );
  const told = new Set(before.told);
  const warnings: Warning[] = [];
  const after = new Map<string, { silentMs: number; clippedMs: number }>();
  for (const person of people) {
    const { userId, connected, levelDbfs, clippedRecently } = person;
    const was = before.people.get(userId) ?? { silentMs: 0, clippedMs: 0 };
    const sounds = sounded.has(userId);
    const othersSound = sounded.size > (sounds ? 1 : 0);
    const dead = !connected || (levelDbfs !== null && levelDbfs <= DIGITAL_SILENCE_DBFS);
    const silentMs = sounds ? 0 : was.silentMs + (othersSound || dead ? spanMs : 0);
    const clips = clippedRecently !== null && clippedRecently >= CLIPPED_FRAMES;
    const clippedMs = clips ? was.clippedMs + spanMs : sounds ? 0 : was.clippedMs;
    after.set(userId, { silentMs, clippedMs });
    const troubles: [Trouble, number][] = [
      ["silent", silentMs],
      ["clipped", clippedMs],
    ];
    for (const [what, ms] of troubles) {
      const mark = `${what} ${userId}`;
      if (ms < WARN_AFTER_MS || told.has(mark)) continue;
      told.add(mark);
      warnings.push({ what, userId });
    }
  }
  return { after: { atMs: nowMs, people: after, told }, warnings };
}
