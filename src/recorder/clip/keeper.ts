import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf, toBotError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { MediaPlane } from "../../media/plane.ts";
import type { RoomSettings } from "../../settings/room-settings.ts";
import type { RecordingConsent } from "../consent-port.ts";
import type { ChannelPerson, PeopleFeed } from "../presence.ts";

export interface ClipKeeperDeps {
  /** The media plane's name of the room's channel. */
  channel: string;
  plane: Pick<MediaPlane, "request">;
  people: PeopleFeed;
  consent: Pick<RecordingConsent, "agreed" | "onChange">;
  settings: Pick<RoomSettings, "get" | "onChange">;
  clock: Clock;
  log: Log;
}

/** What is kept of the past at most, and always, while it is on. */
export const CLIP_SECONDS = 120;
/** As the media plane takes at most. */
const MAX_SPEAKERS = 1_000;
const RETRY_MS = 500;
/** There is no channel, hence no sound of it. */
const AWAY: readonly string[] = ["not_found", "media_plane_down"];

/**
 * Whose voice the media plane keeps in memory for clips: of those in the channel whoever agrees, while the room wants
 * clips. It is told at once when any of that changes; who is not on its list is forgotten there.
 */
export class ClipKeeper {
  readonly #deps: ClipKeeperDeps;
  readonly #unsubscribe: (() => void)[];
  #open = false;
  /** Whom the plane was told last to keep, by key. */
  #told: ReadonlyMap<string, ChannelPerson> = new Map();
  /** Whether it has taken that is not known. */
  #unsure = false;
  #sinceMs: number | null = null;
  /** Resolves with whether the plane has the newest list. */
  #taken: Promise<boolean> = Promise.resolve(true);
  #retry: Timer | null = null;
  #closed = false;

  constructor(deps: ClipKeeperDeps) {
    this.#deps = deps;
    this.#unsubscribe = [
      deps.people.onChange(() => void this.#update()),
      deps.consent.onChange(async () => {
        await this.#update();
      }),
      deps.settings.onChange(({ name }) => {
        if (name === "clip") void this.#update();
      }),
    ];
  }

  /** Whose voices are kept now. */
  get speakers(): readonly ChannelPerson[] {
    return [...this.#told.values()];
  }

  /** Since when (monotonic) anybody's voice has been kept; null while nobody's is. */
  get sinceMs(): number | null {
    return this.#sinceMs;
  }

  /** Whether the plane keeps the voices that it is meant to and no others; waits for its answer. */
  settled(): Promise<boolean> {
    return this.#taken;
  }

  /** The channel is there on the media plane, which knows nothing of it yet. */
  channelOpened(): void {
    this.channelClosed();
    this.#open = true;
    void this.#update();
  }

  /** What was kept is gone with the channel. */
  channelClosed(): void {
    this.#open = false;
    this.#told = new Map();
    this.#unsure = false;
    this.#taken = Promise.resolve(true);
    this.#sinceMs = null;
    this.#retry?.cancel();
    this.#retry = null;
  }

  /** Idempotent. Whoever closes it closes the channel, too. */
  close(): void {
    this.#closed = true;
    this.channelClosed();
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
  }

  /** Tells the plane whom to keep, unless it knows. Resolves when it has answered; never rejects. */
  #update(): Promise<boolean> {
    if (!this.#open || this.#closed) return Promise.resolve(true);
    const { settings, people, consent, clock } = this.#deps;
    const agreed =
      settings.get("clip") === "on" ? people.list().filter(({ userId }) => consent.agreed(userId)) : [];
    const wanted = new Map(agreed.slice(0, MAX_SPEAKERS).map((person) => [person.key, person]));
    const told = this.#told;
    const isToThem = (key: string): boolean => told.get(key)?.userId === wanted.get(key)?.userId;
    this.#told = wanted;
    if (!this.#unsure && wanted.size === told.size && [...wanted.keys()].every(isToThem)) return this.#taken;
    this.#unsure = false;
    this.#sinceMs = wanted.size === 0 ? null : (this.#sinceMs ?? clock.now());
    // A key that is somebody else's now: what it has said before is not theirs.
    const others = [...wanted.keys()].filter((key) => told.has(key) && !isToThem(key));
    if (others.length > 0) void this.#send([...wanted.keys()].filter((key) => !others.includes(key)));
    this.#taken = this.#send([...wanted.keys()]);
    return this.#taken;
  }

  async #send(speakers: readonly string[]): Promise<boolean> {
    const { plane, channel, clock, log } = this.#deps;
    const seconds = speakers.length > 0 ? CLIP_SECONDS : 0;
    try {
      await plane.request({ kind: "clip.keep", channel, speakers: [...speakers], seconds });
      return true;
    } catch (error) {
      if (AWAY.includes(toBotError(error).code)) return true;
      log.warn("recording_failed", { room: channel, what: "clip", reason: messageOf(error) });
      // Whom it keeps now is not known: nothing is made of it until it has taken the list.
      if (this.#open && !this.#closed) {
        this.#unsure = true;
        this.#retry ??= clock.timer(RETRY_MS, () => {
          this.#retry = null;
          void this.#update();
        });
      }
      return false;
    }
  }
}
