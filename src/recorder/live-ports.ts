import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { MediaPlane } from "../media/plane.ts";
import type { OpenRecording } from "./open-recording.ts";
import type { RecordingConsent } from "./consent-port.ts";
import type { StopReason } from "./journal.ts";
import type { RecordingLimits } from "./limits.ts";
import type { PersonReport } from "./listener.ts";
import type { PeopleFeed, PresenceDeps } from "./presence.ts";
import type { Stood } from "./stood.ts";

export interface LiveRecordingDeps {
  roomId: string;
  channel: string;
  recording: OpenRecording;
  /** How it stood when an earlier run was interrupted; null for a new one. */
  before: Stood | null;
  /** What a new one is called, and who has begun it. */
  title: string | null;
  byName: string;
  automatic: boolean;
  plane: Pick<MediaPlane, "state" | "request" | "onEvent" | "onState">;
  people: PeopleFeed;
  consent: RecordingConsent;
  limits: RecordingLimits;
  /** Bytes free on the disk of the recording. */
  free: () => Promise<number>;
  prefix: string;
  /** Of the recording: its times are those of the journal. */
  clock: Clock;
  log: Log;
  tell: (sentence: Sentence) => void;
  say: PresenceDeps["say"];
  onNotice?: PresenceDeps["onNotice"];
  /** It has to end. */
  onOver: (reason: StopReason, say: Sentence) => void;
}

/** A recording as people ask about it. Times in ms, sizes in bytes. */
export interface RecordingReport {
  id: string;
  title: string | null;
  byName: string;
  elapsedMs: number;
  /** Null: it is not paused. */
  pausedForMs: number | null;
  /** For so long nothing has been written although it should be; null: it is. */
  gapForMs: number | null;
  tracks: number;
  bytes: number;
  /** Infinity when the disk does not say. */
  freeBytes: number;
  people: readonly PersonReport[];
}
