/** How one media child stands, as far as the choice of a child for a room goes. */
export interface ChildStanding {
  /** `asleep`: there is no process, the first request forks one; `down`: its process is being replaced. */
  readonly state: "asleep" | "awake" | "down";
  /** Sum of `roomLoad` over its rooms. */
  readonly load: number;
}

/** What a member costs, in rooms: a packet to encrypt and one to take each 20 ms, where a room decodes, mixes and encodes. */
const PEER_LOAD = 0.15;
/**
 * A child with less is given the next room before another child is forked. A child costs 80 MB, and two small rooms need no
 * second one.
 */
const ENOUGH_LOAD = 2;

/** What a room costs its child, in rooms with nobody in them. */
export function roomLoad(peers: number): number {
  return 1 + peers * PEER_LOAD;
}

/**
 * The child for a room that opens its channel.
 * @param former the child that the room was in until that child died: there it returns, so that a room whose traffic kills
 *   children kills always the same one
 * @returns its index; null when all of them are being replaced
 */
export function placeRoom(children: readonly ChildStanding[], former: number | null): number | null {
  if (former !== null && children[former]?.state === "awake") return former;
  const least = leastLoaded(children);
  if (least !== null && (children[least]?.load ?? 0) < ENOUGH_LOAD) return least;
  const asleep = children.findIndex(({ state }) => state === "asleep");
  return asleep >= 0 ? asleep : least;
}

/** The child for what belongs to no channel; none is forked for it while there is one. */
export function placeErrand(children: readonly ChildStanding[]): number | null {
  const asleep = children.findIndex(({ state }) => state === "asleep");
  return leastLoaded(children) ?? (asleep >= 0 ? asleep : null);
}

function leastLoaded(children: readonly ChildStanding[]): number | null {
  let least: number | null = null;
  for (const [index, { state, load }] of children.entries())
    if (state === "awake" && (least === null || load < (children[least]?.load ?? 0))) least = index;
  return least;
}
