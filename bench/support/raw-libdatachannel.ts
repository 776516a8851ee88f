/**
 * The baseline: the work of the bot on the bare library, with none of its code. A member's offer is answered; a room's music
 * is decoded by an ffmpeg of its own at its pace, encoded once by the same encoder with the same settings, and sent to each; what
 * members send is counted, or kept and written once a second; each member gets a report as often as from the bot.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import { Encoder } from "@evan/opus";
import { Audio, PeerConnection, type Track } from "node-datachannel";
import { answerCalls } from "./calls.ts";

const FRAME_BYTES = 3840;
const SSRC = 0x1234;
/** The mean of RFC 3550's spread of 2.5 to 7.5 s. */
const REPORT_MS = 5000;

interface Peer {
  readonly pc: PeerConnection;
  readonly track: Track;
  readonly kept: Buffer[];
  file: WriteStream | null;
}

interface Room {
  readonly peers: Peer[];
  directory: string | null;
  ffmpeg: ChildProcess | null;
}

const rooms = new Map<string, Room>();
const room = (name: string): Room => {
  const known = rooms.get(name) ?? { peers: [], directory: null, ffmpeg: null };
  rooms.set(name, known);
  return known;
};

/** 52 bytes of a sender report with one block, and 16 of its CNAME. */
function senderReport(): Buffer {
  const report = Buffer.alloc(68);
  report.set([0x81, 200, 0, 12], 0);
  report.writeUInt32BE(SSRC, 4);
  report.writeUInt32BE(Math.floor(Date.now() / 1000) + 2_208_988_800, 8);
  report.writeUInt32BE(1, 28);
  report.set([0x81, 202, 0, 3], 52);
  report.writeUInt32BE(SSRC, 56);
  report.set([1, 5, 0x76, 0x6f, 0x69, 0x63, 0x65], 60);
  return report;
}

async function answer(name: string, member: string, offer: string): Promise<string> {
  const pc = new PeerConnection(member, { iceServers: [] });
  const audio = new Audio("0", "SendRecv");
  audio.addOpusCodec(111);
  audio.addSSRC(SSRC, "raw");
  const { peers } = room(name);
  const peer: Peer = { pc, track: pc.addTrack(audio), kept: [], file: null };
  peers.push(peer);
  peer.track.onMessage((packet) => {
    if (room(name).directory !== null) peer.kept.push(packet);
  });
  pc.setRemoteDescription(offer, "offer");
  while (pc.gatheringState() !== "complete") await new Promise((resolve) => setTimeout(resolve, 2));
  return pc.localDescription()?.sdp ?? "";
}

function play(name: string, file: string): void {
  const { peers } = room(name);
  const encoder = new Encoder({ channels: 2, sample_rate: 48_000, application: "audio" });
  encoder.bitrate = 128_000;
  encoder.inband_fec = true;
  encoder.packet_loss = 3;
  const args = ["-nostdin", "-loglevel", "error", "-threads", "1", "-i", file, "-f", "s16le", "-ar", "48000"];
  const ffmpeg = spawn("ffmpeg", [...args, "-ac", "2", "pipe:1"], { stdio: ["ignore", "pipe", "ignore"] });
  room(name).ffmpeg = ffmpeg;
  const packet = Buffer.alloc(1500);
  packet.set([0x80, 111]);
  packet.writeUInt32BE(SSRC, 8);
  const startMs = performance.now();
  let sent = 0;
  const frame = (): void => {
    while (performance.now() - startMs >= sent * 20) {
      const pcm = ffmpeg.stdout.read(FRAME_BYTES) as Buffer | null;
      if (pcm !== null && pcm.length === FRAME_BYTES) {
        const opus = encoder.encode(pcm);
        packet.writeUInt16BE(sent & 0xffff, 2);
        packet.writeUInt32BE((sent * 960) >>> 0, 4);
        packet.set(opus, 12);
        const whole = packet.subarray(0, 12 + opus.length);
        for (const { track } of peers) if (track.isOpen()) track.sendMessageBinary(whole);
      }
      sent++;
    }
    setTimeout(frame, Math.max(0, sent * 20 - (performance.now() - startMs)));
  };
  ffmpeg.stdout.once("readable", frame);
}

setInterval(() => {
  const turn = Math.floor(performance.now() / 1000);
  let index = 0;
  for (const { peers, directory } of rooms.values()) {
    for (const peer of peers) {
      index++;
      if (directory !== null && peer.kept.length > 0) {
        peer.file ??= createWriteStream(join(directory, `${index}.raw`));
        peer.file.write(Buffer.concat(peer.kept.splice(0)));
      }
      if ((turn + index) % (REPORT_MS / 1000) === 0 && peer.track.isOpen())
        peer.track.sendMessageBinary(senderReport());
    }
  }
}, 1000);

process.on("exit", () => {
  for (const { ffmpeg } of rooms.values()) ffmpeg?.kill("SIGKILL");
});

// As the media child: at this priority threads wake each other more often.
try {
  setPriority(-10);
} catch {
  // Nor may the media child, then.
}

answerCalls({
  answer,
  play,
  record: (name: string, directory: string) => {
    room(name).directory = directory;
  },
});
