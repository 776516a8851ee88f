/** A bit for each letter that a word has, of 32: words far apart differ in many. */
export function letters(word: string): number {
  let mask = 0;
  for (let i = 0; i < word.length; i++) mask |= 1 << (word.charCodeAt(i) & 31);
  return mask;
}

/** False when two words with these letters cannot be within `limit` errors; each error changes two bits at most. */
export function mayBeWithin(a: number, b: number, limit: number): boolean {
  let differ = a ^ b;
  let count = 0;
  while (differ !== 0) {
    differ &= differ - 1;
    if (++count > 2 * limit) return false;
  }
  return true;
}

const MAX_LENGTH = 64;
let before = new Uint8Array(MAX_LENGTH + 1);
let previous = new Uint8Array(MAX_LENGTH + 1);
let current = new Uint8Array(MAX_LENGTH + 1);

/**
 * Whether `a` becomes `b` by at most `limit` letters added, left out, changed or swapped with their neighbour (optimal
 * string alignment). Words of more than 64 letters never do.
 */
export function distanceWithin(a: string, b: string, limit: number): boolean {
  if (a.length > MAX_LENGTH || b.length > MAX_LENGTH) return false;
  for (let j = 0; j <= b.length; j++) previous[j] = j;
  for (let i = 1; i <= a.length; i++) {
    current[0] = i;
    let best = i;
    const letter = a.charCodeAt(i - 1);
    for (let j = 1; j <= b.length; j++) {
      const other = b.charCodeAt(j - 1);
      let cost = Math.min(
        (previous[j] ?? 0) + 1,
        (current[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + (letter === other ? 0 : 1),
      );
      if (i > 1 && j > 1 && letter === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === other)
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      current[j] = cost;
      if (cost < best) best = cost;
    }
    if (best > limit) return false;
    [before, previous, current] = [previous, current, before];
  }
  return (previous[b.length] ?? limit + 1) <= limit;
}
