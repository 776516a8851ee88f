import { BotError } from "../../../src/base/errors.ts";
import type { Timer } from "../../../src/base/clock.ts";
import { MEMBERSHIP_TYPE, SIGNAL_TYPE } from "../../../src/channel/ports.ts";
import type { ChannelRoomEvent, ChannelTransport } from "../../../src/channel/ports.ts";
import type { FakeClock } from "../../fakes/clock.ts";
import type { FakeRoom } from "../../fakes/room.ts";
import { FakeConnection } from "../../fakes/wire.ts";

/*
 * Strict members of both dialects in a fake room, with the weaknesses that docs/PROTOCOL.md names. They share nothing with
 * the bot's code, and nobody repairs anything on their side: what becomes of them is the bot's work.
 */
export interface Dialect {
  readonly name: "web" | "readme";
  /** An event of ours is lost for ever, as after a 429 that nobody repeats. */
  readonly loses: () => boolean;
}

interface Link {
  connection: FakeConnection;
  /** Our offer is out, theirs was answered or ours was. */
  signaling: "have-local-offer" | "stable";
}

const RULES = {
  web: { refreshMs: 15_000, lifeMs: 20_000, sweepMs: 20_000 },
  readme: { refreshMs: 5000, lifeMs: 10_000, sweepMs: 500 },
} as const;

export class DialectMember {
  readonly userId: string;
  readonly key: string;
  readonly dialect: Dialect["name"];
  /** What it could not read or use. */
  errors = 0;
  readonly #clock: FakeClock;
  readonly #loses: () => boolean;
  readonly #transport: ChannelTransport;
  readonly #endSync: () => void;
  readonly #members = new Map<string, { timestamp: unknown; seenMs: number }>();
  readonly #newest = new Map<string, number>();
  readonly #links = new Map<string, Link>();
  #timers: Timer[] = [];
  #joined = false;

  constructor(room: FakeRoom, clock: FakeClock, name: string, dialect: Dialect) {
    this.#clock = clock;
    this.#loses = dialect.loses;
    this.dialect = dialect.name;
    this.userId = `@${name}:hs`;
    this.key = dialect.name === "web" ? `Browser ${name}` : `PHONE@${name}:hs`;
    this.#transport = room.transport(this.userId);
    this.#endSync = room.sync({ handle: (event) => this.#receive(event) });
  }

  get joined(): boolean {
    return this.#joined;
  }

