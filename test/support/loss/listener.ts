// One listener behind a way that loses packets: the bot's media child plays a track, a Chromium hears it. The firewall of
// the network namespace that this process is in drops what it is told to; never call it outside of one.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { silentLog } from "../../../src/base/log.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import type { PeerStats, PlaneResult } from "../../../src/media/messages.ts";
import { SupervisedPlane } from "../../../src/media/supervisor.ts";
import { correlate } from "../correlate.ts";
import type { Pcm } from "../measure.ts";
import type { PageFigures, PagePeer, PagePeers } from "../page-peer.ts";

export type Protection = "off" | "fec" | "red";

export interface LossCase {
  /** Of the packets to the listener, 0 to 1. */
  readonly loss: number;
  readonly firstPort: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly track: string;
  /**
   * `off`: the listener's reports are lost, so the bot knows of nothing. `fec`: it takes no redundant packets. `red`: as a
   * Chromium is.
   */
  readonly protection: Protection;
}

export interface LossFigures {
  /** Share of the samples heard that were made up. */
  readonly concealed: number;
  /** Of a quarter of a second of what was heard with the file, 0 to 1: mean, and mean of the worst tenth. */
  readonly correlation: number;
  readonly worstTenth: number;
  /** Sent to it, with all headers. */
  readonly kbits: number;
  /** Of the media child, in cores; ffmpeg is another process. */
  readonly cpu: number;
  readonly jitterBufferMs: number;
  /** At the end. */
  readonly lossReported: number | null;
  readonly redundancy: number | null;
  readonly encoder: PlaneResult<"stats">["encoder"];
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const PORTS = 10;
/** Version 2 and a type from 200 to 207 (RFC 5761 section 4) behind the IP and UDP headers. */
const IS_RTCP = "0>>22&0x3C@8&0xC0F80000=0x80C80000";

export async function listen(pages: PagePeers, reference: Pcm, options: LossCase): Promise<LossFigures> {
  const { loss, protection, firstPort, warmUpMs, measureMs, track } = options;
  const plane = new SupervisedPlane({ clock: systemClock, log: silentLog, ffmpegPath: null });
  const page = await pages.open((candidate, mid) => {
    void plane
      .request({ kind: "peer.candidate", channel: "c", peer: "p", candidate, mid })
      .catch(() => undefined);
  });
  try {
    const lastPort = firstPort + PORTS - 1;
    const ice = {
      servers: [],
      allowPrivate: "true" as const,
      portRange: [firstPort, lastPort] as [number, number],
    };
    await plane.request({ kind: "channel.open", channel: "c", ice, bitrate: 128_000 });
    const ports = `${firstPort}:${lastPort}`;
    firewall("-A", "OUTPUT", "-p", "udp", "--sport", ports);
    if (protection === "off")
      firewall("-A", "INPUT", "-p", "udp", "--dport", ports, "-m", "u32", "--u32", IS_RTCP, "-j", "DROP");
    let offer = await page.offer({ stereo: true });
    if (protection !== "red")
      offer = offer.replace(/(m=audio .*) 63\b/, "$1").replace(/a=(?:rtpmap|fmtp):63 .*\r\n/g, "");
    const { sdp } = await plane.request({ kind: "peer.answer", channel: "c", peer: "p", sdp: offer });
    await page.accept(sdp);
    await plane.request({ kind: "peer.answered", channel: "c", peer: "p" });
    for (let i = 0; i < 100 && (await page.figures()).connection !== "connected"; i++) await sleep(100);
    if (loss > 0)
      firewall(
        "-A",
        "INPUT",
        "-p",
        "udp",
        "--sport",
        ports,
        "-m",
        "statistic",
        "--mode",
        "random",
        "--probability",
        String(loss),
        "-j",
        "DROP",
      );
    await page.record();
    await plane.request({
      kind: "play.start",
      channel: "c",
      track: "t",
      source: { path: track },
      positionMs: 0,
      paused: false,
    });
    await sleep(warmUpMs);
    const before = await measure(page, plane, ports);
    await page.dropRecorded();
    await sleep(measureMs);
    const after = await measure(page, plane, ports);
    const heard = await page.recorded();
    const match = correlate(heard, reference.samples, 48_000, { segmentMs: 250 });
    const values = match.segments.map(({ correlation }) => correlation).sort((a, b) => a - b);
    const seconds = (after.atMs - before.atMs) / 1000;
    const of = (key: keyof PageFigures): number => Number(after.page[key]) - Number(before.page[key]);
    return {
      concealed: of("concealed") / of("totalSamples"),
      correlation: mean(values),
      worstTenth: mean(values.slice(0, Math.ceil(values.length / 10))),
      kbits: ((after.bytes - before.bytes) * 8) / seconds / 1000,
      cpu: (after.cpuMs - before.cpuMs) / seconds / 1000,
      jitterBufferMs: after.page.jitterBufferMs,
      lossReported: after.peer?.lossRecently ?? null,
      redundancy: after.peer?.redundancy ?? null,
      encoder: after.encoder,
    };
  } finally {
    await plane.close();
    await page.close();
  }
}

interface Moment {
  atMs: number;
  page: PageFigures;
  peer: PeerStats | undefined;
  bytes: number;
  cpuMs: number;
  encoder: PlaneResult<"stats">["encoder"];
}

async function measure(page: PagePeer, plane: SupervisedPlane, ports: string): Promise<Moment> {
  const { peers, encoder } = await plane.request({ kind: "stats", channel: "c" });
  return {
    atMs: performance.now(),
    page: await page.figures(),
    peer: peers[0],
    encoder,
    bytes: bytesFrom(ports),
    cpuMs: plane.childPid === null ? NaN : cpuMs(plane.childPid),
  };
}

/** User and system time of a process, ms (proc(5): in ticks of 10 ms). */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** What left from these ports, IP and UDP headers included. */
function bytesFrom(ports: string): number {
  const line = firewall("-L", "OUTPUT", "-n", "-v", "-x")
    .split("\n")
    .find((each) => each.includes(`spts:${ports}`));
  return Number(line?.trim().split(/\s+/)[1]);
}

function firewall(...args: string[]): string {
  return execFileSync("iptables", ["-w", ...args], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
