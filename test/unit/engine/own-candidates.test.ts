import { OwnCandidates } from "../../../src/media/engine/own-candidates.ts";

const host = (address: string, port: number, foundation = "1"): string =>
  `candidate:${foundation} 1 UDP 2122317823 ${address} ${port} typ host`;
const reflexive = (address: string, port: number): string =>
  `candidate:3 1 UDP 1686109951 ${address} ${port} typ srflx raddr 0.0.0.0 rport 0`;
const relayed = "candidate:4 1 UDP 41885439 198.51.100.9 49160 typ relay raddr 0.0.0.0 rport 0";

test("without announced addresses candidates stay what they are, each address and port once", () => {
  const own = new OwnCandidates();
  const lines = [host("10.0.0.2", 5000), host("fd00::2", 5000), reflexive("203.0.113.7", 6000), relayed];
  expect(own.give(lines)).toEqual(lines);
  expect(own.give([...lines, "nonsense"])).toEqual([]);
});

test("a port over TCP is another one than the same over UDP, and stays one that is called", () => {
  const own = new OwnCandidates(["203.0.113.7"]);
  const tcp = (address: string): string =>
    `candidate:2 1 TCP 1518280447 ${address} 5000 typ host tcptype passive`;
  expect(own.give([host("10.0.0.2", 5000), tcp("10.0.0.2")])).toEqual([
    host("203.0.113.7", 5000),
    tcp("203.0.113.7"),
  ]);
});

test("an announced address replaces those of all interfaces of its family, port for port", () => {
  const own = new OwnCandidates(["203.0.113.7"]);
  const lines = [host("10.0.0.2", 5000), host("172.17.0.1", 5000, "2"), host("fd00::2", 5000), relayed];
  expect(own.give(lines)).toEqual([host("203.0.113.7", 5000), host("fd00::2", 5000), relayed]);
});

test("several are given for each port; a reflexive candidate that says the same is left out", () => {
  const own = new OwnCandidates(["203.0.113.7", "198.51.100.1", "2001:db8::7"]);
  const lines = [host("10.0.0.2", 5000), host("fd00::2", 5000), reflexive("203.0.113.7", 5000)];
  expect(own.give(lines)).toEqual([
    host("203.0.113.7", 5000),
    host("198.51.100.1", 5000),
    host("2001:db8::7", 5000),
  ]);
});

test("a candidate that is found later is treated the same", () => {
  const own = new OwnCandidates(["203.0.113.7"]);
  own.give([host("10.0.0.2", 5000)]);
  expect(own.give([host("10.0.0.3", 5000)])).toEqual([]);
  expect(own.give([host("10.0.0.3", 5001)])).toEqual([host("203.0.113.7", 5001)]);
});
