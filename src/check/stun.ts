import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";

const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const MAGIC_COOKIE = 0x2112a442;
const XOR_MAPPED_ADDRESS = 0x0020;
const HEADER_BYTES = 20;
/** A lost packet is sent again after this (RFC 8489 section 6.2.1 begins with 500 ms as well). */
const AGAIN_MS = 500;

/**
 * Asks a STUN server (every TURN server is one) under which address it sees us: a Binding request, RFC 8489 section 3.
 * @returns the address; null when it answers without one that we can read
 * @throws Error when nothing answers in time
 */
export function stunBinding(host: string, port: number, limitMs: number): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const id = randomBytes(12);
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    const again = setInterval(() => ask(socket, id, host, port), AGAIN_MS);
    const end = (settle: () => void): void => {
      clearInterval(again);
      clearTimeout(limit);
      socket.removeAllListeners("message");
      socket.close();
      settle();
    };
    const limit = setTimeout(() => end(() => reject(new Error("no answer"))), limitMs);
    socket.once("error", (error) => end(() => reject(error)));
    socket.on("message", (message) => {
      if (!isAnswer(message, id)) return;
      end(() => resolve(mappedAddress(message)));
    });
    ask(socket, id, host, port);
  });
}

function ask(socket: Socket, id: Buffer, host: string, port: number): void {
  const request = Buffer.alloc(HEADER_BYTES);
  request.writeUInt16BE(BINDING_REQUEST, 0);
  request.writeUInt32BE(MAGIC_COOKIE, 4);
  id.copy(request, 8);
  socket.send(request, port, host, (error) => {
    if (error) socket.emit("error", error);
  });
}

/** Any answer to our question shows that a server is there, an error too. */
function isAnswer(message: Buffer, id: Buffer): boolean {
  return (
    message.length >= HEADER_BYTES &&
    message.readUInt32BE(4) === MAGIC_COOKIE &&
    message.subarray(8, HEADER_BYTES).equals(id)
  );
}

/** XOR-MAPPED-ADDRESS (RFC 8489 section 14.2). */
export function mappedAddress(message: Buffer): string | null {
  if (message.readUInt16BE(0) !== BINDING_SUCCESS) return null;
  for (let at = HEADER_BYTES; at + 4 <= message.length;) {
    const type = message.readUInt16BE(at);
    const length = message.readUInt16BE(at + 2);
    const value = message.subarray(at + 4, at + 4 + length);
    if (type === XOR_MAPPED_ADDRESS && value.length === length && length >= 8) {
      // The cookie and the transaction id follow each other in the header.
      const mask = message.subarray(4, HEADER_BYTES);
      const bytes = [...value.subarray(4)].map((byte, i) => byte ^ (mask[i] ?? 0));
      if (value[1] === 1 && bytes.length === 4) return bytes.join(".");
      if (value[1] === 2 && bytes.length === 16) return ipv6(bytes);
    }
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return null;
}

function ipv6(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]`).hostname.slice(1, -1);
}
