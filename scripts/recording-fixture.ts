// Makes the fixture of a format version: `node scripts/recording-fixture.ts test/fixtures/recording-v1`. It was run once, when
// the version came to be; what it made is never made anew, for it stands for the files that people have. A new version gets a
// folder of its own.
import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AppendFile } from "../src/media/tracks/append-file.ts";
import {
  encodeEnd,
  encodeEpoch,
  encodeGap,
  encodeHeader,
  encodePacket,
  encodePath,
  encodeSenderClock,
} from "../src/media/tracks/format.ts";
import type { TrackHeader } from "../src/media/tracks/format.ts";
import { encodeRecord } from "../src/media/tracks/framing.ts";
import type { JournalFact } from "../src/recorder/journal.ts";
import { over, tone } from "../test/support/recording.ts";

const ID = "20260102-030405-0123456789";
const BOOT = "11111111-2222-3333-4444-555555555555";
const START_MS = 5_000_000.125;
const WALL_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const ANN = { key: "phone@ann:example.org", userId: "@ann:example.org", name: "Ann 🎙 / “Ünïcödé”" };
const BOB = { key: "laptop@bob:example.org", userId: "@bob:example.org", name: "Bob" };

const at = (ms: number): { monotonicMs: number; wallMs: number } => ({
  monotonicMs: START_MS + ms,
  wallMs: WALL_MS + ms,
});

interface Part {
  file: string;
  header: Partial<TrackHeader> & Pick<TrackHeader, "speaker" | "what">;
  hz: number;
  fromMs: number;
  lengthMs: number;
  ssrc: number;
  lost?: (index: number) => boolean;
  /** Records of other types, in the middle. */
  more?: Uint8Array[];
  /** Closed in order; else a kill left half a record. */
  whole: boolean;
}

async function writePart(directory: string, part: Part): Promise<void> {
  const { file, header, hz, fromMs, lengthMs, ssrc, lost = () => false, more = [], whole } = part;
  const track = await AppendFile.create(join(directory, file), "track");
  const common = { recording: ID, codec: "opus", clockRate: 48_000 } as const;
  track.append(encodeHeader({ ...common, engine: "libdatachannel", hasClock: true, ...header }));
  track.append(encodeEpoch({ ...at(fromMs), bootId: BOOT }));
  const sent = tone({ hz, fromMs, lengthMs, bitrate: 12_000, firstSequence: 65_530 });
  for (const [index, packet] of over(sent, { ssrc, lost, delayMs: (one) => (one * 7) % 13 }).entries()) {
    const { arrivalMs, timestamp, sequence, payload } = packet;
    const levelDbov = index % 5 === 0 ? null : 0 - ((index * 3) % 128);
    const record = { timestamp, ssrc, sequence, payload, marker: index === 0, levelDbov };
    track.append(encodePacket({ ...record, arrivalMs: START_MS + arrivalMs }));
    if (index === 5) for (const one of more) track.append(one);
  }
  if (whole) track.append(encodeEnd(START_MS + fromMs + lengthMs + 40));
  await track.close();
  if (!whole) await appendFile(join(directory, file), Buffer.from([92, 0, 0, 0, 1, 2, 3, 4, 3, 9, 9]));
}

async function writeJournal(directory: string, facts: readonly [number, JournalFact][]): Promise<void> {
  const journal = await AppendFile.create(join(directory, "journal.mvt"), "journal");
  for (const [ms, fact] of facts) {
    const { monotonicMs: atMs, wallMs } = at(ms);
    journal.append(encodeRecord(1, new TextEncoder().encode(JSON.stringify({ ...fact, atMs, wallMs }))));
  }
  // Of a later version: readers skip it.
  const later = { kind: "of a later version", atMs: START_MS, wallMs: WALL_MS };
  journal.append(encodeRecord(1, new TextEncoder().encode(JSON.stringify(later))));
  journal.append(encodeRecord(200, Uint8Array.of(1, 2, 3)));
  await journal.close();
}

const [, , directory = ""] = process.argv;
await mkdir(directory);
await writeJournal(directory, [
  [
    0,
    {
      ...{
        kind: "start",
        recording: ID,
        roomId: "!room:example.org",
        byUserId: ANN.userId,
        byName: ANN.name,
      },
      ...{ bootId: BOOT, title: "Episode 1", consent: "opt-out" },
    },
  ],
  [1, { kind: "notice", userId: null }],
  [2, { kind: "joined", ...ANN }],
  [20, { kind: "track", speaker: ANN.key, file: "voice-001.mvt", what: "voice" }],
  [100, { kind: "joined", ...BOB }],
  [100, { kind: "notice", userId: BOB.userId }],
  [120, { kind: "track", speaker: BOB.key, file: "voice-002.mvt", what: "voice", hasClock: false }],
  [200, { kind: "track", speaker: "music", file: "music-001.mvt", what: "music" }],
  [300, { kind: "level", key: ANN.key, levelDbfs: -9.03, clipped: false }],
  [400, { kind: "note", text: "Here it gets interesting", byUserId: BOB.userId, byName: BOB.name }],
  [600, { kind: "gap", reason: "down" }],
  [900, { kind: "resumed" }],
  [920, { kind: "track", speaker: ANN.key, file: "voice-003.mvt", what: "voice" }],
  [1_200, { kind: "warned", key: BOB.key, what: "silent" }],
  [1_250, { kind: "left", key: BOB.key }],
  [1_300, { kind: "paused", byUserId: ANN.userId }],
  [1_500, { kind: "unpaused", byUserId: ANN.userId }],
  [1_550, { kind: "consent", userId: "@eve:example.org", agreed: false, scope: "recording" }],
  [1_551, { kind: "erased", userId: "@eve:example.org", files: ["voice-004.mvt"] }],
  [1_800, { kind: "stop", reason: "command", byUserId: ANN.userId }],
]);
const clock = { ntpMs: WALL_MS + 123.5, ssrc: 0xdeadbeef, timestamp: 5_800, arrivalMs: START_MS + 130 };
await writePart(directory, {
  ...{ file: "voice-001.mvt", header: { speaker: ANN.key, what: "voice" }, hz: 440, ssrc: 0xdeadbeef },
  ...{ fromMs: 20, lengthMs: 560, lost: (index: number) => index === 9, whole: false },
  more: [
    encodeSenderClock(clock),
    encodePath({ atMs: START_MS + 131, ssrc: 0xdeadbeef, roundTripMs: 23.5 }),
    encodeGap({ fromMs: START_MS + 140, toMs: START_MS + 141, packets: 2, reason: "slow_disk" }),
    encodeRecord(201, Uint8Array.of(7)),
  ],
});
await writePart(directory, {
  ...{ file: "voice-002.mvt", header: { speaker: BOB.key, what: "voice", engine: "wrtc", hasClock: false } },
  ...{ hz: 660, ssrc: 1, fromMs: 120, lengthMs: 300, whole: true },
});
await writePart(directory, {
  ...{ file: "music-001.mvt", header: { speaker: "music", what: "music" }, hz: 880, ssrc: 0 },
  ...{ fromMs: 200, lengthMs: 300, whole: true },
});
await writePart(directory, {
  ...{ file: "voice-003.mvt", header: { speaker: ANN.key, what: "voice" }, hz: 440, ssrc: 0xcafe },
  ...{ fromMs: 920, lengthMs: 360, more: [encodeEpoch({ ...at(1_000), bootId: BOOT })], whole: true },
});
