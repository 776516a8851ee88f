/** Samples are at 48 kHz throughout: the clock of Opus in RTP and Ogg, whatever was coded. */
export const SAMPLES_PER_MS = 48;

/** The finest step of Opus' time: a frame of 2.5 ms. */
export const GRID = 120;

/** Longest packet (RFC 6716 section 3.2.5). */
const MAX_SAMPLES = 5760;

// Frame sizes by configuration (RFC 6716 section 3.1, table 2).
const SILK_SIZES = [480, 960, 1920, 2880] as const;
const HYBRID_SIZES = [480, 960] as const;
const CELT_SIZES = [120, 240, 480, 960] as const;

/** How many samples a packet stands for; null when it is no Opus packet. */
export function packetSamples(packet: Uint8Array): number | null {
  const toc = packet[0];
  if (toc === undefined) return null;
  const config = toc >> 3;
  const size =
    config < 12 ? SILK_SIZES[config & 3] : config < 16 ? HYBRID_SIZES[config & 1] : CELT_SIZES[config & 3];
  const frames = frameCount(toc & 3, packet[1]);
  if (size === undefined || frames === null) return null;
  const samples = size * frames;
  return samples <= MAX_SAMPLES ? samples : null;
}

function frameCount(code: number, second: number | undefined): number | null {
  if (code === 0) return 1;
  if (code !== 3) return 2;
  const count = (second ?? 0) & 0x3f;
  return count === 0 ? null : count;
}

/** Whether a packet is coded in stereo (the s bit). */
export const isStereo = (packet: Uint8Array): boolean => ((packet[0] ?? 0) & 0x04) !== 0;

// A full-band CELT frame whose first coded bit says "silence"; configurations 31 down to 28 are 20, 10, 5, 2.5 ms.
const SILENCE = ([960, 480, 240, 120] as const).map((samples, index) => {
  const toc = (31 - index) << 3;
  return { samples, mono: Uint8Array.of(toc, 0xff, 0xfe), stereo: Uint8Array.of(toc | 0x04, 0xff, 0xfe) };
});

/** The fewest packets of silence for `samples`, a multiple of `GRID`. */
export function* silence(
  samples: number,
  stereo: boolean,
): Generator<{ packet: Uint8Array; samples: number }, void, undefined> {
  let left = samples;
  for (const frame of SILENCE) {
    for (; left >= frame.samples; left -= frame.samples) {
      yield { packet: stereo ? frame.stereo : frame.mono, samples: frame.samples };
    }
  }
}
