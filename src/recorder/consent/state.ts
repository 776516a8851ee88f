import type { ConsentMode } from "../journal.ts";

/** For the recording that runs (the next one, while none does), or for every one of this room. */
export type ConsentScope = "recording" | "room";

/** What somebody said about being recorded: by a reaction, which can be taken back, or else by a command. */
interface Word {
  agreed: boolean;
  reaction: string | null;
}

export interface ConsentState {
  /** As the room is set. */
  setting: ConsentMode;
  /** Who said so for every recording of this room. */
  standing: ReadonlyMap<string, boolean>;
  /** What was said while nothing was recorded: it is for the next recording. */
  next: ReadonlyMap<string, boolean>;
  /** `mode`: what people were told. The last word of each counts. */
  recording: {
    mode: ConsentMode;
    words: ReadonlyMap<string, readonly Word[]>;
    /** Every reaction that was counted, also those taken back: after a kill we are told of some again. */
    reactions: ReadonlySet<string>;
  } | null;
}

export type ConsentFact =
  | { kind: "setting"; mode: ConsentMode }
  | { kind: "began"; mode: ConsentMode }
  | { kind: "ended" }
  | { kind: "said"; userId: string; agreed: boolean; scope: ConsentScope; reaction: string | null }
  /** `userId` took a reaction back. */
  | { kind: "withdrawn"; userId: string; reaction: string };

export const noConsent = (setting: ConsentMode): ConsentState => ({
  setting,
  standing: new Map(),
  next: new Map(),
  recording: null,
});

/** One person's reactions that can be taken back; earlier ones are as if taken back. */
const MAX_WORDS = 20;
/** Counted in one recording. */
const MAX_REACTIONS = 10_000;

/**
 * A room that asks everybody first does so at once; one that does not any more, from the next recording on: those who are
 * there were told otherwise.
 */
export function modeOf({ setting, recording }: ConsentState): ConsentMode {
  return setting === "opt-in" || recording?.mode === "opt-in" ? "opt-in" : "opt-out";
}

/** Whether this person's voice may be kept now. */
export function agrees(state: ConsentState, userId: string): boolean {
  const said = state.recording ? state.recording.words.get(userId)?.at(-1)?.agreed : state.next.get(userId);
  return said ?? state.standing.get(userId) ?? modeOf(state) === "opt-out";
}

export function reduceConsent(state: ConsentState, fact: ConsentFact): ConsentState {
  switch (fact.kind) {
    case "setting": {
      // Who is there was told so: that holds until the recording ends, whatever the room is set to meanwhile.
      const { recording } = state;
      const stricter = recording && fact.mode === "opt-in" ? { ...recording, mode: fact.mode } : recording;
      return { ...state, setting: fact.mode, recording: stricter };
    }
    case "began": {
      const words = [...state.next].map(
        ([userId, agreed]) => [userId, [{ agreed, reaction: null }]] as const,
      );
      const recording = { mode: fact.mode, words: new Map(words), reactions: new Set<string>() };
      return { ...state, next: new Map(), recording };
    }
    case "ended":
      return { ...state, recording: null };
    case "said":
      return said(state, fact);
    case "withdrawn": {
      const words = state.recording?.words.get(fact.userId);
      if (!state.recording || !words?.some(({ reaction }) => reaction === fact.reaction)) return state;
      const left = words.filter(({ reaction }) => reaction !== fact.reaction);
      return withWords(state, fact.userId, left);
    }
  }
}

function said(state: ConsentState, fact: ConsentFact & { kind: "said" }): ConsentState {
  const { userId, agreed, scope, reaction } = fact;
  if (reaction !== null && !counts(state, reaction, agreed)) return state;
  let { standing } = state;
  if (scope === "room") standing = withEntry(standing, userId, agreed);
  // Who agrees by a command takes back what they refused for good; a reaction is about one recording.
  else if (agreed && reaction === null && standing.get(userId) === false)
    standing = withoutEntry(standing, userId);
  if (!state.recording) {
    const next = scope === "room" ? withoutEntry(state.next, userId) : withEntry(state.next, userId, agreed);
    if (next === state.next && standing === state.standing) return state;
    return { ...state, standing, next };
  }
  const { recording } = state;
  const before = recording.words.get(userId) ?? [];
  const isRepeated = reaction === null && before.length === 1 && before[0]?.agreed === agreed;
  if (isRepeated && before[0]?.reaction === null)
    return standing === state.standing ? state : { ...state, standing };
  const earlier = reaction === null ? [] : before;
  const reactions = reaction === null ? recording.reactions : new Set(recording.reactions).add(reaction);
  const words = [...earlier, { agreed, reaction }].slice(-MAX_WORDS);
  return withWords({ ...state, standing, recording: { ...recording, reactions } }, userId, words);
}

/** A reaction is about a recording, and counts once. When there are too many to remember, only refusals count. */
function counts({ recording }: ConsentState, reaction: string, agreed: boolean): boolean {
  if (!recording || recording.reactions.has(reaction)) return false;
  return !agreed || recording.reactions.size < MAX_REACTIONS;
}

function withWords(state: ConsentState, userId: string, list: readonly Word[]): ConsentState {
  if (!state.recording) return state;
  const words =
    list.length > 0
      ? withEntry(state.recording.words, userId, list)
      : withoutEntry(state.recording.words, userId);
  return { ...state, recording: { ...state.recording, words } };
}

/** The same map when nothing changes. */
function withEntry<V>(map: ReadonlyMap<string, V>, key: string, value: V): ReadonlyMap<string, V> {
  return map.get(key) === value ? map : new Map(map).set(key, value);
}

function withoutEntry<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}
