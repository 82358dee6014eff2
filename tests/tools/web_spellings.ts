/**
 * How an address can be written, and how a server can be led to it (cases S02 to
 * S04, goal G9). All of it drawn from one seeded source.
 *
 * @module
 */
import { PUBLIC, redirect, type Site, type Stage } from "./web_stage.ts";

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Ranges no page is in: first byte, second byte from and to. */
const INSIDE: [number, number, number][] = [
  [0, 0, 255],
  [10, 0, 255],
  [100, 64, 127],
  [127, 0, 255],
  [169, 254, 254],
  [172, 16, 31],
  [192, 168, 168],
  [198, 18, 19],
  [224, 0, 255],
  [255, 255, 255],
];
const FAVOURITES = [
  [127, 0, 0, 1],
  [0, 0, 0, 0],
  [169, 254, 169, 254],
  [100, 100, 100, 200],
  [168, 63, 129, 16],
  [10, 0, 0, 1],
  [192, 168, 0, 1],
];
const INSIDE_V6 = [
  "::",
  "::1",
  "fe80::1",
  "fc00::1",
  "fd00:ec2::254",
  "fec0::1",
  "ff02::1",
  "100::1",
  "2001:db8::1",
  "3fff::1",
  "5f00::1",
];

type Bytes = [number, number, number, number];

const hex = (n: number) => n.toString(16);
const octal = (n: number) => `0${n.toString(8)}`;
const wide = (text: string) =>
  text.replace(
    /[0-9a-z.]/g,
    (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0),
  );
const percent = (text: string) =>
  text.replace(/[0-9a-z.]/g, (sign) => `%${hex(sign.charCodeAt(0))}`);

/** One IPv4 address in every way a URL may hold it. */
const SPELLINGS: ((bytes: Bytes, number: number) => string)[] = [
  ([a, b, c, d]) => `${a}.${b}.${c}.${d}`,
  (_, n) => String(n),
  (_, n) => `0x${hex(n)}`,
  (_, n) => `0X${hex(n).toUpperCase()}`,
  (_, n) => octal(n),
  (_, n) => `00000${octal(n)}`,
  (bytes) => bytes.map(octal).join("."),
  (bytes) => bytes.map((byte) => `0x${hex(byte)}`).join("."),
  (bytes) => bytes.map((byte) => `0x0000${hex(byte)}`).join("."),
  ([a, b, c, d]) => `${a}.${b * 65536 + c * 256 + d}`,
  ([a, b, c, d]) => `0x${hex(a)}.${octal(b)}.${c * 256 + d}`,
  ([a, b, c, d]) => `${octal(a)}.${b}.0x${hex(c)}.${d}`,
  ([a, b, c, d]) => `${a}.${b}.${c}.${d}.`,
  (_, n) => `${n}.`,
  ([a, b, c, d]) => wide(`${a}.${b}.${c}.${d}`),
  (_, n) => wide(`0x${hex(n)}`),
  ([a, b, c, d]) => percent(`${a}.${b}.${c}.${d}`),
  ([a, b, c, d]) => `${a}。${b}｡${c}．${d}`,
  ([a, b, c, d]) => `${a}\u00ad.${b}.${c}.${d}`,
  ([a, b, c, d]) => `${a}.\t${b}.\n${c}.${d}`,
  ([a, b, c, d]) => `[::ffff:${a}.${b}.${c}.${d}]`,
  ([a, b, c, d]) => `[::FFFF:${hex(a * 256 + b)}:${hex(c * 256 + d)}]`,
  ([a, b, c, d]) => `[0:0:0:0:0:ffff:${hex(a * 256 + b)}:${hex(c * 256 + d)}]`,
  ([a, b, c, d]) => `[::${a}.${b}.${c}.${d}]`,
  ([a, b, c, d]) => `[64:ff9b::${a}.${b}.${c}.${d}]`,
  ([a, b, c, d]) => `[64:ff9b:1::${a}.${b}.${c}.${d}]`,
  ([a, b, c, d]) => `[2002:${hex(a * 256 + b)}:${hex(c * 256 + d)}::1]`,
  ([a, b, c, d]) => `[2606:4700::5efe:${hex(a * 256 + b)}:${hex(c * 256 + d)}]`,
];

