import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { isIn, isPublicAddress, subnetFrom } from "../../../src/fetch/address.ts";

test.each([
  ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.8.8", "169.254.169.254"],
  ...[
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
  ],
  ...["240.0.0.1", "255.255.255.255", "168.63.129.16", "192.88.99.1"],
  ...["::", "::1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fc00::1", "ff02::1", "fec0::1"],
  // IPv4 in other clothes: mapped, compatible, translated, 6to4, Teredo.
  ...["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:8.8.8.8", "::127.0.0.1", "::ffff:0:127.0.0.1"],
  ...["64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::1", "2001:0:7f00:1::1"],
  ...["2001:db8::1", "3fff::1", "", "localhost", "1.2.3", "0x7f.0.0.1"],
])("%p is not public", (address) => {
  expect(isPublicAddress(address, [])).toBe(false);
});

test.each(["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::1"])(
  "%p is public",
  (address) => {
    expect(isPublicAddress(address, [])).toBe(true);
    expect(isPublicAddress(address, [`${address}/${address.includes(":") ? 64 : 24}`])).toBe(false);
  },
);

test("no address that holds an IPv4 address of our own is public", () => {
  fc.assert(
    fc.property(fc.ipV4(), (ip) => {
      for (const form of [`::ffff:${ip}`, `::${ip}`, `64:ff9b::${ip}`])
        expect(isPublicAddress(form, [])).toBe(false);
    }),
  );
});

test("what is allowed is allowed in its own family alone", () => {
  expect(isIn(["127.0.0.0/8"], "127.1.2.3")).toBe(true);
  expect(isIn(["127.0.0.0/8"], "::ffff:127.0.0.1")).toBe(false);
  expect(isIn(["127.0.0.1"], "127.0.0.2")).toBe(false);
  expect(isIn(["example.org", "nonsense/8"], "127.0.0.1")).toBe(false);
  expect(isIn([], "::1")).toBe(false);
});

test("subnets are read strictly", () => {
  expect(subnetFrom("10.0.0.0/8")).toEqual({ address: "10.0.0.0", prefix: 8, family: "ipv4" });
  expect(subnetFrom("::1")).toEqual({ address: "::1", prefix: 128, family: "ipv6" });
  for (const wrong of ["10.0.0.0/33", "::/129", "10.0.0.0/8/8", "host", "10.0.0.0/", "fe80::1%lo/64"])
    expect(subnetFrom(wrong)).toBeNull();
});
