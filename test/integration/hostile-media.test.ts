// Uploads made to hurt: what a stranger's file makes of ffmpeg stays small and short.
import { mkdtemp, open, rm, writeFile, readFile } from "node:fs/promises";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createDeflate, crc32 } from "node:zlib";
import { jest } from "@jest/globals";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { Ffmpeg, type FfmpegEnd } from "../../src/media/audio/ffmpeg.ts";
import { findFfmpeg } from "../../src/media/audio/ffmpeg-path.ts";
import { fileInput, PCM_OUTPUT } from "../../src/media/audio/media-file.ts";

jest.setTimeout(60_000);

let directory: string;
let program: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "voicebot-media-"));
  program = await findFfmpeg(null);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Decodes a file as the player does. `peakMb` is the most memory that ffmpeg had. */
async function decode(file: string): Promise<{ end: FfmpegEnd; peakMb: number }> {
  const handle = await open(join(directory, file));
  let peakMb = 0;
  try {
    const end = await new Promise<FfmpegEnd>((resolve) => {
      const ffmpeg = new Ffmpeg({
        ...{ program, clock: systemClock, log: silentLog, what: file, idleMs: 20_000 },
        args: [...fileInput(), ...PCM_OUTPUT],
        descriptors: [handle.fd],
        onData: () => {},
        onEnd: (result) => {
          clearInterval(timer);
          resolve(result);
        },
      });
      const timer = setInterval(() => {
        readFile(`/proc/${ffmpeg.pid}/status`, "utf8").then(
          (status) => (peakMb = Math.max(peakMb, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024)),
          () => undefined,
        );
      }, 5);
    });
    return { end, peakMb };
  } finally {
    await handle.close();
  }
}

async function ffmpeg(...args: string[]): Promise<void> {
  await promisify(execFile)(program, ["-nostdin", "-v", "error", ...args], { timeout: 30_000 });
}

/** A picture of one colour: a few bytes for a megapixel. */
async function pngBomb(side: number): Promise<Buffer> {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 6], 8);
  const deflate = createDeflate({ level: 9 });
  const parts: Buffer[] = [];
  deflate.on("data", (part: Buffer) => parts.push(part));
  const row = Buffer.alloc(1 + side * 4);
  for (let i = 0; i < side; i++)
    if (!deflate.write(row)) await new Promise((resolve) => deflate.once("drain", resolve));
  await new Promise<void>((resolve) => {
    deflate.once("end", resolve);
    deflate.end();
  });
  const data = Buffer.concat(parts);
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([magic, chunk("IHDR", head), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

/** ID3v2.3 in front of a song. */
function withCover(song: Buffer, picture: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from("\0image/png\0\u0003\0", "latin1"), picture]);
  const frame = Buffer.alloc(10);
  frame.write("APIC");
  frame.writeUInt32BE(body.length, 4);
  const size = frame.length + body.length;
  const tag = Buffer.from([
    0x49,
    0x44,
    0x33,
    3,
    0,
    0,
    (size >> 21) & 127,
    (size >> 14) & 127,
    (size >> 7) & 127,
    size & 127,
  ]);
  return Buffer.concat([tag, frame, body, song]);
}

test("a cover that unpacks to hundreds of megabytes is not unpacked; the song is heard", async () => {
  await ffmpeg("-f", "lavfi", "-i", "sine=440:d=2", "-y", join(directory, "song.mp3"));
  const song = await readFile(join(directory, "song.mp3"));
  await writeFile(join(directory, "bomb.mp3"), withCover(song, await pngBomb(9000)));
  const plain = await decode("song.mp3");
  const bomb = await decode("bomb.mp3");
  expect(bomb.end).toMatchObject({ ok: true, bytes: plain.end.bytes });
  expect(bomb.peakMb).toBeLessThan(150);
});

test("a film is heard without its pictures being decoded", async () => {
  const film = join(directory, "film.mkv");
  await ffmpeg(
    ...["-f", "lavfi", "-i", "sine=440:d=2", "-f", "lavfi", "-i", "color=s=3840x2160:d=1:r=5"],
    ...["-c:v", "ffv1", "-c:a", "flac", "-y", film],
  );
  const { end, peakMb } = await decode("film.mkv");
  expect(end).toMatchObject({ ok: true, bytes: 2 * 48_000 * 4 });
  expect(peakMb).toBeLessThan(150);
});

/** A WAV header with absurd values. */
function wav(channels: number, rate: number, bits: number, claim: number): Buffer {
  const bytes = Buffer.alloc(44 + 100_000);
  bytes.write("RIFF");
  bytes.writeUInt32LE(0xffff_ffff, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE((rate * 2) >>> 0, 28);
  bytes.writeUInt16LE(Math.min(0xffff, (channels * bits) / 8), 32);
  bytes.writeUInt16LE(bits, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(claim, 40);
  return bytes;
}

test.each([
  ["65,535 channels", wav(65_535, 48_000, 16, 100_000)],
  ["255 channels", wav(255, 48_000, 8, 100_000)],
  ["two billion samples a second", wav(1, 2_147_483_647, 8, 100_000)],
  ["one sample a second", wav(1, 1, 8, 100_000)],
  ["four gigabytes by its header", wav(1, 48_000, 16, 0xffff_fff0)],
])("a file of %s ends soon and small", async (name, bytes) => {
  await writeFile(join(directory, `${name}.wav`), bytes);
  const { end, peakMb } = await decode(`${name}.wav`);
  expect(end.bytes).toBeLessThan(60 * 48_000 * 4);
  expect(peakMb).toBeLessThan(200);
});
