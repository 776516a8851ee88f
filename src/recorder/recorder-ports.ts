import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import type { MediaPlane } from "../media/plane.ts";
import type { RecordingArchive } from "./archive.ts";
import type { RecordingConsent } from "./consent-port.ts";
import type { StopReason } from "./journal.ts";
import type { RecordingLimits } from "./limits.ts";
import type { ChannelPerson, PeopleFeed } from "./presence.ts";

export interface RoomRecorderDeps {
  roomId: string;
  /** The media plane's name of the room's channel. */
  channel: string;
  prefix: string;
  plane: Pick<MediaPlane, "state" | "request" | "onEvent" | "onState">;
  people: PeopleFeed;
  archive: Pick<
    RecordingArchive,
    "create" | "discard" | "finish" | "leave" | "exporting" | "interrupted" | "reopen" | "release"
  >;
  /** Default: everybody agrees. */
  consent?: RecordingConsent;
  displayName: (userId: string) => string;
  clock: Clock;
  log: Log;
  /** Says something in the room that nobody asked for. Must not throw. */
  tell: (sentence: Sentence) => void;
  /** The same, once for the same `what`, also after a kill. @returns whether the homeserver has it; must not reject */
  say: (sentence: Sentence, what: string) => Promise<boolean>;
  /** These people are being told that they are recorded; null: everybody. */
  onNotice?: (people: readonly ChannelPerson[] | null) => void;
  /** `status()` has another phase, or is paused or not any more. */
  onChange?: (status: RecorderStatus) => void;
  /** A recording is over; not called when the next start goes on with it. `byUserId`: who ended it, if somebody did. */
  onEnd?: (how: StopReason | "discarded", byUserId: string | null) => void;
  limits?: Partial<RecordingLimits>;
  /** Bytes free on the disk of a folder. */
  freeBytes?: (directory: string) => Promise<number>;
}

/** Who begins a recording; `automatic`: the bot itself, as the room is set, because so many people are there. */
export interface StartedBy {
  userId: string;
  automatic?: { people: number };
}

export type RecorderStatus =
  | { phase: "idle" }
  /** A recording of the last run, which goes on when the bot is in the channel again. */
  | { phase: "interrupted" }
  | {
      phase: "recording";
      id: string;
      title: string | null;
      /** The room's setting has begun it. */
      automatic: boolean;
      paused: boolean;
      elapsedMs: number;
      tracks: number;
    }
  | { phase: "exporting"; percent: number };
