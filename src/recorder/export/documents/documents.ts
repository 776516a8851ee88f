import type { Language } from "../../../base/messages/catalogue.ts";
import type { ExportedDocument } from "../../journal.ts";
import { infoOf, type InfoParts } from "./info.ts";
import { chaptersJson, chaptersOf, labelsOf } from "./lists.ts";
import { infoText, reportText } from "./texts.ts";

export type TextDocument = Omit<ExportedDocument, "bytes"> & { text: string };

/** What comes with the tracks. Chapters and labels only where there is something in them. */
export function documentsOf(parts: InfoParts, language: Language): TextDocument[] {
  const { tracks, marks, journal } = parts;
  const text = "text/plain";
  const labels = labelsOf(marks, language);
  const chapters = chaptersOf(marks, language);
  const mix = tracks.find(({ track }) => track.what === "mix")?.track;
  const about = { title: journal.start.title ?? journal.start.recording, file: mix?.file ?? "" };
  const all: TextDocument[] = [
    {
      ...{ file: "info.json", what: "info", mimeType: "application/json" },
      text: `${JSON.stringify(infoOf(parts), null, 2)}\n`,
    },
    { file: "info.txt", what: "text", mimeType: text, text: infoText(parts, language) },
    { file: "report.txt", what: "report", mimeType: text, text: reportText(tracks, language) },
    { file: "labels.txt", what: "labels", mimeType: text, text: labels },
    {
      ...{ file: "chapters.json", what: "chapters", mimeType: "application/json+chapters" },
      text: chapters.length === 0 ? "" : chaptersJson(chapters, about),
    },
  ];
  return all.filter(({ text }) => text !== "");
}
