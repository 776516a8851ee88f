import type { ExportedTrack, JournalEntry, TrackPart } from "../journal.ts";

/** An event that stands in a room for something of a recording. */
export interface DeliveredEvent {
  eventId: string;
  roomId: string;
}

/** How far the delivery of a recording is, by its journal. */
export interface DeliveryProgress {
  /** How often somebody has asked for it once more. */
  round: number;
  /** Null: it is to be exported (anew). */
  exported: (JournalEntry & { kind: "exported" }) | null;
  /** Of the exported tracks those that were not deleted. */
  tracks: readonly ExportedTrack[];
  /** What the homeserver has, by file. */
  uploaded: Map<string, string>;
  /** What is sent in place of a track. */
  parts: Map<string, readonly TrackPart[]>;
  /** What stands in a room, of the last round that sent it, by file. */
  events: Map<string, DeliveredEvent>;
  /** Of the current round. */
  sent: Set<string>;
  kept: Set<string>;
  summary: DeliveredEvent | null;
  delivered: boolean;
  /** Files of tracks that were deleted since. */
  deleted: Set<string>;
}

export function progressOf(entries: readonly JournalEntry[]): DeliveryProgress {
  const progress: DeliveryProgress = {
    ...{ round: 0, exported: null, tracks: [], summary: null, delivered: false },
    ...{ uploaded: new Map(), parts: new Map(), events: new Map() },
    ...{ sent: new Set(), kept: new Set(), deleted: new Set() },
  };
  const start = entries.find((entry) => entry.kind === "start");
  const eventOf = (entry: { eventId: string; roomId: string | null }): DeliveredEvent => ({
    eventId: entry.eventId,
    roomId: entry.roomId ?? start?.roomId ?? "",
  });
  for (const entry of entries) {
    if (entry.kind === "exported") progress.exported = entry;
    else if (entry.kind === "uploaded") progress.uploaded.set(entry.file, entry.mxc);
    else if (entry.kind === "split") progress.parts.set(entry.file, entry.parts);
    else if (entry.kind === "kept") progress.kept.add(entry.file);
    else if (entry.kind === "summary") progress.summary = eventOf(entry);
    else if (entry.kind === "erased" && progress.exported !== null) {
      // What was made of all voices had theirs in it, and is gone.
      progress.exported = null;
      progress.uploaded.clear();
      progress.parts.clear();
    } else if (entry.kind === "delivered") progress.delivered = true;
    else if (entry.kind === "deleted") progress.deleted.add(entry.track);
    else if (entry.kind === "sent") {
      progress.sent.add(entry.file);
      progress.events.set(entry.file, eventOf(entry));
    } else if (entry.kind === "resend") {
      progress.round++;
      progress.sent.clear();
      progress.kept.clear();
      progress.delivered = false;
    }
  }
  const { deleted } = progress;
  progress.tracks = progress.exported?.tracks.filter(({ file }) => !deleted.has(file)) ?? [];
  return progress;
}

/** Which files of the delivery are of a track: itself, or its parts. */
export function filesOf(track: ExportedTrack, { parts }: Pick<DeliveryProgress, "parts">): string[] {
  return [track.file, ...(parts.get(track.file) ?? []).map(({ file }) => file)];
}
