import {
  candidatePolicy,
  formatCandidate,
  parseCandidate,
  subnetsOf,
} from "../../../src/media/engine/candidates.ts";
import { FORBIDDEN_CANDIDATES } from "../../support/hostile/candidates.ts";
import type { CandidateRefusal } from "../../../src/media/engine/candidates.ts";

const line = (address: string, port = 50_000): string =>
  `candidate:1 1 udp 2113937151 ${address} ${port} typ host generation 0 ufrag abcd network-cost 999`;

function refusal(
  candidate: string,
  allowPrivate: "auto" | "true" | "false" = "auto",
  ownSubnets: string[] = [],
): CandidateRefusal | null {
  let told: CandidateRefusal | null = null;
  const policy = candidatePolicy({ allowPrivate, ownSubnets, onRefused: (why) => (told = why) });
  expect(policy(candidate)).toBe(told === null);
  return told;
}

describe("parseCandidate", () => {
  test("reads what browsers write, with a= or without", () => {
    const expected = {
      foundation: "842163049",
      component: 1,
      transport: "udp",
      priority: 1_677_729_535,
      address: "198.51.100.7",
      port: 46_154,
      type: "srflx",
    };
    const text =
      "candidate:842163049 1 udp 1677729535 198.51.100.7 46154 typ srflx raddr 10.0.0.1 rport 1 generation 0";
    expect(parseCandidate(text)).toEqual(expected);
    expect(parseCandidate(`a=${text}`)).toEqual(expected);
    expect(parseCandidate(formatCandidate(parseCandidate(text)!))).toEqual(expected);
  });

  test.each([
    "",
    "candidate:",
    "candidate:1 1 udp 1 192.0.2.1 5000",
    "candidate:1 1 udp 1 192.0.2.1 5000 typ odd",
    "candidate:1 1 udp 1 192.0.2.1 70000 typ host",
    "candidate:1 1 sctp 1 192.0.2.1 5000 typ host",
    "candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\na=setup:active",
    "candidate:1 1 udp 99999999999 192.0.2.1 5000 typ host",
    `candidate:1 1 udp 1 192.0.2.1 5000 typ host ${"x".repeat(1024)}`,
  ])("refuses %j", (text) => {
    expect(parseCandidate(text)).toBeNull();
  });
});

describe("candidatePolicy", () => {
  test.each(FORBIDDEN_CANDIDATES)("takes no %s", (candidate) => {
    expect(refusal(candidate, "auto", ["10.99.0.1/24", "2600:99::1/64"])).not.toBeNull();
    expect(refusal(candidate, "false", ["10.99.0.1/24", "2600:99::1/64"])).not.toBeNull();
  });

  test.each(["8.8.8.8", "93.184.216.34", "2600::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])(
    "takes %s under every setting",
    (address) => {
      for (const setting of ["auto", "true", "false"] as const)
        expect(refusal(line(address), setting)).toBeNull();
    },
  );

  test.each([
    "0.0.0.0",
    "169.254.169.254",
    "169.254.1.1",
    "224.0.0.251",
    "239.1.1.1",
    "255.255.255.255",
    "240.0.0.1",
    "100.100.100.200",
    "::",
    "fe80::1",
    "ff02::fb",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fd00:ec2::254",
    "64:ff9b:1::7f00:1",
    "::ffff:0:7f00:1",
    "100::1",
  ])("never takes %s", (address) => {
    for (const setting of ["auto", "true", "false"] as const)
      expect(refusal(line(address), setting, ["0.0.0.0/0", "::/0"])).toBe("never");
  });

  test.each(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"])(
    "takes loopback %s only where tests allow it",
    (address) => {
      expect(refusal(line(address), "auto", ["127.0.0.0/8"])).toBe("loopback");
      expect(refusal(line(address), "false")).toBe("loopback");
      expect(refusal(line(address), "true")).toBeNull();
    },
  );

  test.each([
    ["10.1.2.3", "10.1.2.0/24"],
    ["172.20.0.9", "172.20.0.0/16"],
    ["192.168.1.5", "192.168.1.77/24"],
    ["100.64.0.7", "100.64.0.0/16"],
    ["fd12:3456::9", "fd12:3456::/64"],
    ["::ffff:192.168.1.5", "192.168.1.0/24"],
  ])("takes private %s by setting, and in auto inside of %s only", (address, own) => {
    expect(refusal(line(address), "auto", [own])).toBeNull();
    expect(refusal(line(address), "auto", ["192.168.200.0/24", "fd77::/64"])).toBe("private");
    expect(refusal(line(address), "true")).toBeNull();
    expect(refusal(line(address), "false", [own])).toBe("private");
  });

  test.each(["abcd.local", "example.com", "2130706433", "0177.0.0.1", "127.1", "0x7f.0.0.1", "fe80::1%eth0"])(
    "takes no names, and what only a resolver takes for an address is one: %s",
    (address) => {
      expect(refusal(line(address), "true")).toBe("name");
    },
  );

  test("takes no TCP, no second component, no port of a service", () => {
    expect(refusal("candidate:1 1 tcp 1 8.8.8.8 9 typ host tcptype active", "true")).toBe("tcp");
    expect(refusal("candidate:1 2 udp 1 8.8.8.8 5000 typ host", "true")).toBe("component");
    for (const port of [0, 53, 123, 1023]) expect(refusal(line("8.8.8.8", port), "true")).toBe("port");
    expect(refusal("nonsense", "true")).toBe("malformed");
  });

  test("own subnets are those of real interfaces", () => {
    const interfaces = {
      lo: [{ cidr: "127.0.0.1/8", internal: true }],
      eth0: [
        { cidr: "192.168.1.2/24", internal: false },
        { cidr: "fe80::1/64", internal: false },
        { cidr: null, internal: false },
      ],
      gone: undefined,
    };
    expect(subnetsOf(interfaces)).toEqual(["192.168.1.2/24"]);
  });
});
