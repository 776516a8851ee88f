/**
 * A browser's plain RTCPeerConnection for interop tests of engines: no Matrix, no signalling of its own. It says a tone
 * (880 Hz) and measures what it hears.
 */
import { createServer } from "node:http";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";

export const PAGE_TONE_HZ = 880;

/** What the page hears on one channel: strongest frequency and RMS level in dBFS. */
export interface Tone {
  frequency: number;
  levelDb: number;
}

export interface PageFigures {
  totalSamples: number;
  concealed: number;
  packetsReceived: number;
  bytesReceived: number;
  /** Samples that left the jitter buffer. */
  emitted: number;
  packetsLost: number;
  jitterBufferMs: number;
  connection: string;
  /** From receiver reports about the page's stream; null before the first. */
  remoteFractionLost: number | null;
  remoteRoundTripMs: number | null;
}

export class PagePeers {
  readonly #browser: Browser;
  readonly #close: () => void;
  readonly #origin: string;

  private constructor(browser: Browser, origin: string, close: () => void) {
    this.#browser = browser;
    this.#origin = origin;
    this.#close = close;
  }

  static async start(): Promise<PagePeers> {
    const server = createServer((_, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>peer</title>");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the page has no port");
    const browser = await chromium.launch({
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
        "--disable-features=WebRtcHideLocalIpsWithMdns",
        ...["--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required"],
        // Shows real addresses only to who may use a microphone.
        ...["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"],
      ],
      timeout: 30_000,
    });
    return new PagePeers(browser, `http://127.0.0.1:${address.port}/`, () => server.close());
  }

  /** @param onCandidate each candidate as the page finds it. */
  async open(
    onCandidate: (candidate: string, mid: string | null) => void,
    configuration: RTCConfiguration = {},
  ): Promise<PagePeer> {
    const page = await this.#browser.newPage();
    await page.exposeFunction("tellCandidate", onCandidate);
    await page.goto(this.#origin);
    await page.evaluate(
      async ({ hertz, configuration }) => {
        const context = new AudioContext({ sampleRate: 48_000 });
        await context.resume();
        const oscillator = new OscillatorNode(context, { frequency: hertz });
        const gain = new GainNode(context, { gain: 0.25 });
        const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
        oscillator.connect(gain).connect(destination);
        oscillator.start();
        const pc = new RTCPeerConnection(configuration);
        pc.addTrack(destination.stream.getAudioTracks()[0]!, destination.stream);
        const splitter = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
        const analysers = [0, 1].map((output) => {
          const analyser = new AnalyserNode(context, { fftSize: 32_768, smoothingTimeConstant: 0 });
          splitter.connect(analyser, output);
          return analyser;
        });
        pc.ontrack = ({ track }) => {
          const stream = new MediaStream([track]);
          // Chromium only decodes what an element plays.
          const element = new Audio();
          element.muted = true;
          element.srcObject = stream;
          void element.play();
          new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(splitter);
        };
        pc.onicecandidate = ({ candidate }) => {
          if (candidate?.candidate) void window.tellCandidate(candidate.candidate, candidate.sdpMid);
        };
        window.peer = { pc, analysers };
      },
      { hertz: PAGE_TONE_HZ, configuration },
    );
    return new PagePeer(page);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#close();
  }
}

declare global {
  interface Window {
    tellCandidate(candidate: string, mid: string | null): Promise<void>;
    peer: { pc: RTCPeerConnection; analysers: AnalyserNode[] };
    recorded: Float32Array[];
  }
}

export class PagePeer {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** An offer without candidates. @param extras with a video section and a data channel before and after the audio. */
  offer({ extras = false, stereo = false, payloadType = 111 } = {}): Promise<string> {
    return this.#page.evaluate(
      async ({ extras, stereo, payloadType }) => {
        const { pc } = window.peer;
        if (extras) {
          pc.addTransceiver("video");
          pc.createDataChannel("x");
        }
        let { sdp = "" } = await pc.createOffer();
        if (payloadType !== 111)
          sdp = sdp
            .replace(/(m=audio .*) 111\b/, `$1 ${payloadType}`)
            .replace(/(a=(?:rtpmap|fmtp|rtcp-fb)):111 /g, `$1:${payloadType} `);
        // What a description of its own says is what it decodes.
        if (stereo) sdp = sdp.replace("useinbandfec=1", "useinbandfec=1;stereo=1");
        await pc.setLocalDescription({ type: "offer", sdp });
        return sdp;
      },
      { extras, stereo, payloadType },
    );
  }

