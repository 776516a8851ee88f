// A way between two UDP sockets of this machine that loses and delays what it is told to. No privileges are needed: each
// side is given an address of ours for the other.
import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket } from "node:dgram";

export interface Way {
  /** Of the RTP packets from the first side to the second, whether the nth (from 0) is lost. */
  readonly loses: (index: number) => boolean;
  /** Each way, ms. */
  readonly delayMs: number;
}

export class LossyWay {
  readonly #sockets: readonly [Socket, Socket];
  readonly #way: Way;
  /** Where each side was last seen. */
  readonly #sides: [RemoteInfo | null, RemoteInfo | null] = [null, null];
  readonly #timers = new Set<NodeJS.Timeout>();
  #packets = 0;

  private constructor(sockets: readonly [Socket, Socket], way: Way) {
    this.#sockets = sockets;
    this.#way = way;
    for (const side of [0, 1] as const)
      sockets[side].on("message", (packet, from) => this.#onPacket(side, packet, from));
  }

  static async open(way: Way): Promise<LossyWay> {
    return new LossyWay([await bind(), await bind()], way);
  }

  /** The candidate at which the first (0) or second (1) side is to look for the other. */
  candidateFor(side: 0 | 1): string {
    return `candidate:1 1 UDP 2113937151 127.0.0.1 ${this.#sockets[side].address().port} typ host`;
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.close();
  }

  #onPacket(from: 0 | 1, packet: Buffer, address: RemoteInfo): void {
    this.#sides[from] = address;
    if (from === 0 && isRtp(packet) && this.#way.loses(this.#packets++)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const to = from === 0 ? 1 : 0;
      const target = this.#sides[to];
      if (target) this.#sockets[to].send(packet, target.port, target.address);
    }, this.#way.delayMs);
    this.#timers.add(timer);
  }
}

/** RTP and not STUN, DTLS or RTCP (RFC 7983, RFC 5761): the headers are readable also when the rest is encrypted. */
function isRtp(packet: Buffer): boolean {
  const [first = 0, second = 0] = packet;
  return first >= 128 && first <= 191 && (second < 192 || second > 223);
}

async function bind(): Promise<Socket> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, "127.0.0.1", resolve);
  });
  return socket;
}
