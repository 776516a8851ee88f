// Jest runs tests in a vm context, where every use of a global in a loop is slow; a module's own names are not.
const { PI, ceil, cos, log2, max, sin } = Math;

/**
 * In-place radix-2 FFT of a complex signal whose length is a power of two. The forward transform is not scaled, the
 * inverse is scaled by 1/n, so that one after the other gives back the signal.
 */
export function fft(re: Float64Array, im: Float64Array, inverse = false): void {
  const n = re.length;
  if (n < 2 || (n & (n - 1)) !== 0 || im.length !== n) throw new RangeError(`not a power of two: ${n}`);
  reverseBits(re, im);
  const { cosines, sines } = twiddles(n);
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    const stride = n / size;
    for (let start = 0; start < n; start += size) {
      for (let i = 0, k = 0; i < half; i++, k += stride) {
        const a = start + i;
        const b = a + half;
        const c = cosines[k]!;
        const s = inverse ? sines[k]! : -sines[k]!;
        const bRe = re[b]! * c - im[b]! * s;
        const bIm = re[b]! * s + im[b]! * c;
        re[b] = re[a]! - bRe;
        im[b] = im[a]! - bIm;
        re[a] = re[a]! + bRe;
        im[a] = im[a]! + bIm;
      }
    }
  }
  if (!inverse) return;
  for (let i = 0; i < n; i++) {
    re[i] = re[i]! / n;
    im[i] = im[i]! / n;
  }
}

function reverseBits(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    const swapRe = re[i]!;
    const swapIm = im[i]!;
    re[i] = re[j]!;
    im[i] = im[j]!;
    re[j] = swapRe;
    im[j] = swapIm;
  }
}

let cached: { n: number; cosines: Float64Array; sines: Float64Array } | undefined;

function twiddles(n: number): { cosines: Float64Array; sines: Float64Array } {
  if (cached?.n === n) return cached;
  const cosines = new Float64Array(n / 2);
  const sines = new Float64Array(n / 2);
  for (let i = 0; i < n / 2; i++) {
    cosines[i] = cos((2 * PI * i) / n);
    sines[i] = sin((2 * PI * i) / n);
  }
  cached = { n, cosines, sines };
  return cached;
}

/** The smallest power of two that is at least `length` (and at least 2). */
export function powerOfTwo(length: number): number {
  return 2 ** max(1, ceil(log2(length)));
}
