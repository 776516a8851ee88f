// The page's control panel for test/support/browser.ts: `window.voiceMember`.
import { Client } from "./client.js";
import { Hearing, Voice } from "./audio.js";

let client = null;
let voice = null;
let context = null;
/** The same voice under other identities: key → Client. */
const others = new Map();
/** key → Hearing; outlives connections. */
const hearings = new Map();

globalThis.voiceMember = {
  /** Gets to know the room; joins nothing yet. `config`: see client.js. */
  async start(config) {
    context = new AudioContext({ sampleRate: 48_000, latencyHint: "playback" });
    await context.audioWorklet.addModule("/recorder-worklet.js");
    await context.resume();
    voice = new Voice(context);
    client = new Client(config, voice.stream, (key, stream) => {
      const hearing = hearings.get(key) ?? new Hearing(context);
      hearings.set(key, hearing);
      hearing.listen(stream);
    });
    await client.start();
  },
  join: () => client.join(),
  /** Joins as somebody else, too, with the same voice over connections of its own; nothing is kept of what is heard there. */
  async also(config) {
    const other = new Client(config, voice.stream, () => {});
    others.set(config.key, other);
    await other.start();
    await other.join();
  },
  alsoState: (key) => others.get(key)?.state() ?? null,
  leave: () => client.leave(),
  speak: (signal) => voice.speak(signal),
  silence: () => voice.silence(),
  state: () => client.state(),
  errors: () => client.errors,
  log: () => client.log,
  now: () => Date.now(),
  /** Float32 (little endian) in base64. */
  heard(key, sinceMs, channels) {
    const hearing = hearings.get(key);
    if (!hearing) return null;
    const { startMs, sampleRate, samples } = hearing.pcm(sinceMs, channels);
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    return { startMs, sampleRate, base64: bytes.toBase64?.() ?? encode(bytes) };
  },
  /** Figures of the connection to a member, or null; counters count from the connection's beginning. */
  async stats(key) {
    const pc = client.connection(key);
    if (!pc) return null;
    const reports = [...(await pc.getStats()).values()];
    const inbound = reports.find((report) => report.type === "inbound-rtp" && report.kind === "audio");
    const outbound = reports.find((report) => report.type === "outbound-rtp" && report.kind === "audio");
    const remote = reports.find((report) => report.type === "remote-inbound-rtp" && report.kind === "audio");
    const codec = reports.find((report) => report.id === inbound?.codecId);
    const transport = reports.find((report) => report.type === "transport");
    const pair = reports.find((report) => report.id === transport?.selectedCandidatePairId);
    const delay = inbound?.jitterBufferEmittedCount
      ? (inbound.jitterBufferDelay / inbound.jitterBufferEmittedCount) * 1000
      : 0;
    return {
      totalSamplesReceived: inbound?.totalSamplesReceived ?? 0,
      concealedSamples: inbound?.concealedSamples ?? 0,
      silentConcealedSamples: inbound?.silentConcealedSamples ?? 0,
      concealmentEvents: inbound?.concealmentEvents ?? 0,
      insertedSamples: inbound?.insertedSamplesForDeceleration ?? 0,
      removedSamples: inbound?.removedSamplesForAcceleration ?? 0,
      jitterBufferMs: delay,
      jitterBufferDelayMs: (inbound?.jitterBufferDelay ?? 0) * 1000,
      jitterBufferEmitted: inbound?.jitterBufferEmittedCount ?? 0,
      jitterMs: (inbound?.jitter ?? 0) * 1000,
      packetsReceived: inbound?.packetsReceived ?? 0,
      packetsLost: inbound?.packetsLost ?? 0,
      bytesReceived: inbound?.bytesReceived ?? 0,
      audioLevel: inbound?.audioLevel ?? 0,
      codec: codec ? `${codec.mimeType} ${codec.payloadType} ${codec.sdpFmtpLine ?? ""}`.trim() : null,
      packetsSent: outbound?.packetsSent ?? 0,
      /** What the other side reports of our packets; null until it reported. */
      remotePacketsLost: remote?.packetsLost ?? null,
      remoteFractionLost: remote?.fractionLost ?? null,
      roundTripMs: roundTrip(remote?.roundTripTime ?? pair?.currentRoundTripTime),
      iceRoundTripMs: roundTrip(pair?.currentRoundTripTime),
    };
  },
  /** Local and remote description of the connection to a member. */
  descriptions(key) {
    const pc = client.connection(key);
    return pc ? { local: pc.localDescription?.sdp ?? null, remote: pc.remoteDescription?.sdp ?? null } : null;
  },
};

function roundTrip(seconds) {
  return seconds === undefined ? null : seconds * 1000;
}

function encode(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000)
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

setInterval(() => {
  document.querySelector("#state").textContent = JSON.stringify(client?.state() ?? null, null, 2);
}, 1_000);
