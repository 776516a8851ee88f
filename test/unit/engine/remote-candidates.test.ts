import { silentLog } from "../../../src/base/log.ts";
import { RemoteCandidates } from "../../../src/media/engine/remote-candidates.ts";

const line = (address: string, type: string): string =>
  `candidate:1 1 UDP 1000 ${address} 5000 typ ${type} raddr 0.0.0.0 rport 0`;

test("an address that the other side names as its relay is one, also while the library may not have it yet, or never may", () => {
  const candidates = new RemoteCandidates("kim", (text) => !text.includes("192.0.2.9"), silentLog);
  const used: string[] = [];
  candidates.describe([line("192.0.2.1", "srflx"), line("192.0.2.2", "relay"), line("192.0.2.9", "relay")]);
  expect(candidates.isRelay("192.0.2.2", 5000)).toBe(true);
  candidates.release((candidate) => used.push(candidate));
  expect(used).toHaveLength(2);
  expect(candidates.isRelay("192.0.2.9", 5000)).toBe(true);
  expect(candidates.isRelay("192.0.2.1", 5000)).toBe(false);
  expect(candidates.isRelay("192.0.2.2", 5001)).toBe(false);
});

test("the memory of relays is bounded", () => {
  const candidates = new RemoteCandidates("kim", () => true, silentLog);
  for (let host = 1; host <= 200; host++) candidates.add(line(`192.0.2.${String(host)}`, "relay"));
  expect(candidates.isRelay("192.0.2.64", 5000)).toBe(true);
  expect(candidates.isRelay("192.0.2.65", 5000)).toBe(false);
});