  get peers(): string[] {
    return [...this.#links.keys()].sort();
  }

  /** Whether media flows to this key and back. */
  connectedTo(key: string): boolean {
    const connection = this.#links.get(key)?.connection;
    return connection?.state === "connected" && connection.partner?.state === "connected";
  }

  /** JOINED, awaited, then an offer to everybody who is rendered. */
  async join(): Promise<void> {
    if (this.#joined) return;
    this.#joined = true;
    const { refreshMs, sweepMs } = RULES[this.dialect];
    this.#every(refreshMs, () => void this.#put("JOINED"));
    this.#every(sweepMs, () => this.#expire());
    await this.#put("JOINED");
    for (const key of [...this.#members.keys()]) if (this.#joined) await this.#offer(key);
  }

  async leave(): Promise<void> {
    if (!this.#joined) return;
    this.#stop();
    for (const key of [...this.#links.keys()]) this.#close(key);
    await this.#put("LEFT");
  }

  /** The page is gone without a word. */
  crash(): void {
    this.#stop();
    for (const { connection } of this.#links.values()) connection.vanish();
    this.#links.clear();
  }

  close(): void {
    this.#endSync();
    this.crash();
  }

  // --- what comes

  #receive(event: ChannelRoomEvent): void {
    if (event.type === MEMBERSHIP_TYPE) this.#onState(event);
    if (event.type === SIGNAL_TYPE && event.origin === "live" && this.#joined) this.#onSignal(event);
  }

  #onState({ stateKey: key, originServerTs, content }: ChannelRoomEvent): void {
    if (key === null || key === this.key) return;
    if (originServerTs < (this.#newest.get(key) ?? 0)) return;
    this.#newest.set(key, originServerTs);
    const { join_state: joinState, timestamp } = content as Record<string, unknown>;
    if (joinState === "JOINED") this.#members.set(key, { timestamp, seenMs: this.#clock.now() });
    if (joinState === "LEFT") {
      this.#members.delete(key);
      this.#close(key);
    }
  }

  #expire(): void {
    const { lifeMs } = RULES[this.dialect];
    for (const [key, { timestamp, seenMs }] of this.#members) {
      if (this.dialect === "web") {
        // By the time in the event; a string never expires; the connection stays open.
        if (typeof timestamp === "number" && this.#clock.wall() - timestamp > lifeMs)
          this.#members.delete(key);
      } else if (this.#clock.now() - seenMs > lifeMs) {
        this.#members.delete(key);
        this.#close(key);
      }
    }
  }

  #onSignal({ content }: ChannelRoomEvent): void {
    const { rtc_type: type, sender, receiver, body } = content as Record<string, unknown>;
    if (typeof sender !== "string" || sender === this.key || !this.#members.has(sender)) return;
    if (receiver !== this.key && !(this.dialect === "readme" && type === "candidate")) return;
    if (type !== "offer" && type !== "answer") return;
    const sdp = this.#read(body);
    if (sdp === null) {
      this.errors++;
      return;
    }
    const link = this.#links.get(sender);
    if (type === "answer") {
      if (link?.signaling !== "have-local-offer") this.errors++;
      else if (this.#try(() => link.connection.setRemote(sdp))) link.signaling = "stable";
      return;
    }
    // A browser rolls its own offer back; what it had with that peer gives way to the new description.
    link?.connection.vanish();
    const connection = this.#connection();
    this.#links.set(sender, { connection, signaling: "stable" });
    if (this.#try(() => connection.setRemote(sdp))) {
      void this.#describe("answer", sender, connection.describe("active"));
    }
  }

  #read(body: unknown): string | null {
    if (typeof body !== "string") return null;
    if (this.dialect === "readme") return body.startsWith("v=0") ? body : null;
    try {
      const { sdp } = JSON.parse(body) as { sdp?: unknown };
      return typeof sdp === "string" ? sdp : null;
    } catch {
      return null;
    }
  }

  // --- what goes

  async #offer(key: string): Promise<void> {
    this.#links.get(key)?.connection.vanish();
    const connection = this.#connection();
    this.#links.set(key, { connection, signaling: "have-local-offer" });
    await this.#describe("offer", key, connection.describe("actpass"));
  }

  #connection(): FakeConnection {
    return new FakeConnection(this.#clock, { onState() {}, onSound() {} });
  }

  async #describe(type: "offer" | "answer", receiver: string, sdp: string): Promise<void> {
    const body = this.dialect === "web" ? JSON.stringify({ type, sdp }) : sdp;
    const content = { rtc_type: type, sender: this.key, receiver, body };
    await this.#send(() => this.#transport.sendSignal(content, type, new AbortController().signal));
  }

  async #put(joinState: "JOINED" | "LEFT"): Promise<void> {
    const nowMs = this.#clock.wall();
    // Every other README member writes no time at all.
    const timestamp = this.dialect === "web" ? nowMs : this.key.length % 2 === 0 ? String(nowMs) : undefined;
    const content = { join_state: joinState, timestamp } as { join_state: "JOINED"; timestamp: number };
    await this.#send(() => this.#transport.putMembership(this.key, content, "refresh"));
  }

  async #send(write: () => Promise<string>): Promise<void> {
    if (this.#loses()) return;
    try {
      await write();
    } catch (error) {
      if (!(error instanceof BotError)) throw error;
    }
  }

  #try(action: () => void): boolean {
    try {
      action();
      return true;
    } catch {
      this.errors++;
      return false;
    }
  }

  #close(key: string): void {
    this.#links.get(key)?.connection.close();
    this.#links.delete(key);
  }

  #stop(): void {
    this.#joined = false;
    for (const timer of this.#timers.splice(0)) timer.cancel();
  }

  #every(ms: number, run: () => void): void {
    const again = (): void => {
      const timer = this.#clock.timer(ms, () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        run();
        if (this.#joined) again();
      });
      this.#timers.push(timer);
    };
    again();
  }
}
