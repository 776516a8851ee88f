import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { serveWeb, type Web } from "./web.ts";

const run = promisify(execFile);

/** A sine of so many seconds, encoded by ffmpeg as the file's name says, and its bytes. */
export async function encodedTone(
  file: string,
  hertz: number,
  seconds: number,
  args: readonly string[] = [],
): Promise<Buffer> {
  const sine = `aevalsrc=0.4*sin(2*PI*${hertz}*t)|0.4*sin(2*PI*${hertz}*t):s=48000:d=${seconds}`;
  await run("ffmpeg", ["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", sine, ...args, file], {
    cwd: path.dirname(file),
  });
  return readFile(file);
}

const INTERVAL = 4_000;
const EVERY_MS = 100;

/** What a station sends, 16 kB a second, as 128 kbit/s are. */
export interface Programme {
  title: string;
  mp3: Buffer;
}

/** A radio station as Icecast is one: whoever connects hears what is on, from its middle. */
export class Station {
  readonly web: Web;
  #programme: Programme;
  #sentBytes = 0;
  readonly #listeners = new Set<Listener>();
  readonly #timer: NodeJS.Timeout;

  private constructor(web: Web, programme: Programme, listeners: Set<Listener>) {
    this.web = web;
    this.#programme = programme;
    this.#listeners = listeners;
    this.#timer = setInterval(() => this.#send(1_600), EVERY_MS);
  }

  static async open(programme: Programme): Promise<Station> {
    const listeners = new Set<Listener>();
    const web = await serveWeb((request, response) => {
      response.writeHead(200, {
        ...{ "content-type": "audio/mpeg", "icy-name": "Test FM", connection: "close" },
        ...(request.headers["icy-metadata"] === "1" && { "icy-metaint": String(INTERVAL) }),
      });
      const listener = new Listener(
        (bytes) => response.write(bytes),
        () => response.destroy(),
      );
      listeners.add(listener);
      response.on("close", () => listeners.delete(listener));
      // Icecast gives whoever comes some seconds at once.
      station.#send(16_000, listener);
    });
    const station: Station = new Station(web, programme, listeners);
    return station;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** From now on this is on. */
  plays(programme: Programme): void {
    this.#programme = programme;
    this.#sentBytes = 0;
  }

  /** Throws everybody out, in the middle of a frame. */
  reset(): void {
    for (const listener of this.#listeners) listener.drop();
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    return this.web.close();
  }

  #send(count: number, only?: Listener): void {
    const { mp3, title } = this.#programme;
    const from = this.#sentBytes % Math.max(1, mp3.length - count);
    for (const listener of only ? [only] : this.#listeners)
      listener.send(mp3.subarray(from, from + count), title);
    if (!only) this.#sentBytes += count;
  }
}

/** One connection, with a title after each `INTERVAL` bytes: the whole of it where it is another, else an empty one. */
class Listener {
  readonly #write: (bytes: Uint8Array) => void;
  readonly drop: () => void;
  #left = INTERVAL;
  #told = "";

  constructor(write: (bytes: Uint8Array) => void, drop: () => void) {
    this.#write = write;
    this.drop = drop;
  }

  send(sound: Uint8Array, title: string): void {
    let rest = sound;
    while (rest.length >= this.#left) {
      this.#write(rest.subarray(0, this.#left));
      rest = rest.subarray(this.#left);
      this.#left = INTERVAL;
      this.#write(this.#text(title));
    }
    this.#left -= rest.length;
    if (rest.length > 0) this.#write(rest);
  }

  #text(title: string): Uint8Array {
    if (title === this.#told) return Buffer.alloc(1);
    this.#told = title;
    const text = Buffer.from(`StreamTitle='${title}';`);
    const blocks = Math.ceil(text.length / 16);
    const whole = Buffer.alloc(1 + 16 * blocks);
    whole[0] = blocks;
    whole.set(text, 1);
    return whole;
  }
}
