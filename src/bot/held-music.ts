import { z } from "zod";
import type { RoomPlayer } from "../player/playback.ts";
import type { RoomDocuments } from "../store/store.ts";

export interface HeldMusicDeps {
  player: Pick<RoomPlayer, "restore" | "nowPlaying" | "pause" | "resume">;
  documents: Pick<RoomDocuments, "read" | "write" | "remove">;
}

/** Document: the track that is held was interrupted by our leaving, not by a person. */
const HELD = "held-by-leaving";

/** Music that our leaving the channel has interrupted, and that goes on when somebody brings us back. */
export class HeldMusic {
  readonly #player: HeldMusicDeps["player"];
  readonly #documents: HeldMusicDeps["documents"];

  constructor({ player, documents }: HeldMusicDeps) {
    this.#player = player;
    this.#documents = documents;
  }

  /** A start that cannot get back into the channel for now. */
  restore(): void {
    if (this.#player.restore()) this.#documents.write(HELD, true);
  }

  /** We are out of the channel. */
  hold(): void {
    if (this.#player.nowPlaying()?.phase !== "playing") return;
    this.#player.pause();
    this.#documents.write(HELD, true);
  }

  /** Somebody wants us there again. */
  goOn(): void {
    const held = this.#documents.read(HELD, z.boolean());
    this.#documents.remove(HELD);
    if (held && this.#player.nowPlaying()?.phase === "paused") this.#player.resume();
  }
}
