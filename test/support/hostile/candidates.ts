/** Addresses that a stranger could name to make us send there, and the ways to name them. */

const FORBIDDEN_ADDRESSES: readonly string[] = [
  // inner networks that are none of ours
  ...["10.1.2.3", "172.16.0.9", "172.31.255.254", "192.168.77.1", "100.64.0.7", "198.18.0.1"],
  ...["192.0.2.1", "198.51.100.1", "203.0.113.1", "fd12:3456::9", "fc00::1", "2001:db8::1"],
  // metadata services
  ...["169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"],
  ...["fe80::a9fe:a9fe", "fe80::1%v0", "fe80::1%25v0", "fe80::1%1"],
  // ourselves, nobody, everybody
  ...["127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "0.1.2.3", "::", "255.255.255.255", "10.99.0.255"],
  ...["224.0.0.251", "239.255.255.250", "ff02::fb", "ff02::1", "ff05::2", "240.0.0.1"],
  // one address inside of another
  ...["::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::ffff:7f00:1", "::ffff:10.1.2.3", "::ffff:0:127.0.0.1"],
  ...[
    "::169.254.169.254",
    "::127.0.0.1",
    "::a01:203",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::a01:203",
  ],
  ...[
    "64:ff9b:1::a9fe:a9fe",
    "64:ff9b:1:a9fe:a9:fe00::",
    "2002:a9fe:a9fe::1",
    "2002:7f00:1::",
    "2002:a01:203::1",
  ],
  ...["2001:0:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:5601:5601", "fec0::1", "5f00::1", "100::1"],
  ...["::ffff:0:0", "::1.2.3.4", "fe80:0:0:0:0:5efe:a9fe:a9fe"],
  // what only a resolver takes for an address
  ...["2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "0", "1"],
  ...[
    "169.254.43518",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "010.1.2.3",
    "10.1.2.3.",
    "١٠.١.٢.٣",
  ],
  ...[
    "[::1]",
    "[fd12::1]",
    "localhost",
    "metadata.google.internal",
    "example.com",
    "a1b2c3d4.local",
    "1.1.1.1.nip.io",
  ],
];

const line = (address: string, port: number | string, more = ""): string =>
  `candidate:1 1 udp 2113937151 ${address} ${port} typ host${more}`;

/** Lines that must never lead to a packet. Beside the addresses: ports of services, and addresses in odd places. */
export const FORBIDDEN_CANDIDATES: readonly string[] = [
  ...FORBIDDEN_ADDRESSES.map((address) => line(address, 40_000)),
  ...[0, 1, 53, 123, 161, 443, 1023, 65_536, 99_999, -1, "0x50", "4e4", "٤٠٠٠٠"].map((port) =>
    line("8.8.8.8", port),
  ),
  ...["srflx", "prflx", "relay"].map(
    (type) => `candidate:2 1 udp 100 169.254.169.254 80 typ ${type} raddr 8.8.8.8 rport 40000`,
  ),
  "candidate:3 1 tcp 100 10.1.2.3 40000 typ host tcptype passive",
  "candidate:3 1 TCP 100 8.8.8.8 40000 typ host tcptype passive",
  "candidate:3 1 ssltcp 100 8.8.8.8 443 typ host",
  "candidate:4 2 udp 100 8.8.8.8 40000 typ host",
  "candidate:5 1 udp 100 10.1.2.4 40000 typ host\r\na=candidate:6 1 udp 100 10.1.2.3 40000 typ host",
  "candidate:7 1 udp 100  10.1.2.3 40000 typ host",
  "candidate:8 1 udp 100 10.1.2.3\t40000 typ host",
  "candidate:9 1 udp 99999999999 8.8.8.8 40000 typ host",
  `candidate:10 1 udp 100 10.1.2.3 40000 typ host ${"x".repeat(2000)}`,
];

/** Lines of a description that carry an address and are no candidates. */
export const MISLEADING_LINES: readonly string[] = [
  "c=IN IP4 169.254.169.254",
  "c=IN IP4 10.1.2.3",
  "c=IN IP6 fd12:3456::9",
  "a=rtcp:40000 IN IP4 10.1.2.3",
  "a=rtcp:40001 IN IP6 fd00:ec2::254",
  "a=remote-candidates:1 10.1.2.3 40000",
  "a=source-filter: incl IN IP4 10.1.2.3 10.1.2.3",
  "a=end-of-candidates",
  "a=ice-lite",
];
