import fc from "fast-check";
import { Timeline } from "../../../src/recorder/export/align/timeline.ts";
import { infoOf, type DescribedTrack, type InfoParts } from "../../../src/recorder/export/documents/info.ts";
import { documentsOf } from "../../../src/recorder/export/documents/documents.ts";
import {
  chaptersJson,
  chaptersOf,
  chapterTags,
  labelsOf,
} from "../../../src/recorder/export/documents/lists.ts";
import { hiddenPeople, marksOf, type Mark } from "../../../src/recorder/export/documents/marks.ts";
import type { Levels } from "../../../src/recorder/export/pcm/meter.ts";
import { speechOf, turnsOf } from "../../../src/recorder/export/documents/speech.ts";
import type { JournalEntry, JournalFact, ReadJournal } from "../../../src/recorder/journal.ts";

const START = { atMs: 5_000_000, wallMs: Date.UTC(2026, 0, 2, 3, 4, 5) };

/** A journal of what happened at which ms; the media plane and the recorder write nothing else. */
function journalOf(
  facts: readonly (JournalFact & { at: number })[],
  title: string | null = null,
): ReadJournal {
  const start = {
    ...{ kind: "start", recording: "r1", roomId: "!r:test", byUserId: "@host:test", byName: "Host" },
    ...{ bootId: "b", title, consent: "opt-out", number: null, ...START },
  } as ReadJournal["start"];
  const entries = facts.map(({ at, ...fact }) => ({
    ...fact,
    atMs: START.atMs + at,
    wallMs: START.wallMs + at,
  })) as JournalEntry[];
  return { start, entries: [start, ...entries], validBytes: 0 };
}

const ann = { kind: "joined", key: "k-ann", userId: "@ann:test", name: "Ann" } as const;
const bob = { kind: "joined", key: "k-bob", userId: "@bob:test", name: "Bob" } as const;
const note = (at: number, text: string) =>
  ({ kind: "note", text, byUserId: "@ann:test", byName: "Ann", at }) as const;
const stop = (at: number) => ({ kind: "stop", reason: "command", byUserId: null, at }) as const;

function marks(facts: readonly (JournalFact & { at: number })[], withTrack: readonly string[] = []): Mark[] {
  const journal = journalOf(facts);
  return marksOf(journal, new Timeline(journal, 0), hiddenPeople(journal, new Set(withTrack)));
}

describe("marks", () => {
  const course = [
    { ...ann, at: 0 },
    note(2_000, "a\tb\nc"),
    { kind: "paused", byUserId: "@ann:test", at: 10_000 },
    { kind: "unpaused", byUserId: null, at: 70_000 },
    { ...bob, at: 75_000 },
    { ...bob, name: "Bobby", at: 76_000 },
    { kind: "gap", reason: "down", at: 80_000 },
    { kind: "resumed", at: 82_500 },
    { kind: "left", key: "k-bob", at: 85_000 },
    stop(90_000),
  ] as const;

  test("stand where they are in the exported sound, without the paused time", () => {
    expect(marks(course).map((mark) => [mark.kind, mark.atMs])).toEqual([
      ...[["joined", 0] as const, ["note", 2_000] as const, ["paused", 10_000] as const],
      ...[["joined", 15_000] as const, ["gap", 20_000] as const, ["left", 25_000] as const],
    ]);
  });

  test("are labels of an audio editor: begin, end, text in one line", () => {
    expect(labelsOf(marks(course), "en")).toBe(
      [
        "2.000000\t2.000000\ta b c (Ann)",
        "10.000000\t10.000000\tPaused for 1 min, which is cut out",
        "15.000000\t15.000000\tBob came",
        "20.000000\t22.500000\tGap of 2 s: nothing was recorded",
        "25.000000\t25.000000\tBobby left\n",
      ].join("\n"),
    );
    expect(labelsOf(marks(course), "de")).toContain("Bob kam");
  });

  test("a gap without an end lasts to the end", () => {
    const gap = marks([{ kind: "gap", reason: "down", at: 5_000 }, stop(9_000)]);
    expect(gap).toEqual([{ kind: "gap", atMs: 5_000, toMs: 9_000, reason: "down" }]);
  });

  test("whatever people write, a label is one line of three fields", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => {
        const lines = labelsOf(marks([note(1_500, text), stop(9_000)]), "en").split("\n");
        expect(lines).toHaveLength(2);
        expect(lines[0]?.split("\t")).toHaveLength(3);
      }),
      { numRuns: 20 },
    );
  });
});