/** Ways to write the rest around a host. */
const FRAMES: ((host: string) => string)[] = [
  (host) => `http://${host}/`,
  (host) => `https://${host}/`,
  (host) => `http://${host}:443/x`,
  (host) => `HTTP://${host}:00080/?http://public.test/`,
  (host) => `http:\\\\${host}\\public.test`,
  (host) => `http:${host}`,
  (host) => `  http:///${host}/`,
  (host) => `http://public.test@${host}/`,
  (host) => `http://${host}:8080/`,
  (host) => `http://${host}/#@public.test/`,
];

const STATUSES = [301, 302, 303, 307, 308];

/** One attempt to get inside: what the model asks for, on a prepared stage. */
export interface Attempt {
  url: string;
  /** How it goes about it, for the tally. */
  way: string;
}

/** Prepares names and sites of a stage, under a number of their own. */
export function attempt(stage: Stage, n: number, next: () => number): Attempt {
  const pick = <T>(list: readonly T[]) =>
    list[Math.floor(next() * list.length)]!;
  const byte = (from = 0, to = 255) =>
    from + Math.floor(next() * (to - from + 1));
  const bytes = (): Bytes => {
    if (next() < 0.5) return pick(FAVOURITES) as Bytes;
    const [first, from, to] = pick(INSIDE);
    return [first, byte(from, to), byte(), byte()];
  };
  const spelled = () => {
    if (next() < 0.2) return pick(FRAMES)(`[${pick(INSIDE_V6)}]`);
    const four = bytes();
    const number = four.reduce((sum, one) => sum * 256 + one, 0);
    return pick(FRAMES)(pick(SPELLINGS)(four, number));
  };
  const record = () => {
    if (next() < 0.3) return pick(INSIDE_V6);
    const [a, b, c, d] = bytes();
    return next() < 0.3 ? `::ffff:${a}.${b}.${c}.${d}` : `${a}.${b}.${c}.${d}`;
  };
  const name = (...answers: string[][]) => {
    const host = `n${n}-${Math.floor(next() * 1e9)}.test`;
    stage.names.set(host, answers);
    return host;
  };
  const ways: Record<string, () => string> = {
    spelling: spelled,
    record: () => pick(FRAMES)(name([record()])),
    mixed: () => {
      const both = [pick(PUBLIC), record()];
      return `http://${name(next() < 0.5 ? both : both.reverse())}/`;
    },
    // The first answer is for whoever checks, the second for whoever connects.
    rebinding: () => `http://${name([pick(PUBLIC)], [record()])}/`,
  };
  const entries = Object.entries(ways);
  const [way, make] = pick(entries);
  const straight = way !== "rebinding" && next() < 0.4;
  const hops = straight ? 0 : way === "rebinding" ? 1 : 1 + byte(0, 4);
  if (hops === 0) return { url: make(), way };
  const end = way === "rebinding" ? null : make();
  const first = end === null ? make() : `http://${name(PUBLIC)}/`;
  const status = pick(STATUSES);
  sites.get(stage)!.set(new URL(first).host, ({ url }) => {
    const hop = Number(new URL(url).searchParams.get("hop") ?? "1");
    if (hop < hops || end === null) return redirect(`?hop=${hop + 1}`, status);
    return redirect(end.replace(/[^\x20-\x7e]/g, encodeURIComponent), status);
  });
  return { url: first, way: `${way} behind redirects` };
}

const sites = new WeakMap<Stage, Map<string, Site>>();

/** Lets the sites of all attempts stand on one stage. */
export function host(stage: Stage): void {
  const own = new Map<string, Site>();
  const before = stage.site;
  sites.set(stage, own);
  stage.site = (seen, socket) =>
    (own.get(new URL(seen.url).host) ?? before)(seen, socket);
}
