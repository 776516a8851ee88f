/** One connection of a headless member, on lib An exception in one of its callbacks would end the process. */
import { randomBytes } from "node:crypto";
import { Audio, PeerConnection, type Track } from "node-datachannel";
import { z } from "zod";
import type { Hearing } from "./hearing.ts";
import { isRtcp, readRtcp, readRtp, writeRtp, writeSenderReport } from "./rtp.ts";
import type { MemberPeerStats } from "./types.ts";

const GATHER_MS = 2_000;
const REPORT_MS = 2_000;
const OPUS = "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1";

const iceServers = z.array(z.string()).parse(JSON.parse(process.env["VOICE_MEMBER_ICE_SERVERS"] ?? "[]"));

export type Candidate = { readonly candidate: string; readonly sdpMid: string };

/** Who takes the packets that come. */
export type Ear = Pick<Hearing, "take" | "stats" | "report">;

export class Connection {
  readonly #pc: PeerConnection;
  readonly #track: Track;
  readonly #payloadType: number;
  readonly #ssrc = randomBytes(4).readUInt32BE(0);
  readonly #hearing: Ear;
  readonly #queue: Candidate[] = [];
  readonly #fail: (error: unknown) => void;
  readonly #reports: NodeJS.Timeout;
  #closed = false;
  #state = "new";
  #remote = false;
  #sequence = randomBytes(2).readUInt16BE(0);
  #sent = { packets: 0, octets: 0, timestamp: 0 };
  #theirReport: { ntp: number; atMs: number } | null = null;
  #aboutUs: ReturnType<typeof readRtcp>["aboutUs"] = null;

  private constructor(
    mid: string,
    payloadType: number,
    hearing: Ear,
    onState: (state: string) => void,
    fail: (error: unknown) => void,
  ) {
    this.#payloadType = payloadType;
    this.#hearing = hearing;
    this.#fail = fail;
    this.#pc = new PeerConnection("member", { iceServers, disableAutoNegotiation: true });
    this.#pc.onStateChange((state) =>
      this.#guard(() => {
        this.#state = state;
        onState(state);
      }),
    );
    const audio = new Audio(mid, "SendRecv");
    audio.addOpusCodec(payloadType, OPUS);
    audio.addSSRC(this.#ssrc, "voice", "voice", "voice");
    this.#track = this.#pc.addTrack(audio);
    this.#track.onMessage((message) => this.#guard(() => this.#receive(message)));
    this.#reports = setInterval(() => this.#guard(() => this.#report()), REPORT_MS);
  }

  /** A connection that offers; the description has all candidates in it. */
  static async offer(
    hearing: Ear,
    onState: (state: string) => void,
    fail: (error: unknown) => void,
  ): Promise<{ connection: Connection; sdp: string }> {
    const connection = new Connection("0", 111, hearing, onState, fail);
    connection.#pc.setLocalDescription("offer");
    return { connection, sdp: await connection.#gathered() };
  }

  /** A connection that answers an offer; the description has all candidates in it. */
  static async answer(
    offer: string,
    hearing: Ear,
    onState: (state: string) => void,
    fail: (error: unknown) => void,
  ): Promise<{ connection: Connection; sdp: string }> {
    const mid = /^a=mid:(.+?)\r?$/m.exec(offer)?.[1];
    const payloadType = /^a=rtpmap:(\d+) opus\/48000/im.exec(offer)?.[1];
    if (mid === undefined || payloadType === undefined) throw new Error("no Opus in the offer");
    const connection = new Connection(mid, Number(payloadType), hearing, onState, fail);
    try {
      connection.#setRemote(offer, "offer");
      connection.#pc.setLocalDescription("answer");
      return { connection, sdp: await connection.#gathered() };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  get state(): string {
    return this.#closed ? "closed" : this.#state;
  }

  /** Whether the other side has described itself. */
  get answered(): boolean {
    return this.#remote;
  }

  accept(answer: string): void {
    if (this.#closed || this.#remote) return;
    this.#setRemote(answer, "answer");
  }

  /** May come at any time; waits for the remote description. */
  addCandidate(candidate: Candidate): void {
    if (this.#closed) return;
    if (this.#remote) this.#pc.addRemoteCandidate(candidate.candidate, candidate.sdpMid);
    else if (this.#queue.length < 64) this.#queue.push(candidate);
  }

  send(payload: Uint8Array, timestamp: number): void {
    if (this.#closed || !this.#track.isOpen()) return;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#track.sendMessageBinary(
      writeRtp({
        payloadType: this.#payloadType,
        sequence: this.#sequence,
        timestamp,
        ssrc: this.#ssrc,
        payload,
      }),
    );
    this.#sent = {
      packets: this.#sent.packets + 1,
      octets: this.#sent.octets + payload.length,
      timestamp,
    };
  }

  stats(): MemberPeerStats {
    return {
      ...this.#hearing.stats(),
      packetsSent: this.#sent.packets,
      remotePacketsLost: this.#aboutUs?.packetsLost ?? null,
      remoteFractionLost: this.#aboutUs?.fractionLost ?? null,
      roundTripMs: this.#aboutUs?.roundTripMs ?? null,
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#reports);
    this.#pc.close();
  }

  #setRemote(sdp: string, type: "offer" | "answer"): void {
    this.#pc.setRemoteDescription(sdp, type);
    this.#remote = true;
    for (const candidate of this.#queue.splice(0))
      this.#guard(() => this.#pc.addRemoteCandidate(candidate.candidate, candidate.sdpMid));
  }

  async #gathered(): Promise<string> {
    const deadline = performance.now() + GATHER_MS;
    while (this.#pc.gatheringState() !== "complete" && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const description = this.#pc.localDescription();
    if (!description) throw new Error("no local description");
    return description.sdp;
  }

  #receive(message: Buffer): void {
    if (this.#closed) return;
    const nowMs = performance.timeOrigin + performance.now();
    if (isRtcp(message)) {
      const news = readRtcp(message, this.#ssrc, nowMs);
      if (news.senderReport !== null) this.#theirReport = { ntp: news.senderReport, atMs: nowMs };
      if (news.aboutUs) this.#aboutUs = news.aboutUs;
      return;
    }
    const packet = readRtp(message);
    if (packet?.payloadType === this.#payloadType) this.#hearing.take(packet, nowMs);
  }

  #report(): void {
    if (this.#closed || !this.#track.isOpen() || this.#sent.packets === 0) return;
    const nowMs = performance.timeOrigin + performance.now();
    const last = this.#theirReport;
    const since = last ? Math.round(((nowMs - last.atMs) * 65_536) / 1000) : 0;
    const report = this.#hearing.report(last?.ntp ?? 0, since);
    const { packets, octets, timestamp } = this.#sent;
    this.#track.sendMessageBinary(writeSenderReport(this.#ssrc, nowMs, timestamp, packets, octets, report));
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }
}
