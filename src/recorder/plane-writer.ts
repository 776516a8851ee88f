import type { Clock, Timer } from "../base/clock.ts";
import { BotError, messageOf, toBotError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { MediaPlane, PlaneEvent, PlaneEventOf, PlaneState } from "../media/plane.ts";

export interface PlaneWriterDeps {
  /** The media plane's name of the room's channel. */
  channel: string;
  recording: { id: string; directory: string };
  plane: Pick<MediaPlane, "state" | "request" | "onEvent" | "onState">;
  /** Whose voices may be written, now. */
  speakers: () => readonly string[];
  /** Whether somebody who is there does not agree. */
  refused: (speaker: string) => boolean;
  clock: Clock;
  log: Log;
  /** These files are gone: they had what came of a refused speaker while writing began. */
  onErased: (speaker: string, files: string[]) => void;
  onTrack: (track: PlaneEventOf<"record.track">) => void;
  /** The media plane is gone: nothing is written. */
  onGap: (reason: string) => void;
  /** It is written again, after a gap or a pause. */
  onWriting: () => void;
  /** Nothing will be written any more. */
  onFailed: (detail: string) => void;
}

/** As the media plane takes at most. */
const MAX_SPEAKERS = 1_000;
const RETRY_MS = 500;
/** Nothing is written then. */
const AWAY: readonly string[] = ["not_found", "media_plane_down"];
/** What a media child that starts again, or a channel that opens again, answers meanwhile. */
const MAY_PASS: readonly string[] = ["not_found", "timeout", "media_plane_down"];

type State =
  | { at: "off" }
  | { at: "beginning" }
  | { at: "opening"; retry: Timer | null }
  /** `told`: the list that the plane was given last. */
  | { at: "writing"; told: string };

/**
 *   off ── begin() ──► beginning ─── record.start taken ──► writing          record.failed, refused for good: off, onFailed
 *    ▲                                                      │  ▲
 *    │    goOn() ────► opening ◄── plane down, channel ─────┘  │
 *    │                   │  ▲      closed: onGap               │
 *    └── stop() ◄────────┤  └ not there yet: again in 0.5 s    │
 *                        └──────── record.start taken: onWriting
 *
 * Writes the sound of one recording through the media plane: always in the same folder, and only the voices that it may.
 */
export class PlaneWriter {
  readonly #deps: PlaneWriterDeps;
  readonly #unsubscribe: (() => void)[];
  #state: State = { at: "off" };
  /** A `record.start` on its way, and the list after it. */
  #opening: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(deps: PlaneWriterDeps) {
    this.#deps = deps;
    this.#unsubscribe = [
      deps.plane.onEvent((event) => this.#onEvent(event)),
      deps.plane.onState((state) => this.#onPlane(state)),
    ];
  }

  /** For the first time. @throws what the plane says */
  async begin(): Promise<void> {
    const beginning: State = { at: "beginning" };
    this.#state = beginning;
    try {
      if (!(await this.#openNow(beginning))) throw new BotError("cancelled", "writing failed at once");
    } catch (error) {
      this.#state = { at: "off" };
      throw error;
    }
  }

  /** In the same folder as before, as soon as the channel is there. */
  goOn(): void {
    if (this.#state.at === "off" && !this.#closed) this.#reopen();
  }

  /**
   * The people, or what they said, have changed. Resolves when the media plane writes only whom it may; it does so from
   * when it has the request. Never rejects.
   * @param except the key of one that has changed hands: its file is closed, so that each person has files of their own
   */
  async allow(except: string | null = null): Promise<void> {
    const { plane, channel, log } = this.#deps;
    if (this.#state.at === "beginning" || this.#state.at === "opening") await this.#opening;
    const writing = this.#state;
    // A plane that is away gets the list with its next `record.start`.
    if (writing.at !== "writing" || plane.state !== "up") return;
    const speakers = this.#speakers().filter((key) => key !== except);
    const told = speakers.join("\n");
    if (told === writing.told) return;
    writing.told = told;
    try {
      await plane.request({ kind: "record.allow", channel, speakers });
    } catch (error) {
      if (this.#state !== writing || AWAY.includes(toBotError(error).code)) return;
      // Whom it writes now is not known: rather nobody, until it has taken the list.
      log.warn("recording_failed", { room: channel, reason: messageOf(error) });
      this.#deps.onGap("list of speakers not taken");
      await this.stop();
      this.goOn();
    }
  }

  /** The channel was closed on the plane, and with it its recording. */
  channelClosed(): void {
    if (this.#state.at === "writing") this.#lost("channel closed");
  }

  /** Writes no more and closes the files. `goOn` may follow. Never rejects. */
  async stop(): Promise<void> {
    const { plane, channel, recording, log } = this.#deps;
    if (this.#state.at === "off") return;
    if (this.#state.at === "opening") this.#state.retry?.cancel();
    this.#state = { at: "off" };
    try {
      if (plane.state === "up") await plane.request({ kind: "record.stop", channel });
    } catch (error) {
      if (toBotError(error).code === "not_found") return;
      // What was written stays readable; the export takes what is there.
      log.warn("recording_failed", { room: channel, recording: recording.id, reason: messageOf(error) });
    }
  }

  /** `stop()`, for good. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    await this.stop();
  }

  #lost(reason: string): void {
    this.#deps.onGap(reason);
    this.#reopen();
  }

  #reopen(): void {
    const { plane, clock, onWriting } = this.#deps;
    const opening: State = { at: "opening", retry: null };
    this.#state = opening;
    const attempt = async (): Promise<void> => {
      opening.retry = null;
      if (this.#state !== opening || plane.state !== "up") return;
      try {
        if (await this.#openNow(opening)) onWriting();
      } catch (error) {
        if (this.#state !== opening) return;
        const { code, message } = toBotError(error);
        if (MAY_PASS.includes(code)) opening.retry = clock.timer(RETRY_MS, () => void attempt());
        else this.#failed(message);
      }
    };
    void attempt();
  }

  /** @returns false when it was stopped or has failed meanwhile. @throws what the plane says */
  #openNow(opening: State): Promise<boolean> {
    const opened = this.#open(opening);
    this.#opening = opened.catch(() => undefined);
    return opened;
  }

  async #open(opening: State): Promise<boolean> {
    const { plane, channel, recording, refused, onErased } = this.#deps;
    const speakers = this.#speakers();
    const { id, directory } = recording;
    await plane.request({ kind: "record.start", channel, recording: id, directory, speakers });
    if (this.#state !== opening) return false;
    this.#state = { at: "writing", told: speakers.join("\n") };
    // Who came, went or refused while it was on its way.
    await this.allow();
    for (const speaker of speakers.filter(refused)) {
      const { files } = await plane.request({ kind: "record.erase", channel, speaker });
      if (files.length > 0) onErased(speaker, files);
    }
    return true;
  }

  #speakers(): string[] {
    return this.#deps.speakers().slice(0, MAX_SPEAKERS);
  }

  #failed(detail: string): void {
    const began = this.#state.at !== "beginning";
    this.#state = { at: "off" };
    if (began) this.#deps.onFailed(detail);
  }

  #onEvent(event: PlaneEvent): void {
    if (event.kind !== "record.track" && event.kind !== "record.failed") return;
    const { channel, recording, onTrack } = this.#deps;
    if (event.channel !== channel || event.recording !== recording.id) return;
    if (event.kind === "record.track") onTrack(event);
    else if (this.#state.at !== "off") this.#failed(event.detail);
  }

  #onPlane(state: PlaneState): void {
    if (this.#state.at === "writing") this.#lost(state === "up" ? "restarted" : state);
    else if (this.#state.at === "opening" && state === "up" && this.#state.retry === null) this.#reopen();
  }
}
