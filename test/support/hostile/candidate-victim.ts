/**
 * A media plane in a network of its own that is offered every forbidden candidate in every way. Prints as JSON how many
 * datagrams left this network in each, and connections were opened: the kernel counts them, whatever address they were for.
 * Arguments: allowPrivate, the engine's name.
 */
import { readFileSync } from "node:fs";
import { silentLog } from "../../../src/base/log.ts";
import { systemClock } from "../../../src/base/system-clock.ts";
import { createPlaneCore } from "../../../src/media/core.ts";
import { enginesFor, loadEngine, type EnginePolicy } from "../../../src/media/engine-choice.ts";
import type { IceSettings, PlaneRequest } from "../../../src/media/messages.ts";
import { FORBIDDEN_CANDIDATES, MISLEADING_LINES } from "./candidates.ts";

const allowPrivate = process.argv[2] as IceSettings["allowPrivate"];
const modules = enginesFor(process.argv[3] as EnginePolicy).map(({ href }) => href);
const channel = "room";
/** Checks go out 250 ms after an answer, several a second. */
const WATCH_MS = 900;
/** As many as the engine looks at. */
const AT_ONCE = 40;

const plane = createPlaneCore({
  engine: await loadEngine(modules, { clock: systemClock, log: silentLog }),
  clock: systemClock,
  log: silentLog,
  ffmpegPath: null,
  onEvent: () => {},
});
/** An answer leaves at once. */
async function ask(request: PlaneRequest): Promise<{ sdp: string }> {
  const result = (await plane.handle(request)) as { sdp: string };
  if (request.kind === "peer.answer") {
    await plane.handle({ kind: "peer.answered", channel: request.channel, peer: request.peer });
  }
  return result;
}
const open = (name: string, allow: IceSettings["allowPrivate"]): Promise<unknown> =>
  ask({ kind: "channel.open", channel: name, ice: { servers: [], allowPrivate: allow }, bitrate: 64_000 });

/** A counter of the kernel for this network (for TCP it is both families'). */
function counter(protocol: "Udp" | "Tcp", name: string): number {
  const [names = [], values = []] = readFileSync("/proc/net/snmp", "utf8")
    .split("\n")
    .filter((text) => text.startsWith(`${protocol}:`))
    .map((text) => text.split(" "));
  return Number(values[names.indexOf(name)]);
}

/** Datagrams of this network so far, to whomever, and connections that were opened from it. */
function sent(): number {
  const v6 = /^Udp6OutDatagrams\s+(\d+)$/m.exec(readFileSync("/proc/net/snmp6", "utf8"))?.[1];
  return counter("Udp", "OutDatagrams") + counter("Tcp", "ActiveOpens") + Number(v6);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const bare = (sdp: string): string =>
  sdp
    .split("\r\n")
    .filter((text) => !text.startsWith("a=candidate:") && text !== "")
    .map((text) => `${text}\r\n`)
    .join("");

/** What a stranger says, without addresses of their own. */
async function strangersOffer(): Promise<string> {
  return bare((await ask({ kind: "peer.offer", channel: "stranger", peer: "x" })).sdp);
}
async function strangersAnswer(offer: string): Promise<string> {
  return bare((await ask({ kind: "peer.answer", channel: "stranger", peer: "y", sdp: bare(offer) })).sdp);
}
const trickle = (candidates: readonly string[]): Promise<unknown> =>
  Promise.all(
    candidates.map((candidate) =>
      ask({
        kind: "peer.candidate",
        channel,
        peer: "p",
        candidate: candidate.slice(0, 1024),
        mid: "0",
      }).catch(() => null),
    ),
  );

type Way = (candidates: readonly string[]) => Promise<unknown>;
const ways: Record<string, Way> = {
  "in an offer": async (candidates) => {
    const lines = candidates.map((candidate) => `a=${candidate}\r\n`).join("");
    return ask({ kind: "peer.answer", channel, peer: "p", sdp: (await strangersOffer()) + lines });
  },
  "in front of the media": async (candidates) => {
    const lines = candidates.map((candidate) => `a=${candidate}\r\n`).join("");
    return ask({
      kind: "peer.answer",
      channel,
      peer: "p",
      sdp: (await strangersOffer()).replace("m=audio", `${lines}m=audio`),
    });
  },
  "after an offer": async (candidates) => {
    await ask({ kind: "peer.answer", channel, peer: "p", sdp: await strangersOffer() });
    return trickle(candidates);
  },
  "in an answer": async (candidates) => {
    const { sdp } = await ask({ kind: "peer.offer", channel, peer: "p" });
    const lines = candidates.map((candidate) => `a=${candidate}\r\n`).join("");
    return ask({ kind: "peer.accept", channel, peer: "p", sdp: (await strangersAnswer(sdp)) + lines });
  },
  "ahead of an answer": async (candidates) => {
    const { sdp } = await ask({ kind: "peer.offer", channel, peer: "p" });
    await trickle(candidates);
    return ask({ kind: "peer.accept", channel, peer: "p", sdp: await strangersAnswer(sdp) });
  },
};

/** Datagrams that left while a stranger did something. */
async function during(act: () => Promise<unknown>): Promise<number> {
  const before = sent();
  await act();
  await pause(WATCH_MS);
  const count = sent() - before;
  await ask({ kind: "peer.close", channel, peer: "p" });
  return count;
}

await Promise.all([open(channel, allowPrivate), open("stranger", "false")]);
const counts: Record<string, number> = {};
for (const [name, way] of Object.entries(ways)) {
  counts[name] = 0;
  for (let at = 0; at < FORBIDDEN_CANDIDATES.length; at += AT_ONCE) {
    const some = FORBIDDEN_CANDIDATES.slice(at, at + AT_ONCE);
    counts[name] += await during(() => way(some));
  }
}
counts["in other lines"] = await during(async () => {
  const offer = (await strangersOffer()).replace(/^c=.*\r\n/gm, "");
  const lines = MISLEADING_LINES.map((text) => `${text}\r\n`).join("");
  return ask({ kind: "peer.answer", channel, peer: "p", sdp: offer + lines });
});
const good = ["candidate:1 1 udp 2113937151 8.8.8.8 40000 typ host"];
for (const [name, way] of Object.entries(ways)) {
  if (name !== "in front of the media") counts[`control, ${name}`] = await during(() => way(good));
}
counts["control, own subnet"] = await during(() =>
  ways["in an offer"]!(["candidate:1 1 udp 2113937151 10.99.0.77 40000 typ host"]),
);
console.log(JSON.stringify(counts));
await plane.close();
// Not every engine survives a natural end.
process.exit(0);
