import type { HlsMaster, HlsRendition, HlsVariant } from "./hls-playlist.ts";

/** More than sound needs is for pictures, or for nothing. */
const ENOUGH_BITS_PER_SECOND = 512_000;

/**
 * Where the sound of a master playlist is: a variant without pictures; else sound that comes apart from its pictures; else
 * what costs least with them. Null when there is nothing.
 */
export function chooseAudio({ variants, renditions }: HlsMaster): string | null {
  const byBandwidth = variants.toSorted((a, b) => a.bandwidth - b.bandwidth);
  const plain = byBandwidth.filter(({ hasPicture, codecs }) => !hasPicture && codecs.length > 0);
  const best = plain.findLast(({ bandwidth }) => bandwidth <= ENOUGH_BITS_PER_SECOND) ?? plain[0];
  if (best) return renditionOf(best, renditions) ?? best.url;
  const apart = byBandwidth.toReversed().map((variant) => renditionOf(variant, renditions));
  const lone = renditions.find(({ url, isDefault }) => url !== null && isDefault) ?? renditions[0];
  return apart.find((url) => url !== null) ?? byBandwidth[0]?.url ?? lone?.url ?? null;
}

function renditionOf({ audio }: HlsVariant, renditions: readonly HlsRendition[]): string | null {
  if (audio === null) return null;
  const group = renditions.filter((each) => each.group === audio);
  return (group.find(({ isDefault }) => isDefault) ?? group[0])?.url ?? null;
}
