import { BotError } from "../base/errors.ts";
import type { Sentence } from "../base/messages/catalogue.ts";
import { trackName } from "../commands/format.ts";
import type { SkipVotes } from "../commands/skip-votes.ts";
import type { RoomPlayer } from "../player/playback.ts";

export interface SkipByVoteDeps {
  votes: Pick<SkipVotes, "peopleChanged" | "tally">;
  player: Pick<RoomPlayer, "nowPlaying" | "skip">;
  tell: (sentence: Sentence) => void;
}

/** Others are in the channel. Of fewer people fewer have to want it: the votes that stand may be enough now. */
export function skipByVote({ votes, player, tell }: SkipByVoteDeps): void {
  votes.peopleChanged();
  const tally = votes.tally();
  const now = player.nowPlaying();
  if (!now || !tally || tally.votes < tally.needed) return;
  try {
    player.skip(0, 1, now.track.id);
  } catch (error) {
    // Somebody has just skipped: this one has hardly begun.
    if (error instanceof BotError) return;
    throw error;
  }
  tell({ key: "vote.skipped", params: { ...tally, title: trackName(now.track) } });
}
