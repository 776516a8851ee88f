import { writeFile } from "node:fs/promises";

/** Sound at 48 kHz, 16 bit, interleaved where there are two channels, as a WAV file of the plainest kind. */
export function wavOf(samples: Int16Array, channels: 1 | 2): Buffer {
  const wav = Buffer.alloc(44 + samples.length * 2);
  wav.write("RIFF");
  wav.writeUInt32LE(36 + samples.length * 2, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(channels, 22);
  wav.writeUInt32LE(48_000, 24);
  wav.writeUInt32LE(96_000 * channels, 28);
  wav.writeUInt16LE(2 * channels, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36);
  wav.writeUInt32LE(samples.length * 2, 40);
  wav.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), 44);
  return wav;
}

/** @returns the path */
export async function writeWav(path: string, samples: Int16Array, channels: 1 | 2 = 2): Promise<string> {
  await writeFile(path, wavOf(samples, channels));
  return path;
}
