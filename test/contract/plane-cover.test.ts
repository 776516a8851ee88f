// Covers: of the files that people have, and of those made to hurt. What comes out is a small JPEG of ours, or nothing.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { crc32, deflateSync } from "node:zlib";
import { jest } from "@jest/globals";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import { jpegSize, pictureKind } from "../../src/media/cover/picture.ts";
import { InProcessPlane } from "../../src/media/in-process.ts";
import { CaptureEngine } from "../fakes/capture-engine.ts";
import { serveWeb, type Web } from "../support/web.ts";

jest.setTimeout(60_000);

const run = promisify(execFile);
let directory: string;
let plane: InProcessPlane;
let jpeg: Buffer;
let bare: Buffer;
let made = 0;

const at = (name: string): string => path.join(directory, name);
const ffmpeg = (...args: string[]): Promise<unknown> => run("ffmpeg", ["-nostdin", "-v", "error", ...args]);

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "covers-"));
  plane = new InProcessPlane({
    ...{ engine: new CaptureEngine(), clock: systemClock, log: silentLog, ffmpegPath: null },
    fetchPolicy: { allowHttp: true, allow: ["127.0.0.1"] },
  });
  // Left half red, right half blue, twice as wide as high.
  const halves = "color=red:s=400x400[l];color=blue:s=400x400[r];[l][r]hstack";
  await ffmpeg("-filter_complex", halves, "-frames:v", "1", "-q:v", "3", at("c.jpg"));
  await ffmpeg("-i", at("c.jpg"), at("c.png"));
  await ffmpeg("-i", at("c.jpg"), at("c.webp"));
  await ffmpeg("-f", "lavfi", "-i", "sine=d=1", "-id3v2_version", "0", at("bare.mp3"));
  jpeg = await readFile(at("c.jpg"));
  bare = await readFile(at("bare.mp3"));
});
afterAll(async () => {
  await plane?.close();
  await rm(directory, { recursive: true, force: true });
});

type Size = { width: number; height: number } | null;
/** What is made of it, and the bytes. */
async function make(
  source: { path: string } | { url: string },
): Promise<{ size: Size; bytes: Buffer | null }> {
  const to = at(`made-${made++}`);
  const { size } = await plane.request({ kind: "cover.make", source, to });
  const bytes = await readFile(to).catch(() => null);
  if (bytes) expect((await stat(to)).mode & 0o777).toBe(0o600);
  return { size, bytes };
}
const ofBytes = async (name: string, bytes: Buffer): Promise<Size> => {
  await writeFile(at(name), bytes);
  const { size, bytes: written } = await make({ path: at(name) });
  expect(written === null).toBe(size === null);
  if (written) expect(written.length).toBeLessThan(100_000);
  return size;
};
/** Its left and right halves, as RGB of a pixel in each. */
async function colours(bytes: Buffer): Promise<number[][]> {
  await writeFile(at("look.jpg"), bytes);
  const args = [
    "-v",
    "error",
    "-i",
    at("look.jpg"),
    "-vf",
    "scale=4:1",
    "-f",
    "rawvideo",
    "-pix_fmt",
    "rgb24",
    "-",
  ];
  const { stdout } = await run("ffmpeg", args, { encoding: "buffer" });
  return [[...stdout.subarray(0, 3)], [...stdout.subarray(9, 12)]];
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
/** An ID3v2.3 frame with a picture; `type` 3: front cover. */
function apic(picture: Buffer, mime = "image/jpeg", type = 3): Buffer {
  const body = Buffer.concat([Buffer.from(`\0${mime}\0`), Buffer.from([type, 0]), picture]);
  return Buffer.concat([Buffer.from("APIC"), u32(body.length), Buffer.alloc(2), body]);
}
function mp3(...frames: Buffer[]): Buffer {
  const body = Buffer.concat(frames);
  const size = [21, 14, 7, 0].map((shift) => (body.length >> shift) & 127);
  return Buffer.concat([Buffer.from("ID3\x03\0\0"), Buffer.from(size), body, bare]);
}
const chunk = (type: string, data: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  return Buffer.concat([u32(data.length), named, u32(crc32(named))]);
};
/** Black, so wide and high, with what `more` has before its picture. */
function png(width: number, height: number, ...more: Buffer[]): Buffer {
  const header = Buffer.concat([u32(width), u32(height), Buffer.from([1, 0, 0, 0, 0])]);
  const rows = deflateSync(Buffer.alloc(Math.min(height, 4_000) * (Math.ceil(width / 8) + 1)));
  const chunks = [chunk("IHDR", header), ...more, chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks]);
}
/** As FLAC and, in base64, Ogg have pictures (RFC 9639, section 8.8). */
function picture(bytes: Buffer): Buffer {
  const [mime, none] = [Buffer.from("image/jpeg"), Buffer.alloc(20)];
  return Buffer.concat([u32(3), u32(mime.length), mime, none, u32(bytes.length), bytes]);
}

