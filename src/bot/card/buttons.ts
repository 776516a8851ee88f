import { BoundedMap } from "../../base/collections.ts";
import type { RoomCommands } from "../../commands/dispatcher.ts";
import type { SkipVotes } from "../../commands/skip-votes.ts";
import type { RoomPlayer } from "../../player/playback.ts";
import { LOOPS } from "../../player/queue.ts";
import type { Reaction } from "../../recorder/consent/reactions.ts";
import type { RoomSettings } from "../../settings/room-settings.ts";
import type { ReactionListener } from "../reactions.ts";
import type { RoomCard } from "./room-card.ts";

export interface CardButtonsDeps {
  card: Pick<RoomCard, "is" | "shown">;
  player: Pick<RoomPlayer, "state" | "meant">;
  votes: Pick<SkipVotes, "withdraw">;
  settings: Pick<RoomSettings, "get">;
  press: RoomCommands["press"];
}

/** Older presses were for a bot that was not there. */
const MAX_AGE_MS = 30_000;
/** So long after a change of the track a card that still shows the one before is taken for what is on. */
const STALE_MS = 15_000;
const REMEMBERED = 200;
const VOLUME_STEP = 10;

/** A command that a button stands for. */
interface Meant {
  name: string;
  args: string;
  /** Taking the reaction back presses it again, as clients show a button that is in. Not where that would surprise. */
  again: boolean;
}

/** Reactions to the card are commands of who reacts, with the same rights, and about the track that the card showed. */
export class CardButtons implements ReactionListener {
  readonly #deps: CardButtonsDeps;
  /** Reactions to the card, by event id. */
  readonly #pressed = new BoundedMap<string, Reaction>(REMEMBERED);

  constructor(deps: CardButtonsDeps) {
    this.#deps = deps;
  }

  async reacted(reaction: Reaction, ageMs: number): Promise<void> {
    if (!this.#deps.card.is(reaction.target)) return;
    const meant = this.#meant(reaction.key);
    if (!meant) return;
    this.#pressed.set(reaction.eventId, reaction);
    await this.#press(reaction, meant, ageMs, reaction.eventId);
  }

  async redacted(eventId: string, sender: string, ageMs: number): Promise<void> {
    const reaction = this.#pressed.get(eventId);
    if (reaction?.sender !== sender) return;
    this.#pressed.delete(eventId);
    const meant = this.#meant(reaction.key);
    if (!meant?.again || !this.#deps.card.is(reaction.target)) return;
    if (meant.name === "skip" && this.#deps.votes.withdraw(sender)) return;
    await this.#press(reaction, meant, ageMs, `${eventId} taken back`);
  }

  async #press(
    { sender, target }: Reaction,
    { name, args }: Meant,
    ageMs: number,
    eventId: string,
  ): Promise<void> {
    if (ageMs > MAX_AGE_MS) return;
    const { card, player, press } = this.#deps;
    const { now } = player.state();
    const isStale = now !== null && player.meant(ageMs + STALE_MS) === now.track.id;
    const track = isStale ? null : card.shown(ageMs);
    await press({ eventId, on: target, sender, name, args, track, ageMs });
  }

  #meant(key: string): Meant | null {
    const { now, loop, volume } = this.#deps.player.state();
    switch (key.replaceAll(/[\ufe0e\ufe0f]/g, "")) {
      case "⏯":
        return { name: now?.phase === "playing" ? "pause" : "resume", args: "", again: true };
      case "⏭":
        return { name: "skip", args: "", again: true };
      case "⏹":
        return { name: "stop", args: "", again: false };
      case "🔀":
        return { name: "shuffle", args: "", again: true };
      case "🔁":
        return { name: "loop", args: LOOPS[(LOOPS.indexOf(loop) + 1) % LOOPS.length] ?? "off", again: true };
      case "🔉":
        return { name: "volume", args: String(Math.max(0, volume - VOLUME_STEP)), again: true };
      case "🔊": {
        const max = Math.max(volume, this.#deps.settings.get("volume-max"));
        return { name: "volume", args: String(Math.min(max, volume + VOLUME_STEP)), again: true };
      }
      default:
        return null;
    }
  }
}