describe("chapters", () => {
  const notes = [note(4_200, "First"), note(3_725_040, "Second 🎙"), stop(4_000_000)] as const;

  test("are the notes, after a beginning", () => {
    const chapters = chaptersOf(marks(notes), "de");
    expect(JSON.parse(chaptersJson(chapters, { title: "T", file: "mix.ogg" }))).toEqual({
      ...{ version: "1.2.0", title: "T", fileName: "mix.ogg" },
      chapters: [
        { startTime: 0, title: "Anfang" },
        { startTime: 4.2, title: "First" },
        { startTime: 3725.04, title: "Second 🎙" },
      ],
    });
    expect(chapterTags(chapters)).toMatchObject({
      CHAPTER000: "00:00:00.000",
      CHAPTER002: "01:02:05.040",
      CHAPTER002NAME: "Second 🎙",
    });
  });

  test("a note at once is the first chapter; without notes there are none", () => {
    expect(chaptersOf(marks([note(300, "Now"), stop(9_000)]), "en")).toEqual([{ atMs: 0, title: "Now" }]);
    expect(chaptersOf(marks([stop(9_000)]), "en")).toEqual([]);
  });
});

describe("who speaks when", () => {
  /** Levels of 50 ms, in -dBov. */
  const levels = (...parts: readonly (readonly [ms: number, level: number])[]): Levels => ({
    fromMs: 0,
    values: Uint8Array.from(parts.flatMap(([ms, level]) => Array.from({ length: ms / 50 }, () => level))),
  });

  test("turns go over pauses for breath; a click is none", () => {
    const spoken = levels(
      [1_000, 127],
      [2_000, 20],
      [400, 62],
      [1_000, 25],
      [5_000, 127],
      [50, 10],
      [2_000, 127],
    );
    expect(turnsOf(spoken)).toEqual([{ fromMs: 1_000, toMs: 4_400 }]);
  });

  test("the sound of a loud room is no speech, and somebody who never pauses speaks all the time", () => {
    expect(turnsOf(levels([20_000, 48], [2_000, 22], [20_000, 48]))).toEqual([
      { fromMs: 20_000, toMs: 22_000 },
    ]);
    expect(turnsOf(levels([10_000, 20]))).toEqual([{ fromMs: 0, toMs: 10_000 }]);
    expect(turnsOf(levels([10_000, 127]))).toEqual([]);
    expect(turnsOf({ ...levels([1_000, 20]), fromMs: 7_000 })).toEqual([{ fromMs: 7_000, toMs: 8_000 }]);
  });

  test("overlaps are counted for each who has part in them", () => {
    const speech = speechOf([
      [
        { fromMs: 0, toMs: 10_000 },
        { fromMs: 20_000, toMs: 21_000 },
      ],
      [{ fromMs: 4_000, toMs: 6_000 }],
      [{ fromMs: 5_000, toMs: 12_000 }],
    ]);
    expect(speech.map(({ talkMs, overlapMs, longestTurnMs }) => [talkMs, overlapMs, longestTurnMs])).toEqual([
      [11_000, 6_000, 10_000],
      [2_000, 2_000, 2_000],
      [7_000, 5_000, 7_000],
    ]);
  });
});

const described: DescribedTrack = {
  track: {
    ...{ file: "Ann.ogg", what: "voice", title: "Ann", userId: "@ann:test", bytes: 10, durationMs: 9_000 },
    ...{ mimeType: "audio/ogg", waveform: [1, 2], sources: ["voice-001.mvt"] },
  },
  report: {
    ...{ hasClock: true, channels: 1, firstMs: 20 },
    alignment: {
      ...{
        uncertaintyMs: 1.5,
        residueMs: 3,
        roundTripMs: 40,
        driftPpm: -12.3,
        clockSteps: 0,
        routeChanges: 0,
      },
    },
    packets: { received: 400, lost: 4, lostPercent: 1, reordered: 0, duplicates: 0, unusable: 0 },
    gaps: { count: 0, lengthMs: 0 },
    level: { peakDbfs: -3, loudDbov: -20, clippedMs: 0, silentMs: 4_500, silentPercent: 50 },
    speech: { talkMs: 4_000, turns: 1, longestTurnMs: 4_000, overlapMs: 0 },
  },
  turns: [{ fromMs: 1_000, toMs: 5_000 }],
};

