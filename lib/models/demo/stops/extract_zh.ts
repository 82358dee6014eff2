/**
 * Chinese questions about buses: the words that are no place names are cut out,
 * what stays between 从, 到 and 去 are the stops.
 *
 * @module
 */
import {
  type BusQuestion,
  type Mark,
  type Places,
  takeWords,
  type Word,
} from "./extract.ts";
import { readNumber } from "./when_zh.ts";

// 火车站, 汽车站, 停车场 and 公交总站 are places; other 车 and 公交 are the bus.
const BUS =
  /公交车?(?!总站|枢纽|中心|站|场)|公共汽车(?!站)|巴士(?!站)|班车|乘车|(?<![火汽停电客])车(?![站场库])/g;

const WORDS: Word[] = [
  {
    pattern: /首末班车?/g,
    mark: "first",
  },
  {
    pattern: /末班车?|尾班车?|最后一?[班趟]车?|最晚的?(?:一?[班趟]车?)?/g,
    mark: "last",
  },
  {
    pattern: /首班车?|头班车?|第一[班趟]车?|最早的?(?:一?[班趟]车?)?/g,
    mark: "first",
  },
  {
    pattern:
      /再下一?[班趟]车?|下下一?[班趟]车?|再后面的?(?:一?[班趟])?|(?:之后|后面)[那的]?一?[班趟]|再晚一?点?的?|^那?再?下一?[班趟]呢/g,
    mark: "later",
  },
  {
    pattern:
      /下一[班趟辆]车?|下[班趟辆](?:公交|巴士|车)|最近的?一?[班趟]车?|接下来|多久一[班趟]/g,
    mark: "next",
  },
  { pattern: /反过来|反方向|返程|回程|往回|回来|倒过来/g, mark: "back" },
  {
    pattern:
      /有没有叫|(?:查找|搜索|寻找|搜|找)(?:一?下|一找|到)?(?:站点|车站)?|(?:附近)?有?(?:哪些|哪个|什么|哪几个)(?:公交|车)?站点?(?!台)|站名/g,
    mark: "find",
  },
  {
    pattern:
      /(?:应该|可以|要)?(?:怎么|怎样|如何|咋)(?=去|到|前往|回)|(?:应该|可以|要)?(?:怎么|怎样|如何|咋)(?:走|坐车?|乘车?|过去|搭车?)/g,
    mark: "way",
  },
  {
    pattern:
      /(?:坐|乘|搭)(?:什么(?!时候)|哪个|哪些|哪一?[趟班路])(?:公交|线)?车?|(?:几路|哪一?路|哪一?[趟班]|哪条线)(?:公交)?车?|(?:什么|哪些|啥)(?:公交|车)车?/g,
    mark: "bus",
  },
  { pattern: /时刻表?|班次|车次|发车|几点开|到站时间/g, mark: "bus" },
  { pattern: BUS, mark: "bus" },
  { pattern: /^(?:那么?|还有|然后)|呢[?。!]*$/g, mark: "more" },
  {
    pattern:
      /^(?:你好|您好|嗨|哈喽|在吗)|(?:想一想|想想看)[:,]?|请问一?下?|麻烦您?|帮(?:我|忙)|告诉我|我?想知道|查查|查询|查一?下|看看|看一下|我(?:现在)?(?:想|要|得|打算|准备)+(?=去|到|从|坐|乘|回)|想要?(?=去|到|从|坐|乘|回)|能不能|可不可以|可以|能(?=到|去)/g,
  },
  {
    pattern:
      /大?概?(?:是|在)?(?:几点钟?|什么时候|何时|多长时间|多久)(?:出发|开|有|到)?|(?:都|还)?有(?:没有)?|出发|方向|一下|谢谢你?|附近|直达|时间|怎么[查用问]|有用|下班(?:以后|之后|后)?/g,
  },
];

// What clings to a name once the words around it are gone.
const EDGES =
  /^[的是那我请就都也还坐乘搭叫名为要得个]+|[的是吗呢吧啊呀嘛了就都也还坐乘搭叫要会]+$/g;
const NAMED_ROUTE =
  /第?([A-Za-z]{0,2}\d{1,4}[A-Za-z]?)\s*(?:路|号线|号?公交|线)车?/;
const SPELT_ROUTE = /(?<=^|[坐乘查那问搭|])([一二三四五六七八九十]{1,3})路车?/;
// "T6几点" is a line, 机场T2 and 火车站A1出口 are not.
const BARE_ROUTE = /(?<![\w场站楼])([A-Z]\d{1,3})(?!\w)/;

/** Reads a Chinese question whose time words are already gone. */
export function readChinese(text: string): Omit<BusQuestion, "when"> {
  const marks = new Set<Mark>();
  const { rest: unrouted, route } = takeRoute(text.trim());
  if (route !== undefined) marks.add("bus");
  const rest = takeWords(unrouted, WORDS, marks);
  return { ...readPlaces(rest), ...(route && { route }), marks };
}

function takeRoute(text: string): { rest: string; route?: string } {
  for (const pattern of [NAMED_ROUTE, SPELT_ROUTE, BARE_ROUTE]) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const name = match[1]!;
    const route = pattern === SPELT_ROUTE
      ? String(readNumber(name))
      : name.toUpperCase();
    return { rest: text.replace(match[0], "|"), route };
  }
  return { rest: text };
}

function readPlaces(text: string): Places {
  const places: Places = {};
  // A blank between two Latin words belongs to a name, any other parts names.
  const segments = text
    .replace(/(?<![A-Za-z.'&]) +| +(?![A-Za-z])/g, "|")
    .split(/[|,，。.?？!！;；、"“”「」《》'‘’]|的(?![士])/);
  for (const segment of segments) {
    const trimmed = segment.trim().replace(EDGES, "");
    const [, origin, body] = /^(从|由|离开|在|于)?(.*)$/s.exec(trimmed)!;
    const [head, ...tails] = body!.split(
      /到达|前往|开往|去往|往返|到|去|往|至|回/,
    )
      .map((name) => name.replace(EDGES, "").trim());
    const tail = tails.find((name) => name !== "");
    if (head) {
      // "我在火车站" and "火车站到…" say where one is.
      if (origin || tail || tails.length > 0) places.from ??= head;
      else places.stop ??= head;
    }
    if (tail) places.to ??= tail;
  }
  // "火车站, 去机场": the loose name is where it begins.
  if (places.to && places.stop && !places.from) {
    places.from = places.stop;
    delete places.stop;
  }
  return places;
}
