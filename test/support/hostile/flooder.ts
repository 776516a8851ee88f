/**
 * A hostile peer on the library itself, in a process of its own: connects like anybody, then sends what it is told to.
 * Driven by messages: `{offer}`, `{answer: sdp}`, `{flood}`, `{close}`; answers each with `{done, …}`.
 */
import { randomBytes, randomInt } from "node:crypto";
import { Audio, PeerConnection } from "node-datachannel";
import type { Track } from "node-datachannel";
import { writeRtp, writeSenderReport } from "../member/rtp.ts";

export type FloodKind = "stream" | "streams" | "types" | "sizes" | "reports" | "goodbyes" | "junk" | "loud";

export interface Flood {
  kind: FloodKind;
  perSecond: number;
  seconds: number;
}

export type Order =
  { do: "offer" } | { do: "answer"; sdp: string } | { do: "flood"; flood: Flood } | { do: "close" };

const SSRC = 4242;
const SLICE_MS = 5;

let peer: PeerConnection | null = null;
let track: Track | null = null;
let sequence = 0;

/** The next packet of a flood. */
function packet(kind: FloodKind): Buffer {
  sequence++;
  const rtp = (ssrc: number, payloadType: number, size: number): Buffer =>
    writeRtp({ payloadType, sequence, timestamp: sequence * 960, ssrc, payload: randomBytes(size) });
  switch (kind) {
    case "stream":
      return rtp(SSRC, 111, 80);
    case "loud":
      return rtp(SSRC, 111, 1100);
    case "streams":
      sequence = randomInt(65_536);
      return rtp(randomInt(1, 2 ** 32), 111, 80);
    case "types":
      return rtp(SSRC, sequence % 128 === 111 ? 13 : sequence % 128, 80);
    case "sizes":
      return rtp(SSRC, 111, [0, 1, 1175][sequence % 3] ?? 0);
    case "reports":
      return writeSenderReport(SSRC, Date.now() + 1e12, randomInt(2 ** 32 - 1), 2 ** 32 - 1, 2 ** 32 - 1, {
        ...{ ssrc: SSRC, fractionLost: 255, packetsLost: 0x7f_ffff, highestSequence: 2 ** 32 - 1 },
        ...{ jitter: 2 ** 32 - 1, lastReport: 2 ** 32 - 1, sinceLastReport: 2 ** 32 - 1 },
      });
    case "goodbyes": {
      const bytes = Buffer.alloc(8);
      bytes.set([0x81, 203, 0, 1]);
      bytes.writeUInt32BE(SSRC, 4);
      return bytes;
    }
    case "junk": {
      const bytes = randomBytes(randomInt(8, 1100));
      bytes[0] = 0x80 | (bytes[0]! & 0x3f);
      bytes.writeUInt32BE(SSRC, bytes.length >= 12 ? 8 : 4);
      return bytes;
    }
  }
}

async function flood({ kind, perSecond, seconds }: Flood): Promise<number> {
  const startedMs = performance.now();
  let sent = 0;
  let open = true;
  while (open && performance.now() - startedMs < seconds * 1000) {
    const due = Math.floor(((performance.now() - startedMs) / 1000) * perSecond);
    for (; sent < due && open; sent++) {
      try {
        open = track?.isOpen() === true;
        if (open) track?.sendMessageBinary(packet(kind));
      } catch {
        // What the library does not send (a sequence number used before) does no harm either.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, SLICE_MS));
  }
  return sent;
}

async function offer(): Promise<string> {
  close();
  sequence = 0;
  const made = new PeerConnection("flooder", { iceServers: [], disableAutoNegotiation: true });
  peer = made;
  const audio = new Audio("0", "SendRecv");
  audio.addOpusCodec(111);
  audio.addSSRC(SSRC, "flood", "flood", "flood");
  track = made.addTrack(audio);
  track.onMessage(() => {});
  made.setLocalDescription("offer");
  while (made.gatheringState() !== "complete") await new Promise((resolve) => setTimeout(resolve, 5));
  return made.localDescription()?.sdp ?? "";
}

async function answer(sdp: string): Promise<boolean> {
  peer?.setRemoteDescription(sdp, "answer");
  for (let waited = 0; waited < 10_000; waited += 10) {
    if (track?.isOpen() === true) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

function close(): void {
  peer?.close();
  peer = null;
  track = null;
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case "offer":
      return offer();
    case "answer":
      return answer(order.sdp);
    case "flood":
      return flood(order.flood);
    case "close":
      return close();
  }
}

process.on("message", (order: Order) => {
  const run = async (): Promise<void> => {
    const result = await obey(order);
    process.send?.({ result: result ?? null });
  };
  void run();
});
process.on("disconnect", () => process.exit(0));