describe("the picture", () => {
  const mapped = ["-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v:0", "attached_pic"];
  test.each([
    ["an mp3", "a.mp3", "c.jpg", [...mapped, "-id3v2_version", "3"]],
    ["an mp3 of ID3v2.4, PNG", "b.mp3", "c.png", [...mapped, "-id3v2_version", "4"]],
    ["an m4a", "a.m4a", "c.jpg", [...mapped, "-c:a", "aac"]],
    ["a flac", "a.flac", "c.png", mapped],
    ["an aiff", "a.aiff", "c.jpg", [...mapped, "-write_id3v2", "1"]],
    ["Matroska", "a.mka", null, ["-c:a", "flac", "-attach", "c.jpg", "-metadata:s:t", "mimetype=image/jpeg"]],
  ])("in %s comes out small, in its shape and colours", async (_, name, cover, args) => {
    const inputs = ["-f", "lavfi", "-i", "sine=d=1", ...(cover === null ? [] : ["-i", at(cover)])];
    const full = args.map((arg) => (arg === "c.jpg" ? at(arg) : arg));
    await ffmpeg(...inputs, ...full, "-metadata", "title=<img src=x>", at(name));
    const { size, bytes } = await make({ path: at(name) });
    expect(size).toEqual({ width: 320, height: 160 });
    expect(jpegSize(bytes!)).toEqual(size);
    const [left, right] = await colours(bytes!);
    expect(left?.map((value) => value > 128)).toEqual([true, false, false]);
    expect(right?.map((value) => value > 128)).toEqual([false, false, true]);
  });

  test.each(["opus", "ogg"])("in the comments of .%s", async (ending) => {
    const comment = `METADATA_BLOCK_PICTURE=${picture(jpeg).toString("base64").replaceAll("=", "\\=")}`;
    await writeFile(at("tags"), `;FFMETADATA1\n${comment}\n`);
    const codec = ending === "opus" ? "libopus" : "libvorbis";
    const tags = ["-i", at("tags"), "-map", "0:a", "-map_metadata", "1", "-map_metadata:s:a", "1:g"];
    await ffmpeg("-f", "lavfi", "-i", "sine=d=1", ...tags, "-c:a", codec, at(`a.${ending}`));
    expect((await make({ path: at(`a.${ending}`) })).size).toEqual({ width: 320, height: 160 });
  });

  test.each(["c.jpg", "c.png", "c.webp"])("that %s is itself", async (name) => {
    const { size, bytes } = await make({ path: at(name) });
    expect(size).toEqual({ width: 320, height: 160 });
    expect(pictureKind(bytes!)).toBe("jpeg");
  });

  test("what is small stays so; what is transparent is black", async () => {
    await ffmpeg("-f", "lavfi", "-i", "color=white@0:s=64x40,format=rgba", "-frames:v", "1", at("t.png"));
    const { size, bytes } = await make({ path: at("t.png") });
    expect(size).toEqual({ width: 64, height: 40 });
    expect(Math.max(...(await colours(bytes!)).flat())).toBeLessThan(8);
  });

  test("nothing of the stranger's file is left in it: no text, no position, no second picture", async () => {
    const secret = Buffer.from("Exif\0\0<script>52.5 N 13.4 E</script>");
    const length = Buffer.from([0, secret.length + 2]);
    const marked = Buffer.concat([
      ...[jpeg.subarray(0, 2), Buffer.from([0xff, 0xe1]), length, secret],
      ...[jpeg.subarray(2), Buffer.from("<html>behind</html>")],
    ]);
    await writeFile(at("marked.jpg"), marked);
    const { size, bytes } = await make({ path: at("marked.jpg") });
    expect(size).not.toBeNull();
    expect(bytes!.toString("latin1")).not.toMatch(/script|html|Exif|Lavc/);
  });
});

