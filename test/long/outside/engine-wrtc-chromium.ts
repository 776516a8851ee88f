import { silentLog } from "../../../src/base/log.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import type { Engine } from "../../../src/media/engine/engine.ts";
import { createEngine } from "../../../src/media/engine/wrtc/index.ts";
import { Party, pause, until } from "../../contract/engine-behaviour.ts";
import { dominantFrequency, fromInt16, rmsDb } from "../../support/measure.ts";
import { PAGE_TONE_HZ, PagePeers } from "../../support/page-peer.ts";
import type { PageFigures, PagePeer } from "../../support/page-peer.ts";
import { LEFT_HZ, playTone, RIGHT_HZ, TONE_AMPLITUDE } from "../../support/tone.ts";

/** Wrong times would have nearly all concealed; a machine with twice as much to do as it can has 4 %, a quiet one none. */
const MOSTLY_HEARD = 0.1;
const SINE_DB = 20 * Math.log10(TONE_AMPLITUDE) - 3.01;

/** The last seconds, mono. */
function lastSeconds(party: Party, seconds: number): Float32Array {
  return Float32Array.from(
    party.pcm
      .slice(-100 * seconds)
      .flatMap(({ samples, channels }) => [...fromInt16(samples)].filter((_, i) => i % channels === 0)),
  );
}

async function untilHeard(page: PagePeer): Promise<void> {
  for (let waited = 0; waited < 20_000 && (await page.figures()).totalSamples < 48_000; waited += 200)
    await pause(200);
}

function concealment(before: PageFigures, after: PageFigures): number {
  return (after.concealed - before.concealed) / (after.totalSamples - before.totalSamples);
}

async function expectHeard(page: PagePeer, stereo: boolean): Promise<void> {
  const heard = await page.hears();
  if (!stereo) {
    expect([LEFT_HZ, RIGHT_HZ].some((hz) => Math.abs(hz - heard[0]!.frequency) < 5)).toBe(true);
    return;
  }
  expect(heard[0]!.frequency).toBeCloseTo(LEFT_HZ, -1);
  expect(heard[1]!.frequency).toBeCloseTo(RIGHT_HZ, -1);
  for (const { levelDb } of heard) expect(Math.abs(levelDb - SINE_DB)).toBeLessThan(1);
}

/** Both directions are heard for some seconds, with figures at both ends. */
async function expectSound(party: Party, page: PagePeer, stereo: boolean): Promise<void> {
  const tone = playTone(party.output);
  try {
    await untilHeard(page);
    await pause(2000);
    const before = await page.figures();
    await pause(5000);
    await expectHeard(page, stereo);
    const after = await page.figures();
    expect(after.totalSamples - before.totalSamples).toBeGreaterThan(4.5 * 48_000);
    expect(concealment(before, after)).toBeLessThan(MOSTLY_HEARD);
    expect(after.packetsLost).toBe(0);
    const samples = lastSeconds(party, 4);
    expect(dominantFrequency(samples, 48_000)).toBeCloseTo(PAGE_TONE_HZ, -1);
    expect(Math.abs(rmsDb(samples) - SINE_DB)).toBeLessThan(1.5);
    await until(() => party.connection.stats().roundTripMs !== null, "a round trip was measured", 20_000);
    const stats = party.connection.stats();
    expect(stats).toMatchObject({ lossFraction: 0, packetsMissed: 0, relayed: false });
    expect(stats.packetsSentRecently).toBeGreaterThan(200);
  } finally {
    tone.stop();
  }
}

async function expectGoodbyeSeen(party: Party, page: PagePeer): Promise<void> {
  await page.leave();
  await until(() => party.states.at(-1) === "closed", "the page's goodbye is seen", 5000);
  expect(party.states).toEqual(["connecting", "connected", "closed"]);
}

