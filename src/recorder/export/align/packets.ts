import type { RecordingPlan } from "./plan.ts";
import type { AlignedPacket, Misplaced, TrackPlan } from "./types.ts";

/**
 * A track's packets in the order of the timeline, each at its exact place. Reads the track's files once; holds a second of packets.
 * @param misplaced is added to for packets that find no place
 */
export async function* alignedPackets(
  plan: Pick<RecordingPlan, "timeline">,
  track: TrackPlan,
  misplaced: Misplaced = { late: 0, outside: 0 },
): AsyncGenerator<AlignedPacket, void, undefined> {
  await Promise.resolve();
  void plan;
  void misplaced;
  throw new Error(`not built yet: ${track.owner.key}`);
}
