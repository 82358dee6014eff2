/**
 * How stop names are compared: what is left of a name when case, width, accents,
 * punctuation and words like "station" no longer matter.
 *
 * @module
 */

/** Characters of stop names that differ between the two Chinese scripts. */
const TRADITIONAL =
  "車學東廣場館機門橋醫鐵園體國灣龍華麗橫無發電動農業關開區頭陽陰雲島號線";
const SIMPLIFIED =
  "车学东广场馆机门桥医铁园体国湾龙华丽横无发电动农业关开区头阳阴云岛号线";
const SIMPLE = new Map(
  [...TRADITIONAL].map((char, i) => [char, [...SIMPLIFIED][i]!]),
);

const WORDS = new Map(Object.entries({
  train: "railway",
  rail: "railway",
  railroad: "railway",
  uni: "university",
  univ: "university",
  st: "street",
  rd: "road",
  ave: "avenue",
  av: "avenue",
  sq: "square",
  ctr: "center",
  centre: "center",
  intl: "international",
  hosp: "hospital",
  stn: "station",
  sta: "station",
}));

const HAN = /\p{Script=Han}/u;
const BESIDE_HAN = /(?<=\p{Script=Han}) +| +(?=\p{Script=Han})/gu;

export function hasHan(text: string): boolean {
  return HAN.test(text);
}

/** The name in one spelling: lower case, half width, no accents or punctuation. */
export function plainName(name: string): string {
  const base = name.slice(0, 200).normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "").normalize("NFC").toLowerCase();
  const simple = base.replace(/\p{Script=Han}/gu, (c) => SIMPLE.get(c) ?? c);
  const words = simple.replace(/['’`]/g, "").replace(/[^\p{L}\p{N}]+/gu, " ")
    .replace(BESIDE_HAN, "").trim().split(" ")
    .map((word) => WORDS.get(word) ?? word);
  if (words.length > 1 && words[0] === "the") words.shift();
  return words.join(" ");
}

// 火车站 and 汽车站 lose 站 only: 火 and 汽 alone name nothing.
const HAN_ENDING = /(?:公交车?站台?|地铁站|(?<![火汽])车站|站台|站)$/;
const LATIN_ENDING = /(?: bus stop| stop| station| halt)$/;

/** The plain name without "站", "station", "bus stop" and the like at its end. */
export function nameKey(name: string): string {
  let key = plainName(name);
  while (true) {
    const shorter = key.replace(hasHan(key) ? HAN_ENDING : LATIN_ENDING, "");
    if (shorter === "" || shorter === key) return key;
    key = shorter;
  }
}

const CONCEPTS = [
  ["火车", "railway"],
  ["机场", "airport"],
  ["大学", "university"],
  ["大学城", "university town"],
  ["医院", "hospital"],
  ["博物馆", "museum"],
  ["图书馆", "library"],
  ["动物园", "zoo"],
  ["体育场", "stadium"],
  ["港口", "port"],
  ["市政府", "city hall"],
  ["人民广场", "peoples square"],
  ["市中心", "city center"],
] as const;

/**
 * The key of a common place in the other language, for feeds that name their
 * stops in one only: "railway" for 火车, 机场 for "airport".
 */
export function otherLanguage(key: string): string | null {
  for (const [zh, en] of CONCEPTS) {
    if (key === zh) return en;
    if (key === en) return zh;
  }
  return null;
}

/** Pairs of neighbouring characters, counted once each. */
function bigrams(text: string): Set<string> {
  const chars = [...text];
  return new Set(chars.slice(1).map((char, i) => chars[i]! + char));
}

/** How much two names share, 0 to 1 (Dice over pairs of characters). */
export function likeness(a: string, b: string): number {
  const left = bigrams(a);
  const right = bigrams(b);
  if (left.size === 0 || right.size === 0) return 0;
  let shared = 0;
  for (const pair of left) if (right.has(pair)) shared += 1;
  return 2 * shared / (left.size + right.size);
}

/**
 * Letters to add, drop, change or swap to make `a` into `b`; `limit + 1` when
 * there are more than `limit`.
 */
export function typos(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let older: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(
        above[j]! + 1,
        row[j - 1]! + 1,
        above[j - 1]! + change,
      );
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] &&
        a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, older[j - 2]! + 1);
      row.push(cost);
    }
    if (Math.min(...row) > limit) return limit + 1;
    older = above;
    above = row;
  }
  return Math.min(above[b.length]!, limit + 1);
}
