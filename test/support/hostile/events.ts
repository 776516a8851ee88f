/** Contents of channel events that nobody honest writes. What a homeserver refuses of them does no harm either. */
import type { Person } from "../people.ts";
import { callStateType } from "../people.ts";

export const callType = "de.mtorials.test.call";

const deep = (depth: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { a: value };
  return value;
};
const WRONG: readonly unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 53,
    "",
    " ",
    "\u0000",
    "x".repeat(50_000),
    "\ud800",
    "\u202e<b>",
    "NaN",
    "1e308",
  ],
  ...[[], {}, [[]], { length: 5 }, { toString: "x" }, ["JOINED"], { join_state: "JOINED" }, deep(500)],
];
const KEYS = ["join_state", "timestamp", "matrix-voice-bot.glare"] as const;

/** Callstate contents with one field wrong each; prototypes, too much, nothing. */
export function callStates(): Record<string, unknown>[] {
  const good = { join_state: "JOINED", timestamp: Date.now() };
  return [
    {},
    ...KEYS.flatMap((key) => WRONG.map((value) => ({ ...good, [key]: value }))),
    ...[-1, 0, 8.64e15, 2 ** 53 - 1, "9".repeat(20), "-5", "1e308", "0x10"].map((timestamp) => ({
      ...good,
      timestamp,
    })),
    JSON.parse('{"__proto__":{"join_state":"JOINED"},"constructor":{"prototype":{"x":1}}}') as Record<
      string,
      unknown
    >,
    { ...good, more: "y".repeat(50_000) },
    { ...good, ...Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`key${i}`, i])) },
  ];
}

/** Signalling contents; `key` is a key of the sender's own. */
export function signals(key: string, receiver: string, offer: string): Record<string, unknown>[] {
  const body = JSON.stringify({ type: "offer", sdp: offer });
  const good = { rtc_type: "offer", sender: key, receiver, body };
  const sdps = [
    "v=0",
    `v=0\r\na=fingerprint:${" ".repeat(47_000)}x`,
    `v=0\r\n${"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(1000)}`,
    `${offer}${"a=candidate:1 1 udp 1 169.254.169.254 80 typ host\r\n".repeat(500)}`,
    offer.replaceAll("opus", "PCMU"),
    offer.replace(/a=fingerprint:.*/, "a=fingerprint:sha-1 AA"),
  ];
  return [
    ...["rtc_type", "sender", "receiver", "body"].flatMap((field) =>
      WRONG.map((value) => ({ ...good, [field]: value })),
    ),
    ...sdps.map((sdp) => ({ ...good, body: JSON.stringify({ type: "offer", sdp }) })),
    ...sdps.map((sdp) => ({ ...good, body: sdp })),
    ...[
      "[".repeat(20_000),
      `{"sdp":${"[".repeat(20_000)}`,
      '{"type":"offer","sdp":5}',
      "{",
      '"v=0"',
      "null",
    ].map((text) => ({ ...good, body: text })),
    { ...good, body: '{"__proto__":{"sdp":"v=0"},"type":"offer"}' },
    { ...good, rtc_type: "answer" },
    ...["", "candidate:", "candidate:1 1 udp 1 169.254.169.254 80 typ host", "x".repeat(50_000)].map(
      (candidate) => ({
        ...{ rtc_type: "icecandidate", sender: key, receiver },
        body: JSON.stringify({ candidate, sdpMid: "x".repeat(100), sdpMLineIndex: 1e308 }),
      }),
    ),
  ];
}

/** Sends what the homeserver takes of it, some at a time. @returns how many it took */
export async function sendAll(work: readonly (() => Promise<unknown>)[], atOnce = 8): Promise<number> {
  let taken = 0;
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let job = work[next++]; job; job = work[next++]) {
      try {
        await job();
        taken++;
      } catch {
        // Refused by the homeserver.
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return taken;
}

export const putCallState = (person: Person, roomId: string, key: string, content: object): Promise<string> =>
  person.sendState(roomId, callStateType, key, content);
