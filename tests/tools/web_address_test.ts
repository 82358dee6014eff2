import { assertEquals } from "@std/assert";
import { publicAddress } from "../../lib/tools/web/address.ts";

/** First and last address of each refused range, and its public neighbours. */
const RANGES: [what: string, from: string, to: string, near: string[]][] = [
  ["this network", "0.0.0.0", "0.255.255.255", ["1.0.0.0"]],
  ["private", "10.0.0.0", "10.255.255.255", ["9.255.255.255", "11.0.0.0"]],
  ["shared", "100.64.0.0", "100.127.255.255", [
    "100.63.255.255",
    "100.128.0.0",
  ]],
  ["loopback", "127.0.0.0", "127.255.255.255", [
    "126.255.255.255",
    "128.0.0.0",
  ]],
  ["wire server", "168.63.129.16", "168.63.129.16", [
    "168.63.129.15",
    "168.63.129.17",
  ]],
  ["link-local", "169.254.0.0", "169.254.255.255", [
    "169.253.255.255",
    "169.255.0.0",
  ]],
  ["private", "172.16.0.0", "172.31.255.255", ["172.15.255.255", "172.32.0.0"]],
  ["assignments", "192.0.0.0", "192.0.0.255", ["191.255.255.255", "192.0.1.0"]],
  ["documentation", "192.0.2.0", "192.0.2.255", ["192.0.1.255", "192.0.3.0"]],
  ["AS112", "192.31.196.0", "192.31.196.255", ["192.31.195.255"]],
  ["AMT", "192.52.193.0", "192.52.193.255", ["192.52.194.0"]],
  ["6to4 relays", "192.88.99.0", "192.88.99.255", ["192.88.98.255"]],
  ["private", "192.168.0.0", "192.168.255.255", [
    "192.167.255.255",
    "192.169.0.0",
  ]],
  ["AS112", "192.175.48.0", "192.175.48.255", ["192.175.49.0"]],
  ["benchmarking", "198.18.0.0", "198.19.255.255", [
    "198.17.255.255",
    "198.20.0.0",
  ]],
  ["documentation", "198.51.100.0", "198.51.100.255", ["198.51.101.0"]],
  ["documentation", "203.0.113.0", "203.0.113.255", ["203.0.114.0"]],
  ["multicast", "224.0.0.0", "239.255.255.255", ["223.255.255.255"]],
  ["reserved, broadcast", "240.0.0.0", "255.255.255.255", []],
  ["unspecified, loopback, compatible", "::", "::ffff:ffff", []],
  ["translated", "::ffff:0:0:0", "::ffff:0:ffff:ffff", []],
  ["local NAT64", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", []],
  ["discard", "100::", "100::ffff:ffff:ffff:ffff", []],
  ["Teredo", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", []],
  ["assignments", "2001:2::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", [
    "2001:200::",
  ]],
  ["documentation", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", [
    "2001:db9::",
  ]],
  ["6to4", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ["2003::"]],
  ["AS112", "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", [
    "2620:4f:8001::",
  ]],
  ["6bone", "3ffe::", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ["3ffd::"]],
  ["documentation", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", [
    "3fff:1000::",
  ]],
  ["not given out", "4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", [
    "2000::",
  ]],
  ["segment routing", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", []],
  ["unique local", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", []],
  ["metadata", "fd00:ec2::254", "fd20:ce::254", []],
  ["link-local", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", []],
  ["site-local", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", []],
  ["multicast", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", []],
];

for (const [what, from, to, near] of RANGES) {
  Deno.test(`S02: publicAddress() refuses ${what} from ${from} to ${to}, not its neighbours`, () => {
    assertEquals([from, to].map((one) => publicAddress(one)), [null, null]);
    assertEquals(near.map((one) => publicAddress(one)), near);
  });
}

Deno.test("S02: publicAddress() judges the IPv4 address inside an IPv6 one", () => {
  const hex = (v4: string) => {
    const [a, b, c, d] = v4.split(".").map(Number) as [
      number,
      number,
      number,
      number,
    ];
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  };
  for (const v4 of ["127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0"]) {
    for (
      const inside of [
        `::ffff:${v4}`,
        `::ffff:${hex(v4)}`,
        `0:0:0:0:0:FFFF:${hex(v4)}`,
        `::${v4}`,
        `64:ff9b::${v4}`,
        `64:ff9b:1::${v4}`,
        `2002:${hex(v4)}::1`,
        `2001:0:${hex(v4)}::1`,
        `2606:4700::5efe:${hex(v4)}`,
        `2606:4700::200:5efe:${hex(v4)}`,
      ]
    ) assertEquals(publicAddress(inside), null, inside);
  }
  // IPv6-only networks reach every IPv4 host like this.
  assertEquals(publicAddress("64:ff9b::8.8.8.8"), "64:ff9b::808:808");
  assertEquals(publicAddress("::ffff:8.8.8.8"), "::ffff:808:808");
  assertEquals(publicAddress("2002:808:808::1"), null, "a relay of anybody");
});

Deno.test("S02: publicAddress() takes an address only as resolvers write it", () => {
  for (
    const odd of [
      "",
      " ",
      "localhost",
      "8.8.8",
      "8.8.2056",
      "134744072",
      "0x8.8.8.8",
      "010.8.8.8",
      "8.8.8.8 ",
      "8.8.8.8.",
      "8.8.8.8:80",
      "[2606:4700::1]",
      "fe80::1%lo",
      "2606:4700::1%lo0",
      "2606:4700::1/64",
      "８.8.8.8",
    ]
  ) assertEquals(publicAddress(odd), null, odd);
  assertEquals(publicAddress("2606:4700:0:0::0001"), "2606:4700::1");
});

Deno.test("publicAddress() refuses the networks this machine is in, whatever their numbers", () => {
  const own = ["93.184.215.14/32", "2606:2800:21f:cb07::5/64"];
  assertEquals(publicAddress("93.184.215.14", own), null);
  assertEquals(publicAddress("::ffff:93.184.215.14", own), null);
  assertEquals(publicAddress("64:ff9b::93.184.215.14", own), null);
  assertEquals(publicAddress("2606:2800:21f:cb07::77", own), null);
  assertEquals(publicAddress("93.184.215.15", own), "93.184.215.15");
  assertEquals(
    publicAddress("2606:2800:21f:cb08::5", own),
    "2606:2800:21f:cb08::5",
  );
});
