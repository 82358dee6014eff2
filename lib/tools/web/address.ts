/**
 * Which IP addresses are out in the public internet (threats 1 and 3, cases S02,
 * S03). Everything is refused that is not known to be: an address counts as
 * public if it is global unicast and in no range below.
 *
 * Sources: the IANA special-purpose address registries for IPv4 and IPv6.
 *
 * @module
 */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range<T> = [T, number];

const v4 = (cidr: string): Range<ipaddr.IPv4> => ipaddr.IPv4.parseCIDR(cidr);
const v6 = (cidr: string): Range<ipaddr.IPv6> => ipaddr.IPv6.parseCIDR(cidr);

const DENIED_V4 = [
  "0.0.0.0/8", // this network; 0.0.0.0 reaches loopback
  "10.0.0.0/8", // private
  "100.64.0.0/10", // carrier-grade NAT; 100.100.100.200 is a metadata service
  "127.0.0.0/8", // loopback
  "168.63.129.16/32", // a cloud's wire server, by number a public address
  "169.254.0.0/16", // link-local; 169.254.169.254 is the metadata service
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments; 192.0.0.192 is a metadata service
  "192.0.2.0/24", // documentation
  "192.31.196.0/24", // AS112
  "192.52.193.0/24", // AMT
  "192.88.99.0/24", // 6to4 relays
  "192.168.0.0/16", // private
  "192.175.48.0/24", // AS112
  "198.18.0.0/15", // benchmarking
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and broadcast
].map(v4);

/** All that was ever given out as global unicast lies in here. */
const GLOBAL_V6 = v6("2000::/3");

const DENIED_V6 = [
  "2001::/23", // Teredo, ORCHID, benchmarking, and other protocol assignments
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4: an IPv4 address behind a relay of anybody
  "2620:4f:8000::/48", // AS112
  "3ffe::/16", // 6bone, given back
  "3fff::/20", // documentation
].map(v6);

/** NAT64 (RFC 6052): how IPv6-only networks name an IPv4 address. */
const NAT64 = v6("64:ff9b::/96");

/** ISATAP (RFC 5214): an IPv4 address as the host part, private ones too. */
function isIsatap(address: ipaddr.IPv6): boolean {
  const [high, low] = address.parts.slice(4);
  return low === 0x5efe && (high === 0 || high === 0x200);
}

/** The IPv4 address that is reached through an IPv6 one. */
function inner(address: ipaddr.IPv6): ipaddr.IPv4 | null {
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  if (!address.match(NAT64)) return null;
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

function isPublic(address: Address, own: readonly Range<Address>[]): boolean {
  if (own.some((range) => inRange(address, range))) return false;
  if (address instanceof ipaddr.IPv4) {
    return address.range() === "unicast" &&
      !DENIED_V4.some((range) => address.match(range));
  }
  const reached = inner(address);
  if (reached !== null) return isPublic(reached, own);
  return address.range() === "unicast" && address.match(GLOBAL_V6) &&
    !DENIED_V6.some((range) => address.match(range)) && !isIsatap(address);
}

function inRange(address: Address, [net, bits]: Range<Address>): boolean {
  if (address instanceof ipaddr.IPv4) {
    return net instanceof ipaddr.IPv4 && address.match(net, bits);
  }
  return net instanceof ipaddr.IPv6 && address.match(net, bits);
}

/**
 * The address in its one spelling if it is public, else null. Only that spelling
 * may be connected to: what was judged is then what is reached.
 *
 * @param text As a resolver or a parsed URL gives it, without brackets.
 * @param own Networks of this machine (CIDR), which no stranger may send us to:
 *   services here may trust who comes from here, whatever the number.
 */
export function publicAddress(
  text: string,
  own: readonly string[] = [],
): string | null {
  // Before the parser: that one also reads octal, hexadecimal and short forms.
  // A zone ("%eth0") names a way out of this machine, and is never public.
  if (isIP(text) === 0 || text.includes("%")) return null;
  const address = ipaddr.parse(text);
  const ranges = own.map((cidr) => ipaddr.parseCIDR(cidr));
  return isPublic(address, ranges) ? address.toString() : null;
}
