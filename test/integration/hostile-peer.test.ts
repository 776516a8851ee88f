// Somebody hostile in the channel: whatever they send, the others hear on, the disk and the memory stay, and the process lives.
import { jest } from "@jest/globals";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { silentLog } from "../../src/base/log.ts";
import { systemClock } from "../../src/base/system-clock.ts";
import type { Engine } from "../../src/media/engine/engine.ts";
import { createEngine } from "../../src/media/engine/libdatachannel/index.ts";
import { SupervisedPlane } from "../../src/media/supervisor.ts";
import { TrackReader } from "../../src/media/tracks/reader.ts";
import { Party } from "../contract/engine-behaviour.ts";
import { pause, temporaryDirectory, until, Watched, writeTone } from "../contract/plane-rig.ts";
import type { Flood } from "../support/hostile/flooder.ts";
import { Stranger } from "../support/hostile/stranger.ts";

jest.setTimeout(120_000);

const channel = "room";
const directory = temporaryDirectory();
let engine: Engine;
let plane: SupervisedPlane;
let watched: Watched;
let stranger: Stranger;

beforeAll(() => {
  engine = createEngine({ clock: systemClock, log: silentLog });
});
afterAll(() => engine.close());
beforeEach(async () => {
  plane = new SupervisedPlane({ clock: systemClock, log: silentLog, ffmpegPath: null });
  watched = new Watched(plane);
  stranger = new Stranger();
  await watched.open(channel);
});
afterEach(async () => {
  await stranger.stop();
  await plane.close();
});

/** Somebody honest, who listens and speaks 50 packets a second. */
class Honest {
  readonly party: Party;
  #timestamp = 0;
  #timer: NodeJS.Timeout | null = null;
  said = 0;

  constructor(name: string) {
    this.party = new Party(engine, name);
  }

  async connect(name: string): Promise<void> {
    const offer = await this.party.connection.createOffer();
    const { sdp } = await plane.request({ kind: "peer.answer", channel, peer: name, sdp: offer });
    await this.party.connection.acceptAnswer(sdp);
    await until("a connection", () => this.party.connected || undefined);
  }