  /** An answer without candidates. */
  answer(offer: string): Promise<string> {
    return this.#page.evaluate(async (sdp) => {
      const { pc } = window.peer;
      await pc.setRemoteDescription({ type: "offer", sdp });
      const answer = await pc.createAnswer();
      await pc.setLocalDescription(answer);
      return answer.sdp ?? "";
    }, offer);
  }

  /** An offer of the same connection over new ways, without candidates. */
  restart(): Promise<string> {
    return this.#page.evaluate(async () => {
      const { pc } = window.peer;
      await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
      return pc.localDescription?.sdp.replace(/a=candidate:.*\r\n/g, "") ?? "";
    });
  }

  accept(answer: string): Promise<void> {
    return this.#page.evaluate((sdp) => window.peer.pc.setRemoteDescription({ type: "answer", sdp }), answer);
  }

  /** What it hears now, left and right (the last 0.7 s). */
  hears(): Promise<Tone[]> {
    return this.#page.evaluate(() =>
      window.peer.analysers.map((analyser) => {
        const bins = new Float32Array(analyser.frequencyBinCount);
        analyser.getFloatFrequencyData(bins);
        let best = 0;
        bins.forEach((value, bin) => {
          if (value > bins[best]!) best = bin;
        });
        const samples = new Float32Array(analyser.fftSize);
        analyser.getFloatTimeDomainData(samples);
        const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
        return { frequency: (best * 48_000) / analyser.fftSize, levelDb: 10 * Math.log10(power + 1e-12) };
      }),
    );
  }

  figures(): Promise<PageFigures> {
    return this.#page.evaluate(async () => {
      const all = [...(await window.peer.pc.getStats()).values()] as (Record<string, number> & {
        type: string;
        kind?: string;
      })[];
      const of = (type: string): Record<string, number | undefined> =>
        all.find((stats) => stats.type === type && stats.kind === "audio") ?? {};
      const inbound = of("inbound-rtp");
      const remote = of("remote-inbound-rtp");
      return {
        totalSamples: inbound["totalSamplesReceived"] ?? 0,
        concealed: (inbound["concealedSamples"] ?? 0) - (inbound["silentConcealedSamples"] ?? 0),
        packetsReceived: inbound["packetsReceived"] ?? 0,
        bytesReceived: inbound["bytesReceived"] ?? 0,
        emitted: inbound["jitterBufferEmittedCount"] ?? 0,
        packetsLost: inbound["packetsLost"] ?? 0,
        jitterBufferMs:
          (1000 * (inbound["jitterBufferDelay"] ?? 0)) /
          Math.max(1, inbound["jitterBufferEmittedCount"] ?? 1),
        connection: window.peer.pc.connectionState,
        remoteFractionLost: remote["fractionLost"] ?? null,
        remoteRoundTripMs: remote["roundTripTime"] === undefined ? null : remote["roundTripTime"] * 1000,
      };
    });
  }

  /** Keeps what it hears from now on, the mean of both sides. */
  async record(): Promise<void> {
    await this.#page.evaluate(() => {
      const { analysers } = window.peer;
      const context = analysers[0]!.context as AudioContext;
      const node = context.createScriptProcessor(4096, 2, 1);
      window.recorded = [];
      node.onaudioprocess = ({ inputBuffer }) => {
        const [left, right] = [inputBuffer.getChannelData(0), inputBuffer.getChannelData(1)];
        window.recorded.push(Float32Array.from(left, (value, i) => (value + right[i]!) / 2));
      };
      const merger = new ChannelMergerNode(context, { numberOfInputs: 2 });
      analysers.forEach((analyser, side) => analyser.connect(merger, 0, side));
      merger.connect(node);
      const hush = new GainNode(context, { gain: 0 });
      node.connect(hush).connect(context.destination);
    });
  }

  async dropRecorded(): Promise<void> {
    await this.#page.evaluate(() => {
      window.recorded = [];
    });
  }

  /** 48 kHz, mono. */
  async recorded(): Promise<Float32Array> {
    const text = await this.#page.evaluate(() => {
      const all = window.recorded.flatMap((chunk) => [...chunk]);
      const bytes = new Uint8Array(
        Int16Array.from(all, (value) => Math.max(-1, Math.min(1, value)) * 32_767).buffer,
      );
      let out = "";
      for (let at = 0; at < bytes.length; at += 32_768)
        out += String.fromCharCode(...bytes.subarray(at, at + 32_768));
      return btoa(out);
    });
    const bytes = Buffer.from(text, "base64");
    return Float32Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readInt16LE(2 * i) / 32_768);
  }

  /** Says a goodbye, as a page does that leaves properly. */
  async leave(): Promise<void> {
    await this.#page.evaluate(() => window.peer.pc.close());
  }

  async close(): Promise<void> {
    await this.#page.close();
  }
}
