/**
 * The members of a bench in a process of their own, on the bare library: they offer, count what they hear, report every
 * two seconds as browsers do, and speak when told, with the level of RFC 6464 in each packet; else they send what says that
 * silence goes on. Started by members.ts.
 */
import { Encoder } from "@evan/opus";
import { Audio, PeerConnection, type Track } from "node-datachannel";
import { writeSenderReport } from "../../test/support/member/rtp.ts";
import { answerCalls } from "./calls.ts";

const PAYLOAD_TYPE = 111;
const LEVEL_ID = 1;
const LEVEL = `a=extmap:${LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n`;
const OPUS = "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1";
const REPORT_EVERY_FRAMES = 100;
/** Opus in silence says so every 400 ms. */
const DTX_EVERY_FRAMES = 20;
const HEADER_BYTES = 20;

interface Member {
  readonly pc: PeerConnection;
  readonly track: Track;
  readonly ssrc: number;
  readonly packet: Buffer;
  offeredAtMs: number;
  connectedAtMs: number | null;
  firstAtMs: number | null;
  received: number;
  sent: number;
  speaks: boolean;
  reported: { ssrc: number; sequence: number; ntp: number } | null;
}

const members = new Map<string, Member>();
let frames = 0;

/** One second of something like a voice, 37 kbit/s. */
const voice = ((): Uint8Array[] => {
  const encoder = new Encoder({ channels: 1, sample_rate: 48_000, application: "voip" });
  encoder.bitrate = 37_600;
  encoder.vbr = false;
  return Array.from({ length: 50 }, (_, frame) => {
    const pcm = new Int16Array(960);
    for (let i = 0; i < pcm.length; i++) {
      const at = frame * 960 + i;
      const vowel = Math.sin(at / 40) + Math.sin(at / 13) / 2 + Math.sin(at / 7) / 4;
      pcm[i] = 6000 * vowel * (0.6 + 0.4 * Math.sin(at / 4000)) + 300 * (Math.random() - 0.5);
    }
    return Uint8Array.from(encoder.encode(pcm));
  });
})();
const SILENCE = Uint8Array.of(0xf8);

function send(member: Member, payload: Uint8Array, level: number): void {
  if (!member.track.isOpen()) return;
  const { packet } = member;
  member.sent++;
  packet.writeUInt16BE(member.sent & 0xffff, 2);
  packet.writeUInt32BE((frames * 960) >>> 0, 4);
  packet[17] = level;
  packet.set(payload, HEADER_BYTES);
  member.track.sendMessageBinary(packet.subarray(0, HEADER_BYTES + payload.length));
}

function report(member: Member): void {
  if (!member.track.isOpen()) return;
  const about = member.reported && {
    ...{ ssrc: member.reported.ssrc, fractionLost: 0, packetsLost: 0, jitter: 10 },
    ...{ highestSequence: member.reported.sequence, lastReport: member.reported.ntp, sinceLastReport: 1000 },
  };
  const timestamp = (frames * 960) >>> 0;
  member.track.sendMessageBinary(
    writeSenderReport(member.ssrc, Date.now(), timestamp, member.sent, member.sent * 94, about),
  );
}

function hear(member: Member, packet: Buffer): void {
  const type = packet[1]!;
  if (type >= 192 && type <= 223) {
    if (type === 200 && member.reported) member.reported.ntp = packet.readUInt32BE(10);
    return;
  }
  member.firstAtMs ??= performance.timeOrigin + performance.now();
  member.received++;
  member.reported ??= { ssrc: packet.readUInt32BE(8), sequence: 0, ntp: 0 };
  member.reported.sequence = packet.readUInt16BE(2);
}

const startMs = performance.now();
setInterval(() => {
  const due = Math.floor((performance.now() - startMs) / 20);
  if (due - frames > 10) frames = due - 1;
  for (; frames < due; frames++) {
    let index = 0;
    for (const member of members.values()) {
      index++;
      if (member.speaks) send(member, voice[(frames + index) % voice.length]!, 20);
      else if ((frames + index) % DTX_EVERY_FRAMES === 0) send(member, SILENCE, 127);
      if ((frames + index * 7) % REPORT_EVERY_FRAMES === 0) report(member);
    }
  }
}, 20);

function noteConnected(member: Member): void {
  if (member.pc.state() === "connected" && member.track.isOpen())
    member.connectedAtMs ??= performance.timeOrigin + performance.now();
}

async function offer(name: string): Promise<string> {
  const pc = new PeerConnection(name, { iceServers: [], disableAutoNegotiation: true });
  const audio = new Audio("0", "SendRecv");
  const ssrc = Math.floor(Math.random() * 2 ** 32);
  audio.addOpusCodec(PAYLOAD_TYPE, OPUS);
  audio.addSSRC(ssrc, "voice", "voice", "voice");
  const track = pc.addTrack(audio);
  const packet = Buffer.alloc(1500);
  packet.set([0x90, PAYLOAD_TYPE]);
  packet.writeUInt32BE(ssrc, 8);
  packet.set([0xbe, 0xde, 0, 1, LEVEL_ID << 4], 12);
  const member: Member = {
    ...{ pc, track, ssrc, packet, offeredAtMs: 0, connectedAtMs: null, firstAtMs: null },
    ...{ received: 0, sent: 0, speaks: false, reported: null },
  };
  track.onMessage((message) => hear(member, message));
  track.onOpen(() => noteConnected(member));
  pc.onStateChange(() => noteConnected(member));
  members.set(name, member);
  pc.setLocalDescription("offer");
  while (pc.gatheringState() !== "complete") await new Promise((resolve) => setTimeout(resolve, 2));
  const sdp = pc.localDescription()?.sdp ?? "";
  return sdp.replace(/a=rtpmap:/, `${LEVEL}a=rtpmap:`);
}

answerCalls({
  offer: (name: string) => offer(name),
  accept: (name: string, sdp: string) => members.get(name)?.pc.setRemoteDescription(sdp, "answer"),
  speak: (speaks: boolean) => {
    for (const member of members.values()) member.speaks = speaks;
  },
  leave: (name: string) => {
    members.get(name)?.pc.close();
    members.delete(name);
  },
  state: () =>
    [...members].map(([name, member]) => {
      // Both may have come before they were asked for.
      noteConnected(member);
      const { connectedAtMs, firstAtMs, received, sent } = member;
      return { name, connectedAtMs, firstAtMs, received, sent };
    }),
});