describe("made to hurt", () => {
  const none: Record<string, () => Buffer> = {
    "no picture": () => bare,
    "30,000 x 30,000 pixels": () => mp3(apic(png(30_000, 30_000), "image/png")),
    "one row of 16,000": () => png(16_000, 1),
    "one pixel": () => png(1, 1),
    "a page that is called a picture": () => mp3(apic(Buffer.from("<html><script>alert(1)</script></html>"))),
    SVG: () => mp3(apic(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), "image/svg+xml")),
    "an address instead of a picture": () => mp3(apic(Buffer.from("http://169.254.169.254/"), "-->")),
    "a thousand and one pictures": () =>
      mp3(...Array.from({ length: 1_001 }, () => apic(png(8, 8), "image/png"))),
    "a picture of 20 MB": () => mp3(apic(Buffer.concat([jpeg, Buffer.alloc(20e6)]))),
    "a picture file of 9 MB": () => Buffer.concat([jpeg, Buffer.alloc(9e6)]),
    "nothing but a start": () => mp3(apic(jpeg.subarray(0, 100))),
    "a size that is a lie": () => {
      const liar = Buffer.from(jpeg);
      liar.fill(0xff, liar.indexOf("\xff\xc0", 0, "latin1") + 5, liar.indexOf("\xff\xc0", 0, "latin1") + 9);
      return mp3(apic(liar));
    },
    "an empty file": () => Buffer.alloc(0),
    noise: () => randomBytes(100_000),
    "a playlist of our files": () => Buffer.from("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
  };
  test.each(Object.keys(none))("%s: no cover", async (name) => {
    expect(await ofBytes("hostile", none[name]!())).toBeNull();
  });

  test("a film has none", async () => {
    await ffmpeg("-f", "lavfi", "-i", "testsrc=d=1:s=320x240", "-c:v", "mpeg4", at("film.mp4"));
    expect((await make({ path: at("film.mp4") })).size).toBeNull();
  });

  test("300 large pictures: the first, and no other is unpacked", async () => {
    const large = png(4_000, 4_000);
    const many = mp3(...Array.from({ length: 300 }, () => apic(large, "image/png")));
    const { result: size, peakMb } = await watched(() => ofBytes("many.mp3", many));
    expect(size).toEqual({ width: 320, height: 320 });
    expect(peakMb).toBeLessThan(300);
  });

  test("what is packed in a picture's texts is not unpacked for ever, nor all of it at once", async () => {
    // Three times 60 MB of zeros.
    const bomb = Buffer.concat([Buffer.from("k\0\0"), deflateSync(Buffer.alloc(60e6))]);
    const texts = Array.from({ length: 3 }, () => chunk("zTXt", bomb));
    const { peakMb } = await watched(() => ofBytes("texts.png", png(64, 64, ...texts)));
    expect(peakMb).toBeLessThan(300);
    expect(await running()).toEqual([]);
  });

  test("damage and what is cut off in the middle: whatever can be seen", async () => {
    const damaged = Buffer.from(jpeg);
    damaged.fill(0x5a, Math.floor(jpeg.length / 2), Math.floor(jpeg.length / 2) + 200);
    for (const bytes of [damaged, jpeg.subarray(0, Math.floor(jpeg.length * 0.7))]) {
      const size = await ofBytes("damaged.mp3", mp3(apic(bytes)));
      if (size) expect(size).toEqual({ width: 320, height: 160 });
    }
  });

  test("links, folders, pipes and what is not there are no files", async () => {
    await symlink(at("c.jpg"), at("link.jpg"));
    await run("mkfifo", [at("pipe")]);
    for (const name of ["link.jpg", "pipe", "missing", "."]) {
      await expect(make({ path: at(name) })).rejects.toMatchObject({ code: "media_unreadable" });
    }
  });

  test("a file that is there already is not written over", async () => {
    await writeFile(at("there"), "mine");
    const asking = plane.request({ kind: "cover.make", source: { path: at("c.jpg") }, to: at("there") });
    await expect(asking).rejects.toThrow("EEXIST");
    expect(await readFile(at("there"), "utf8")).toBe("mine");
  });
});

describe("at an address", () => {
  let web: Web;
  beforeAll(async () => {
    web = await serveWeb((request, response) => {
      if (request.url === "/c.jpg") response.end(jpeg);
      else if (request.url === "/page") response.setHeader("content-type", "image/jpeg").end("<html></html>");
      else if (request.url === "/inside")
        response.writeHead(302, { location: "http://169.254.169.254/" }).end();
      else if (request.url === "/large") response.end(Buffer.concat([jpeg, Buffer.alloc(9e6)]));
      else if (request.url === "/endless") {
        response.write(jpeg.subarray(0, 1_000));
        const more = setInterval(() => response.write(Buffer.alloc(1_000_000)), 1);
        response.once("close", () => clearInterval(more));
      } else response.writeHead(404).end();
    });
  });
  afterAll(() => web.close());

  test("it comes through the guard, and is what its bytes are", async () => {
    expect((await make({ url: web.url("/c.jpg") })).size).toEqual({ width: 320, height: 160 });
    expect((await make({ url: web.url("/page") })).size).toBeNull();
  });

  test.each([
    ["/inside", "fetch_refused"],
    ["/missing", "fetch_failed"],
    ["/large", "media_too_large"],
    ["/endless", "media_too_large"],
  ])("%s: %s", async (where, code) => {
    await expect(make({ url: web.url(where) })).rejects.toMatchObject({ code });
  });
});

/** Process ids of ffmpegs that are ours. */
async function running(): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "latin1").catch(() => "");
    const [, program, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(stat) ?? [];
    if (program === "ffmpeg" && Number(parent) === process.pid) found.push(Number(name));
  }
  return found;
}

/** Of the largest of them, in MB. */
async function peak(): Promise<number> {
  let most = 0;
  for (const pid of await running()) {
    const file = await open(`/proc/${pid}/status`).catch(() => null);
    const status = (await file?.readFile("utf8").catch(() => "")) ?? "";
    await file?.close();
    most = Math.max(most, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
  }
  return most;
}

/** `peakMb`: the most memory that an ffmpeg had meanwhile. */
async function watched<T>(work: () => Promise<T>): Promise<{ result: T; peakMb: number }> {
  let peakMb = 0;
  const timer = setInterval(() => void peak().then((mb) => (peakMb = Math.max(peakMb, mb))), 10);
  try {
    return { result: await work(), peakMb };
  } finally {
    clearInterval(timer);
  }
}