  speak(): void {
    const startedMs = performance.now();
    this.#timer = setInterval(() => {
      for (; this.said < (performance.now() - startedMs) / 20; this.said++) {
        const opus = Uint8Array.of(0xf8, 0xff, 0xfe, this.said & 0xff);
        this.party.output.write({ opus, pcm: null, timestamp: (this.#timestamp += 960), marker: false });
      }
    }, 10);
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.party.connection.close();
  }
}

/** Share of the frames due since packet `from` that never came, or over 60 ms later than the promptest. */
function lateOrLost({ audio }: Party, from: number): number {
  const heard = audio.slice(from);
  const [first, last] = [heard[0]!, heard.at(-1)!];
  const expected = ((last.sequence - first.sequence + 65_536) % 65_536) + 1;
  const delays = heard.map(({ arrivalMs, timestamp }) => arrivalMs - timestamp / 48);
  const promptest = Math.min(...delays);
  const late = delays.filter((delay) => delay - promptest > 60).length;
  return (expected - heard.length + late) / expected;
}

/** CPU time of the media child so far, in seconds. */
async function cpuSeconds(): Promise<number> {
  const fields = (await readFile(`/proc/${plane.childPid}/stat`, "utf8")).split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
async function rssMb(): Promise<number> {
  return (await plane.request({ kind: "stats", channel })).rssBytes / 1e6;
}
async function bytesIn(folder: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(folder)).map(async (name) => (await stat(path.join(folder, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function connectStranger(peer: string): Promise<void> {
  const sdp = await stranger.offer();
  const answer = await plane.request({ kind: "peer.answer", channel, peer, sdp });
  expect(await stranger.answered(answer.sdp)).toBe(true);
}

const lastState = (peer: string): string | undefined =>
  watched.all("peer.state").findLast((event) => event.peer === peer)?.state;

test("floods of every kind: others hear and are recorded on, the disk, memory and work stay bounded", async () => {
  const folder = path.join(directory(), "floods");
  await mkdir(folder);
  await watched.play(channel, await writeTone(path.join(directory(), "tone.wav"), 440, 90));
  const honest = new Honest("honest");
  await honest.connect("honest");
  const speakers = ["honest", "mallory"];
  await plane.request({ kind: "record.start", channel, recording: "r", directory: folder, speakers });
  honest.speak();
  await pause(4000);
  const quiet = lateOrLost(honest.party, 50);
  const from = honest.party.audio.length;
  const rssBefore = await rssMb();
  const results: Record<string, unknown>[] = [];
  const floods: Flood[] = (
    ["stream", "loud", "streams", "types", "sizes", "reports", "goodbyes", "junk"] as const
  ).map((kind) => ({ kind, perSecond: 10_000, seconds: 2 }));
  // Beneath what ends a connection, for longer.
  floods.push({ kind: "types", perSecond: 800, seconds: 3 }, { kind: "stream", perSecond: 400, seconds: 3 });
  for (const flood of floods) {
    await connectStranger("mallory");
    const [bytes, cpu, startedMs] = [await bytesIn(folder), await cpuSeconds(), performance.now()];
    const sent = await stranger.flood(flood);
    const seconds = (performance.now() - startedMs) / 1000;
    const ended = flood.perSecond > 1000;
    if (ended) await until("its end", () => lastState("mallory") === "failed" || undefined);
    else expect(lastState("mallory")).toBe("connected");
    await pause(1200); // the next flush
    const grown = (await bytesIn(folder)) - bytes;
    results.push({ ...flood, sent, seconds, grown, cpu: (await cpuSeconds()) - cpu });
    await stranger.hangUp();
    // The music and the honest voice take 20 and 2 kB a second; the stranger at most what a speaker may.
    expect(grown).toBeLessThan(30_000 * (seconds + 2.5) + 256_000 + 80_000 * seconds + 30_000);
  }
  if (process.env["SHOW"])
    console.log(results, { quiet, flooded: lateOrLost(honest.party, from), rssBefore, after: await rssMb() });
  expect(await rssMb()).toBeLessThan(rssBefore + 60);
  // A busy machine is late now and then, with or without strangers.
  expect(lateOrLost(honest.party, from)).toBeLessThan(quiet + 0.03);
  expect(lastState("honest")).toBe("connected");
  const said = honest.said;
  honest.close();
  await plane.request({ kind: "record.stop", channel });
  const file = watched.all("record.track").find(({ speaker }) => speaker === "honest")?.file;
  const reader = await TrackReader.open(path.join(folder, file ?? ""));
  let packets = 0;
  const roundTrips: number[] = [];
  for await (const record of reader.records()) {
    if (record.type === "packet") packets++;
    if (record.type === "path") roundTrips.push(record.roundTripMs);
  }
  expect(packets).toBeGreaterThan(said * 0.99);
  // Of the honest one's way: a report in five seconds, and a record in five.
  expect(roundTrips.length).toBeGreaterThan(3);
  expect(Math.min(...roundTrips)).toBeGreaterThan(0);
  expect(Math.max(...roundTrips)).toBeLessThan(500);
  expect(watched.all("record.failed")).toEqual([]);
});

test("hundreds of offers leave one connection for each name, and all memory and descriptors are given back", async () => {
  const descriptors = async (): Promise<number> => (await readdir(`/proc/${plane.childPid}/fd`)).length;
  const offer = await stranger.offer();
  const round = async (): Promise<void> => {
    const work = Array.from({ length: 200 }, (_, index) =>
      plane.request({ kind: "peer.answer", channel, peer: `p${index % 20}`, sdp: offer }).catch(() => null),
    );
    await Promise.all(work);
    expect((await plane.request({ kind: "stats", channel })).peers).toHaveLength(20);
    for (let index = 0; index < 20; index++)
      await plane.request({ kind: "peer.close", channel, peer: `p${index}` });
    await pause(500);
  };
  await round();
  const [fdsBefore, rssBefore] = [await descriptors(), await rssMb()];
  for (let again = 0; again < 4; again++) await round();
  if (process.env["SHOW"]) console.log(fdsBefore, await descriptors(), rssBefore, await rssMb());
  expect(await descriptors()).toBeLessThan(fdsBefore + 10);
  expect(await rssMb()).toBeLessThan(rssBefore + 50);
});