describe("wrtc and Chromium", () => {
  let engine: Engine;
  let pages: PagePeers;
  beforeAll(async () => {
    engine = createEngine({ clock: systemClock, log: silentLog });
    pages = await PagePeers.start();
  });
  afterAll(async () => {
    await pages.close();
    await engine.close();
  });

  test("the page offers, with other sections and trickled candidates", async () => {
    const party = new Party(engine, "page");
    const page = await pages.open((candidate, mid) => party.connection.addCandidate(candidate, mid));
    const answer = await party.connection.createAnswer(await page.offer({ extras: true, stereo: true }));
    party.connection.answerSent();
    await page.accept(answer);
    await until(() => party.connected, "it is connected");
    await expectSound(party, page, true);
    await expectGoodbyeSeen(party, page);
    await page.close();
  }, 60_000);

  test("the engine offers, and the page answers without candidates", async () => {
    const party = new Party(engine, "page");
    const page = await pages.open(() => undefined);
    await party.connection.acceptAnswer(await page.answer(await party.connection.createOffer()));
    await until(() => party.connected, "it is connected");
    await expectSound(party, page, false);
    await expectGoodbyeSeen(party, page);
    await page.close();
  }, 60_000);

  test("the offer's number for Opus is taken, and the bit rate that the channel wants", async () => {
    const party = new Party(engine, "page");
    party.output.setBitrate(24_000);
    const page = await pages.open((candidate, mid) => party.connection.addCandidate(candidate, mid));
    const answer = await party.connection.createAnswer(await page.offer({ payloadType: 121 }));
    expect(answer).toContain("a=rtpmap:121 opus/48000/2");
    party.connection.answerSent();
    await page.accept(answer);
    const tone = playTone(party.output);
    await untilHeard(page);
    const before = await page.figures();
    await pause(4000);
    const after = await page.figures();
    tone.stop();
    const bitrate = (8 * (after.bytesReceived - before.bytesReceived)) / 4;
    expect(bitrate).toBeGreaterThan(12_000);
    expect(bitrate).toBeLessThan(36_000);
    party.connection.close();
    await page.close();
  }, 60_000);

  test("after a pause of seconds it is heard again at once, and the page's buffer has not grown", async () => {
    const party = new Party(engine, "page");
    const page = await pages.open(() => undefined);
    await party.connection.acceptAnswer(await page.answer(await party.connection.createOffer()));
    await until(() => party.connected, "it is connected");
    const first = playTone(party.output);
    await untilHeard(page);
    await pause(3000);
    first.stop();
    await pause(6000);
    const again = playTone(party.output);
    await pause(2000);
    const before = await page.figures();
    await pause(4000);
    await expectHeard(page, false);
    const after = await page.figures();
    again.stop();
    const heldMs =
      (after.jitterBufferMs * after.emitted - before.jitterBufferMs * before.emitted) /
      (after.emitted - before.emitted);
    console.info(
      `after a pause: ${(100 * concealment(before, after)).toFixed(2)} % concealed, ${heldMs.toFixed(0)} ms held`,
    );
    expect(concealment(before, after)).toBeLessThan(MOSTLY_HEARD);
    // Times that did not go on over the pause would have it hold as much as the pause was long. 120 ms on a quiet machine.
    expect(heldMs).toBeLessThan(800);
    party.connection.close();
    await page.close();
  }, 60_000);

  test("ICE is restarted on the connection that there is, and the sound goes on", async () => {
    const party = new Party(engine, "page");
    const page = await pages.open((candidate, mid) => party.connection.addCandidate(candidate, mid));
    const offer = await page.offer();
    expect(party.connection.restart(offer)).toBeNull();
    const answer = await party.connection.createAnswer(offer);
    party.connection.answerSent();
    await page.accept(answer);
    await until(() => party.connected, "it is connected");
    // The same offer again, and another certificate's, are none of a restart.
    expect(party.connection.restart(offer)).toBeNull();
    const tone = playTone(party.output);
    await untilHeard(page);
    const again = await page.restart();
    expect(
      party.connection.restart(again.replace(/(a=fingerprint:sha-256 ).*/, `$1${"AA:".repeat(31)}AA`)),
    ).toBeNull();
    const restarted = await party.connection.restart(again);
    const ufrag = (sdp: string | null): string | undefined => /a=ice-ufrag:(.*)/.exec(sdp ?? "")?.[1];
    expect(ufrag(restarted)).toBeDefined();
    expect(ufrag(restarted)).not.toBe(ufrag(answer));
    party.connection.answerSent();
    await page.accept(restarted!);
    await until(() => party.states.length >= 4, "it is connected again");
    expect(party.states).toEqual(["connecting", "connected", "connecting", "connected"]);
    await pause(1000);
    const before = await page.figures();
    await pause(3000);
    const after = await page.figures();
    tone.stop();
    expect(after.connection).toBe("connected");
    expect(after.packetsReceived - before.packetsReceived).toBeGreaterThan(120);
    party.connection.close();
    await page.close();
  }, 60_000);

  test("a page that has no UDP way connects to us over TCP", async () => {
    const party = new Party(engine, "page");
    const page = await pages.open(() => undefined);
    const offer = await party.connection.createOffer();
    const tcpOnly = offer.replace(/a=candidate:\S+ \d+ UDP .*\r\n/g, "");
    expect(tcpOnly).toMatch(/^a=candidate:.* TCP .* tcptype passive/m);
    await party.connection.acceptAnswer((await page.answer(tcpOnly)).replace(/a=candidate:.*\r\n/g, ""));
    await until(() => party.connected, "it is connected", 15_000);
    await expectSound(party, page, false);
    party.connection.close();
    await page.close();
  }, 60_000);
});
