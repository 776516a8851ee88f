import { networkInterfaces } from "node:os";
import { messageOf } from "../base/errors.ts";
import { silentLog } from "../base/log.ts";
import { systemClock as clock } from "../base/system-clock.ts";
import { createOpusEncoder } from "../media/audio/encoder.ts";
import { CHANNELS, FRAME_SAMPLES, SAMPLE_RATE } from "../media/audio/pcm.ts";
import { enginesFor, loadEngine } from "../media/engine-choice.ts";
import { candidatePolicy, parseCandidate, subnetsOf } from "../media/engine/candidates.ts";
import type { Engine, EngineConnection, EngineOutput, ReceivedAudio } from "../media/engine/engine.ts";
import type { IceSettings } from "../media/plane.ts";
import { orderSchema, type JobResult } from "./engine-job.ts";

/* A child of engine-job.ts: does one job with the engine, sends its result, and is killed. */

const CONNECT_MS = 4_000;
const FRAME_MS = 20;
const FRAMES = 50;
/** The last packets are still on their way when the last frame was written. */
const ARRIVE_MS = 300;
const TONE_HZ = 440;

interface Side {
  connection: EngineConnection;
  output: EngineOutput;
  connected: PromiseWithResolvers<void>;
  heard: number;
}

async function main(): Promise<JobResult> {
  const { engine: policy, job } = orderSchema.parse(JSON.parse(process.argv[2] ?? "null"));
  const startedMs = clock.now();
  const modules = enginesFor(policy).map(({ href }) => href);
  const engine = await loadEngine(modules, { clock, log: silentLog });
  switch (job.kind) {
    case "load":
      return {
        kind: "load",
        engine: engine.name,
        tookMs: clock.now() - startedMs,
        opusProblem: opusProblem(),
      };
    case "relay":
      return { kind: "relay", address: await relay(engine, job.ice) };
    case "connect":
      return connect(engine, job.ice);
  }
}

function opusProblem(): string | null {
  try {
    return tone().some(({ opus }) => opus.length > 20) ? null : "it makes nothing of a tone";
  } catch (error) {
    return messageOf(error);
  }
}

/** Frames of a quiet sine. */
function tone(): { opus: Uint8Array; pcm: Int16Array }[] {
  const encoder = createOpusEncoder(64_000);
  return Array.from({ length: FRAMES }, (_, frame) => {
    const pcm = new Int16Array(FRAME_SAMPLES * CHANNELS);
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const phase = (2 * Math.PI * TONE_HZ * (frame * FRAME_SAMPLES + i)) / SAMPLE_RATE;
      pcm.fill(Math.round(3_000 * Math.sin(phase)), i * CHANNELS, (i + 1) * CHANNELS);
    }
    return { opus: encoder.encode(pcm), pcm };
  });
}

async function relay(engine: Engine, ice: IceSettings): Promise<string | null> {
  const { connection } = side(engine, ice, () => {});
  const offer = await connection.createOffer();
  const candidates = offer.split("\r\n").flatMap((line) => parseCandidate(line) ?? []);
  const relayed = candidates.find(({ type }) => type === "relay");
  return relayed ? relayed.address : null;
}

async function connect(engine: Engine, ice: IceSettings): Promise<JobResult> {
  const result = { kind: "connect", connectMs: 0, sent: 0, heard: 0 } as const;
  const startedMs = clock.now();
  const sides: Side[] = [];
  const a = side(engine, ice, (candidate, mid) => sides[1]?.connection.addCandidate(candidate, mid));
  const b = side(engine, ice, (candidate, mid) => sides[0]?.connection.addCandidate(candidate, mid));
  sides.push(a, b);
  try {
    const offer = await a.connection.createOffer();
    await a.connection.acceptAnswer(await b.connection.createAnswer(offer));
  } catch (error) {
    return { ...result, problem: messageOf(error) };
  }
  const both = Promise.all([a.connected.promise, b.connected.promise]);
  const late = pause(CONNECT_MS).then(() => "late" as const);
  if ((await Promise.race([both, late])) === "late")
    return { ...result, problem: `two connections did not find each other within ${CONNECT_MS / 1000} s` };
  const connectMs = clock.now() - startedMs;
  const packets = tone();
  for (const [frame, { opus, pcm }] of packets.entries()) {
    const timestamp = frame * FRAME_SAMPLES;
    for (const { output } of sides) output.write({ opus, pcm, timestamp, marker: frame === 0 });
    await pause(FRAME_MS);
  }
  await pause(ARRIVE_MS);
  const heard = Math.min(packets.length, Math.round(Math.min(a.heard, b.heard)));
  return { kind: "connect", problem: null, connectMs, sent: packets.length, heard };
}

function side(engine: Engine, ice: IceSettings, onCandidate: (candidate: string, mid: string) => void): Side {
  const ownSubnets = [...subnetsOf(networkInterfaces()), ...(ice.localSubnets ?? [])];
  const allowed = candidatePolicy({ allowPrivate: ice.allowPrivate, ownSubnets });
  const announce = (ice.announce ?? []).map((address) => address.toLowerCase());
  // Where addresses are announced it is they that are tried, and not those of a family that has none.
  const isAnnounced = (candidate: string): boolean =>
    announce.length === 0 || announce.includes(parseCandidate(candidate)?.address ?? "");
  const output = engine.createOutput();
  const connected = Promise.withResolvers<void>();
  const made: Side = {
    ...{ output, connected, heard: 0 },
    connection: engine.createConnection(
      {
        ...{ label: "check", output, ice },
        candidateAllowed: (candidate) => isAnnounced(candidate) && allowed(candidate),
      },
      {
        onState: (state) => {
          if (state === "connected") connected.resolve();
        },
        onCandidate,
        onAudio: (audio) => void (made.heard += framesOf(audio)),
        onSenderClock: () => {},
      },
    ),
  };
  return made;
}

/** Frames of 20 ms, as they were sent. */
function framesOf(audio: ReceivedAudio): number {
  return audio.kind === "opus" ? 1 : audio.samples.length / audio.channels / FRAME_SAMPLES;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void clock.timer(ms, resolve));
}

const result = await main().catch((error: unknown): JobResult => ({ kind: "died", why: messageOf(error) }));
process.send?.(result);
