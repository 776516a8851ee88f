/**
 * A member that costs next to nothing, so that many fit in one process: it connects to the bot alone, decodes nothing,
 * sends silence, and speaks the web client's dialect by the letter (one offer, never repeated; whoever's JOINED is older
 * than 20 s is not there).
 */
import { callStateType, matrixRequest, type MatrixEvent } from "../people.ts";
import { Connection, type Ear } from "../member/connection.ts";
import type { RtpPacket } from "../member/rtp.ts";
import type { HearingStats } from "../member/types.ts";
import type { CrowdMemberConfig, CrowdMemberState } from "./types.ts";

const SIGNAL = "de.mtorials.test.call";
const REFRESH_MS = 15_000;
const FRESH_MS = 20_000;
/** Opus: one frame of 20 ms, nothing in it. */
const SILENCE = new Uint8Array([0xf8, 0xff, 0xfe]);

/** Counts what comes. */
class Counter implements Ear {
  firstMs: number | null = null;
  lastMs: number | null = null;
  packets = 0;
  longestGapMs = 0;

  take(_packet: RtpPacket, nowMs: number): void {
    this.firstMs ??= nowMs;
    if (this.lastMs !== null) this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.lastMs);
    this.lastMs = nowMs;
    this.packets++;
  }

  report(): null {
    return null;
  }

  stats(): HearingStats {
    const unknown = { packetsLost: 0, packetsLate: 0, undecodable: 0, jitterMs: 0 };
    return {
      ...unknown,
      packetsExpected: this.packets,
      packetsReceived: this.packets,
      lastPacketMs: this.lastMs,
    };
  }
}

export class LightMember {
  readonly config: CrowdMemberConfig;
  readonly #botKeys: ReadonlySet<string>;
  readonly #complain: (error: unknown) => void;
  readonly #ear = new Counter();
  /** The bot's last JOINED by its timestamp; null: not there. */
  #bot: { key: string; stampMs: number } | null = null;
  #connection: Connection | null = null;
  #connections = 0;
  #timers: NodeJS.Timeout[] = [];
  #joinedAtMs: number | null = null;
  #offeredAtMs: number | null = null;
  #answeredAtMs: number | null = null;
  #forgotten = 0;
  #frames = 0;
  #transaction = 0;

  constructor(config: CrowdMemberConfig, botKeys: ReadonlySet<string>, complain: (error: unknown) => void) {
    this.config = config;
    this.#botKeys = botKeys;
    this.#complain = complain;
  }

  /** JOINED, and an offer to the bot if it is there. Resolves when they are with the homeserver. */
  async join(): Promise<void> {
    if (this.#timers.length > 0) return;
    await this.#put("JOINED");
    this.#joinedAtMs = Date.now();
    this.#timers = [
      setInterval(() => void this.#guard(() => this.#put("JOINED")), REFRESH_MS),
      setInterval(() => {
        if (this.#bot && Date.now() - this.#bot.stampMs > FRESH_MS) this.#forgotten++;
      }, FRESH_MS),
    ];
    const bot = this.#bot;
    if (!bot || Date.now() - bot.stampMs > FRESH_MS) return;
    const [onState, fail] = [() => {}, this.#complain];
    const { connection, sdp } = await Connection.offer(this.#ear, onState, fail);
    this.#replace(connection);
    await this.#signal("offer", bot.key, sdp);
    this.#offeredAtMs = Date.now();
  }

  async leave(): Promise<void> {
    this.close();
    await this.#put("LEFT");
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#connection?.close();
    this.#connection = null;
  }

  handle(event: MatrixEvent): void {
    if (event.roomId !== this.config.roomId) return;
    const { content } = event;
    if (event.type === callStateType && this.#botKeys.has(event.stateKey ?? "")) {
      const key = event.stateKey ?? "";
      if (content["join_state"] === "JOINED") this.#bot = { key, stampMs: Number(content["timestamp"]) };
      else {
        this.#bot = null;
        this.#connection?.close();
      }
    }
    if (event.type !== SIGNAL || content["receiver"] !== this.config.key || this.#timers.length === 0) return;
    void this.#guard(() => this.#onSignal(content));
  }

  /** Sends the next 20 ms. */
  tick(): void {
    this.#frames++;
    this.#connection?.send(SILENCE, (this.#frames * 960) >>> 0);
  }

  mark(): void {
    this.#ear.longestGapMs = 0;
  }

  state(): CrowdMemberState {
    const ear = this.#ear;
    const sinceLastMs = ear.lastMs === null ? 0 : Date.now() - ear.lastMs;
    return {
      key: this.config.key,
      roomId: this.config.roomId,
      joinedAtMs: this.#joinedAtMs,
      offeredAtMs: this.#offeredAtMs,
      answeredAtMs: this.#answeredAtMs,
      firstPacketAtMs: ear.firstMs,
      lastPacketAtMs: ear.lastMs,
      packets: ear.packets,
      longestGapMs: Math.max(ear.longestGapMs, sinceLastMs),
      connections: this.#connections,
      connection: this.#connection?.state ?? "none",
      forgotten: this.#forgotten,
    };
  }

  async #onSignal(content: MatrixEvent["content"]): Promise<void> {
    const { rtc_type: type, sender, body } = content;
    if (typeof sender !== "string" || !this.#botKeys.has(sender)) return;
    const { sdp } = JSON.parse(String(body)) as { sdp: string };
    if (type === "answer") {
      this.#answeredAtMs ??= Date.now();
      this.#connection?.accept(sdp);
    }
    if (type === "offer") {
      const { connection, sdp: answer } = await Connection.answer(sdp, this.#ear, () => {}, this.#complain);
      this.#replace(connection);
      await this.#signal("answer", sender, answer);
    }
  }

  #replace(connection: Connection): void {
    this.#connection?.close();
    this.#connection = connection;
    this.#connections++;
  }

  async #put(joinState: "JOINED" | "LEFT"): Promise<void> {
    const { session, roomId, key } = this.config;
    const path = [roomId, "state", callStateType, key].map((part) => encodeURIComponent(part)).join("/");
    const content = { join_state: joinState, timestamp: Date.now() };
    await matrixRequest(session, "PUT", `/_matrix/client/v3/rooms/${path}`, content);
  }

  async #signal(type: "offer" | "answer", receiver: string, sdp: string): Promise<void> {
    const { session, roomId, key } = this.config;
    const transaction = `${process.pid}.${Date.now()}.${this.#transaction++}`;
    const path = [roomId, "send", SIGNAL, transaction].map((part) => encodeURIComponent(part)).join("/");
    const body = JSON.stringify({ type, sdp });
    const content = { rtc_type: type, sender: key, receiver, body };
    await matrixRequest(session, "PUT", `/_matrix/client/v3/rooms/${path}`, content);
  }

  async #guard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#complain(error);
    }
  }
}
