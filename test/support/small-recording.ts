// A small recording with everything in it that the format has, for tests that take it apart byte by byte.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppendFile } from "../../src/media/tracks/append-file.ts";
import {
  encodeEnd,
  encodeEpoch,
  encodeHeader,
  encodePacket,
  encodeSenderClock,
} from "../../src/media/tracks/format.ts";
import { BOOT, over, START_MS, START_WALL_MS, tone, writeJournal } from "./recording.ts";

export const SMALL_ID = "r1";
export const SMALL_KEY = "phone@ann:test";
/** Packets of the voice; the music has half of them. */
export const SMALL_PACKETS = 8;

/** Journal, one voice and the music, a few hundred bytes each, closed in order. */
export async function writeSmallRecording(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeJournal(directory, [
    { kind: "joined", key: SMALL_KEY, userId: "@ann:test", name: "Ann", atMs: 1 },
    { kind: "track", speaker: SMALL_KEY, file: "voice-001.mvt", what: "voice", atMs: 20 },
    { kind: "note", text: "Ünïcödé", byUserId: "@ann:test", byName: "Ann", atMs: 100 },
    { kind: "track", speaker: "music", file: "music-001.mvt", what: "music", atMs: 120 },
    { kind: "stop", reason: "command", byUserId: "@ann:test", atMs: 300 },
  ]);
  await writeSmallTrack(directory, "voice-001.mvt", "voice", SMALL_PACKETS, 0);
  await writeSmallTrack(directory, "music-001.mvt", "music", SMALL_PACKETS / 2, 100);
}

async function writeSmallTrack(
  directory: string,
  file: string,
  what: "voice" | "music",
  count: number,
  fromMs: number,
): Promise<void> {
  const track = await AppendFile.create(join(directory, file), "track");
  track.append(
    encodeHeader({
      ...{ recording: SMALL_ID, speaker: what === "music" ? "music" : SMALL_KEY, what, codec: "opus" },
      ...{ clockRate: 48_000, engine: "test", hasClock: true },
    }),
  );
  const epoch = { monotonicMs: START_MS + fromMs, wallMs: START_WALL_MS + fromMs, bootId: BOOT };
  track.append(encodeEpoch(epoch));
  const sent = tone({ hz: 440, fromMs, lengthMs: count * 20 });
  for (const { arrivalMs, timestamp, ssrc, sequence, payload } of over(sent, { ssrc: 7 })) {
    const packet = { timestamp, ssrc, sequence, marker: sequence === 65_530, levelDbov: -30 };
    // A few bytes of each: nobody listens to it.
    track.append(
      encodePacket({ ...packet, arrivalMs: START_MS + arrivalMs, payload: payload.subarray(0, 24) }),
    );
  }
  const clock = { ntpMs: START_WALL_MS + 5, ssrc: 7, timestamp: 1_000, arrivalMs: START_MS + fromMs + 50 };
  if (what === "voice") track.append(encodeSenderClock(clock));
  track.append(encodeEnd(START_MS + fromMs + count * 20));
  await track.close();
}

/** Every file of a folder with its bytes. */
export async function filesOf(directory: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(directory, { withFileTypes: true }))
    if (entry.isFile()) files.set(entry.name, await readFile(join(directory, entry.name)));
  return files;
}

/** A folder with these files and no others of its own. */
export async function writeFiles(directory: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, bytes] of files) await writeFile(join(directory, name), bytes);
}
