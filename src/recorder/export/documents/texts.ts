import { clockTime, shortTime } from "../../../base/duration.ts";
import { oneLine, render, type Language, type MessageKey } from "../../../base/messages/catalogue.ts";
import { safeTitle } from "../../names.ts";
import type { DescribedTrack, InfoParts } from "./info.ts";
import { textOf } from "./lists.ts";

type Params = Readonly<Record<string, string | number>>;
type Say = (key: MessageKey, params?: Params) => string;

const sayIn =
  (language: Language): Say =>
  (key, params = {}) =>
    oneLine(render({ key, params }, language).text);

/** What is known of a recording, for people: info.txt. */
export function infoText(parts: InfoParts, language: Language): string {
  const { journal, timeline, tracks, marks, hidden, mixProblem, unreadable } = parts;
  const { start } = journal;
  const say = sayIn(language);
  const when = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long", timeZone: "UTC" });
  const by = hidden.has(start.byUserId) ? "?" : safeTitle(start.byName);
  return page([
    [
      start.title === null ? say("export.heading") : oneLine(start.title),
      say("export.started", { when: when.format(start.wallMs), name: by }),
      say("export.length", { length: clockTime(timeline.totalSamples / 48) }),
      say(start.consent === "opt-in" ? "export.consent_opt_in" : "export.consent_opt_out"),
    ],
    [
      say("export.tracks"),
      ...tracks.map(({ track }) => `  ${track.file} – ${say(`export.what_${track.what}`)}`),
    ],
    speechLines(tracks, say),
    marks.length === 0
      ? []
      : [
          say("export.course"),
          ...marks.map((mark) => `  ${clockTime(mark.atMs)}  ${textOf(mark, language)}`),
        ],
    [
      ...(mixProblem === null ? [] : [say("export.no_mix", { reason: mixProblem })]),
      ...(unreadable.length === 0 ? [] : [say("export.unreadable", { count: unreadable.length })]),
    ],
  ]);
}

function speechLines(tracks: readonly DescribedTrack[], say: Say): string[] {
  const lines = tracks.flatMap(({ track, report }) => {
    if (!report?.speech) return [];
    const { talkMs, turns, overlapMs } = report.speech;
    const params = { talk: shortTime(talkMs), turns, overlap: shortTime(overlapMs) };
    return [`  ${say("export.speech_line", { name: safeTitle(track.title), ...params })}`];
  });
  return lines.length === 0 ? [] : [say("export.speech"), ...lines];
}

/** How good each track is, for people: report.txt. */
export function reportText(tracks: readonly DescribedTrack[], language: Language): string {
  const say = sayIn(language);
  return page([
    [say("export.report")],
    ...tracks.flatMap(({ track, report }) => {
      if (!report) return [];
      const { alignment, packets, gaps, level } = report;
      const { driftPpm, uncertaintyMs, residueMs, roundTripMs, clockSteps } = alignment;
      const number = (value: number): string => value.toLocaleString(language, { maximumFractionDigits: 1 });
      const lines = [
        say(report.hasClock ? "export.place" : "export.place_best_effort", {
          uncertainty: number(uncertaintyMs),
          residue: number(residueMs),
        }),
        driftPpm === null
          ? say("export.drift_unknown")
          : say("export.drift", { ppm: number(driftPpm), steps: clockSteps }),
        ...(roundTripMs === null ? [] : [say("export.round_trip", { ms: number(roundTripMs) })]),
        say("export.loss", {
          received: packets.received,
          lost: packets.lost,
          percent: number(packets.lostPercent),
        }),
        ...(packets.unusable === 0 ? [] : [say("export.unusable", { count: packets.unusable })]),
        say("export.gaps", { count: gaps.count, length: shortTime(gaps.lengthMs) }),
        level.peakDbfs === null
          ? say("export.level_none")
          : say("export.level", { peak: number(level.peakDbfs), loud: number(level.loudDbov ?? -127) }),
        say("export.clipping", { ms: number(level.clippedMs) }),
        say("export.silence", { percent: number(level.silentPercent) }),
      ];
      return [[track.file, ...lines.map((line) => `  ${line}`)]];
    }),
  ]);
}

/** Paragraphs of lines; those without a line are left out. */
const page = (paragraphs: readonly (readonly string[])[]): string =>
  `${paragraphs
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