function partsOf(journal: ReadJournal, withTrack: readonly string[] = ["@ann:test"]): InfoParts {
  const timeline = new Timeline(journal, 0);
  const hidden = hiddenPeople(journal, new Set(withTrack));
  return {
    ...{ journal, timeline, hidden, format: "opus", tracks: [described], mixProblem: null, unreadable: [] },
    marks: marksOf(journal, timeline, hidden),
  };
}

test("info.json tells who was there when, what they agreed to and who spoke; the others read the same in words", () => {
  const journal = journalOf(
    [
      { ...ann, at: 0 },
      { kind: "notice", userId: null, at: 5 },
      { kind: "consent", userId: "@ann:test", agreed: true, scope: "recording", at: 100 },
      note(2_000, "Listen"),
      { kind: "left", key: "k-ann", at: 8_000 },
      stop(9_000),
    ],
    "Über <uns> / \u202eus",
  );
  const parts = partsOf(journal);
  expect(infoOf(parts)).toMatchObject({
    ...{
      version: 1,
      recording: "r1",
      startedAt: "2026-01-02T03:04:05.000Z",
      durationMs: 9_000,
      stopped: "command",
    },
    consent: {
      mode: "opt-out",
      told: [{ atMs: 5, userId: null }],
      decisions: [{ atMs: 100, userId: "@ann:test", agreed: true, scope: "recording" }],
    },
    people: [{ userId: "@ann:test", name: "Ann", present: [{ fromMs: 0, toMs: 8_000 }] }],
    notes: [{ atMs: 2_000, text: "Listen", by: { userId: "@ann:test" } }],
    speech: [{ file: "Ann.ogg", talkMs: 4_000, turns: [[1_000, 5_000]] }],
    ...{ removedTracks: 0, gaps: [], pauses: [] },
  });
  const documents = documentsOf(parts, "de");
  expect(documents.map(({ file }) => file)).toEqual([
    ...["info.json", "info.txt", "report.txt", "labels.txt", "chapters.json"],
  ]);
  const [, info, report] = documents;
  expect(info?.text).toContain("Über <uns> / us\nBegonnen am Freitag, 2. Januar 2026");
  expect(info?.text).toContain("0:02  Listen (Ann)");
  expect(report?.text).toContain("Uhr: geht -12,3 ppm vor");
  // Every placeholder of a text is filled.
  for (const { text } of [...documents.slice(1, 4), ...documentsOf(parts, "en").slice(1, 4)])
    expect(text).not.toMatch(/\{\w+\}/);
});

test("of whom a track was removed nothing is told but that one was; the same of who refused from the start", () => {
  const journal = journalOf([
    { ...ann, at: 0 },
    { ...bob, at: 0 },
    { kind: "joined", key: "k-cyd", userId: "@cyd:test", name: "Cyd", at: 1 },
    { kind: "notice", userId: "@bob:test", at: 5 },
    { kind: "consent", userId: "@cyd:test", agreed: false, scope: "room", at: 50 },
    { kind: "note", text: "secret of Bob", byUserId: "@bob:test", byName: "Bob", at: 100 },
    { kind: "consent", userId: "@bob:test", agreed: false, scope: "recording", at: 3_000 },
    { kind: "erased", userId: "@bob:test", files: ["voice-002.mvt"], at: 3_001 },
    { kind: "left", key: "k-bob", at: 4_000 },
    stop(9_000),
  ]);
  const texts = documentsOf(partsOf(journal), "en").map(({ text }) => text);
  for (const text of texts) expect(text).not.toMatch(/bob|cyd|voice-002/i);
  expect(JSON.parse(texts[0] ?? "")).toMatchObject({ removedTracks: 1 });
  expect(texts.join("")).toContain("A track was removed");
});

test("who refused later keeps what was recorded before, under their name", () => {
  const journal = journalOf([
    { ...ann, at: 0 },
    { kind: "consent", userId: "@ann:test", agreed: false, scope: "recording", at: 3_000 },
    stop(9_000),
  ]);
  expect(JSON.stringify(infoOf(partsOf(journal)))).toContain("@ann:test");
});
