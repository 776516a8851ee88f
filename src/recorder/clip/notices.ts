import type { Clock, Timer } from "../../base/clock.ts";
import type { Sentence } from "../../base/messages/catalogue.ts";
import type { RoomSettings } from "../../settings/room-settings.ts";
import type { RecordingConsent } from "../consent-port.ts";
import type { ChannelPerson, PeopleFeed } from "../presence.ts";

export interface ClipNoticesDeps {
  people: PeopleFeed;
  consent: Pick<RecordingConsent, "agreed" | "mode">;
  settings: Pick<RoomSettings, "get" | "onChange">;
  prefix: string;
  clock: Clock;
  /** Must not throw. */
  tell: (sentence: Sentence) => void;
}

/** More would be somebody making them up. */
const MAX_TOLD = 1_000;
/** Who comes so soon after the last notice is told in one with the others. */
const GATHER_MS = 10_000;
const NAMES_PER_NOTICE = 20;

/**
 * Tells people that their voices are kept for clips: all of the room when the bot comes into the channel or somebody
 * switches it on (which is told by whoever does that), then whoever comes, once for each stay of the bot.
 */
export class ClipNotices {
  readonly #deps: ClipNoticesDeps;
  readonly #unsubscribe: (() => void)[];
  /** Null: the bot is not there, or nothing is kept. */
  #told: Set<string> | null = null;
  #inside = false;
  /** Who came since the last notice; null: nobody was told lately. */
  #gathered: { people: ChannelPerson[]; timer: Timer } | null = null;

  constructor(deps: ClipNoticesDeps) {
    this.#deps = deps;
    this.#unsubscribe = [
      deps.people.onChange(() => this.#look()),
      deps.settings.onChange(({ name }) => {
        if (name === "clip" && this.#inside) this.#begin({ said: true });
      }),
    ];
  }

  /** The bot is in the channel. */
  entered(): void {
    if (this.#inside) return;
    this.#inside = true;
    this.#begin({ said: false });
  }

  /** It is not any more. */
  left(): void {
    this.#inside = false;
    this.#forget();
  }

  /** Idempotent. */
  close(): void {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.left();
  }

  #begin({ said }: { said: boolean }): void {
    const { settings, people, tell, prefix } = this.#deps;
    this.#forget();
    if (settings.get("clip") !== "on") return;
    this.#told = new Set(people.list().map(({ userId }) => userId));
    if (!said) tell({ key: "clip.kept", params: { prefix } });
  }

  /** Who has not agreed is not kept, and who has agreed by a word of their own knows. */
  #look(): void {
    const { people, consent } = this.#deps;
    const told = this.#told;
    if (told === null || consent.mode === "opt-in") return;
    const newcomers = people.list().filter(({ userId }) => {
      if (told.has(userId) || told.size >= MAX_TOLD || !consent.agreed(userId)) return false;
      told.add(userId);
      return true;
    });
    if (this.#gathered) this.#gathered.people.push(...newcomers);
    else if (newcomers.length > 0) this.#tell(newcomers);
  }

  #tell(people: readonly ChannelPerson[]): void {
    const { clock, tell, prefix } = this.#deps;
    for (let start = 0; start < people.length; start += NAMES_PER_NOTICE) {
      const names = people.slice(start, start + NAMES_PER_NOTICE).map(({ name }) => name);
      tell({ key: "clip.joined", params: { name: names.join(", "), prefix } });
    }
    const timer = clock.timer(GATHER_MS, () => {
      const waiting = this.#gathered?.people ?? [];
      this.#gathered = null;
      if (waiting.length > 0) this.#tell(waiting);
    });
    this.#gathered = { people: [], timer };
  }

  #forget(): void {
    this.#told = null;
    this.#gathered?.timer.cancel();
    this.#gathered = null;
  }
}
