/**
 * The buses of Xinglan (星澜市), a city that does not exist, placed in the sea so
 * that no real one is meant. `make.ts` writes them down as a feed.
 *
 * @module
 */

export const FIRST_DAY = "20250101";
export const LAST_DAY = "20301231";

/** id: Chinese, English, and where it lies on a grid of about 600 m. */
export const PLACES: Record<string, [string, string, number, number]> = {
  RS: ["火车站", "Railway Station", 0, 0],
  RN: ["火车站北广场", "Railway Station North Plaza", 0, 2],
  CB: ["长途汽车站", "Coach Station", -1, 0],
  CH: ["市政府", "City Hall", 2, 0],
  PS: ["人民广场", "People's Square", 3, 0],
  TM: ["钟楼", "Bell Tower", 4, -1],
  LB: ["市图书馆", "City Library", 5, 0],
  H1: ["市第一医院", "First City Hospital", 6, 0],
  H2: ["儿童医院", "Children's Hospital", 6, -3],
  FD: ["丰收路", "Harvest Road", 7, 1],
  ST: ["体育中心", "Sports Centre", 8, 1],
  UL: ["大学城图书馆", "University Library", 10, 0],
  UN: ["大学城", "University", 11, 0],
  US: ["大学城南", "University South", 11, -2],
  MU: ["星澜博物馆", "Xinglan Museum", 1, -2],
  AR: ["美术馆", "Art Gallery", 2, 2],
  OT: ["老城南门", "Old Town South Gate", 3, -2],
  ON: ["老城北门", "Old Town North Gate", 3, 2],
  MK: ["花鸟市场", "Flower and Bird Market", 4, -3],
  RV: ["江滨公园", "Riverside Park", 5, -3],
  SC: ["第三中学", "No. 3 Middle School", 8, -3],
  GA: ["花园小区", "Garden Estate", 9, -2],
  ZO: ["动物园", "Zoo", -3, 4],
  BG: ["植物园", "Botanical Garden", -2, 4],
  LK: ["月湖", "Moon Lake", 0, 4],
  BR: ["星澜大桥", "Xinglan Bridge", 3, -4],
  FE: ["轮渡码头", "Ferry Terminal", 3, -6],
  PT: ["港口", "Harbour", 4, -7],
  AP: ["机场", "Airport", -9, 9],
  NX: ["新城广场", "New Town Plaza", -5, 5],
  EX: ["会展中心", "Exhibition Centre", -3, 2],
  TV: ["电视塔", "TV Tower", 1, 3],
  TE: ["云台寺", "Yuntai Temple", -5, 7],
  TP: ["科技园", "Science Park", 13, 1],
  SW: ["软件园", "Software Park", 14, 2],
  NS: ["南山村", "Nanshan Village", -6, -4],
  JS: ["建设路口", "Jianshe Road", -3, -2],
};

/** Stations with platforms; every other place is a single stop. */
export const PLATFORMS: Record<string, string[]> = {
  RS: ["A", "B", "C"],
  PS: ["A", "B"],
  UN: ["A", "B"],
  AP: ["1", "2"],
};

/** From "HH:MM" to "HH:MM" (over 24:00 after midnight), every so many minutes. */
export type Headway = [from: string, to: string, every: number];

export interface Line {
  id: string;
  zh: string;
  en: string;
  color: string;
  /** Stop, and minutes from the stop before; "RS.A" is a platform. */
  stops: [string, number][];
  /** Headsigns there and back. */
  signs: [string, string];
  services: Record<string, Headway[]>;
}

export const LINES: Line[] = [
  {
    id: "1",
    zh: "火车站－大学城南",
    en: "Railway Station – University South",
    color: "D7263D",
    stops: [
      ["RS.A", 0],
      ["CH", 4],
      ["PS.A", 2],
      ["TM", 2],
      ["LB", 3],
      ["H1", 2],
      ["FD", 3],
      ["ST", 2],
      ["UL", 4],
      ["UN.A", 3],
      ["US", 4],
    ],
    signs: ["US", "RS"],
    services: {
      weekday: [
        ["05:40", "07:00", 10],
        ["07:00", "09:30", 8],
        ["09:30", "16:30", 10],
        ["16:30", "19:30", 8],
        ["19:30", "23:01", 15],
      ],
      weekend: [["06:00", "23:01", 12]],
    },
  },
  {
    id: "2",
    zh: "长途汽车站－大学城",
    en: "Coach Station – University",
    color: "1B6CA8",
    stops: [
      ["CB", 0],
      ["RS.B", 3],
      ["MU", 4],
      ["OT", 4],
      ["MK", 3],
      ["RV", 3],
      ["H2", 2],
      ["SC", 4],
      ["GA", 3],
      ["US", 4],
      ["UN.B", 4],
    ],
    signs: ["UN", "CB"],
    services: {
      weekday: [["05:55", "20:00", 15], ["20:00", "22:31", 20]],
      weekend: [["06:15", "22:31", 20]],
    },
  },
  {
    id: "K3",
    zh: "火车站－软件园快线",
    en: "Railway Station – Software Park Express",
    color: "F46036",
    stops: [
      ["RS.A", 0],
      ["PS.A", 5],
      ["ST", 7],
      ["UN.A", 6],
      ["TP", 4],
      ["SW", 3],
    ],
    signs: ["SW", "RS"],
    services: { weekday: [["07:05", "09:06", 12], ["17:05", "19:06", 12]] },
  },
  {
    id: "4",
    zh: "动物园－港口",
    en: "Zoo – Harbour",
    color: "2E933C",
    stops: [
      ["ZO", 0],
      ["BG", 3],
      ["LK", 4],
      ["ON", 5],
      ["PS.B", 4],
      ["OT", 3],
      ["BR", 4],
      ["FE", 5],
      ["PT", 3],
    ],
    signs: ["PT", "ZO"],
    services: { daily: [["06:10", "21:31", 20]] },
  },
  {
    id: "7",
    zh: "南山村－科技园",
    en: "Nanshan Village – Science Park",
    color: "6A4C93",
    stops: [
      ["NS", 0],
      ["JS", 6],
      ["CB", 5],
      ["AR", 6],
      ["ON", 3],
      ["LB", 5],
      ["ST", 6],
      ["TP", 9],
    ],
    signs: ["TP", "NS"],
    services: {
      weekday: [["06:00", "21:01", 20]],
      weekend: [["06:30", "20:31", 30]],
    },
  },
  {
    id: "A1",
    zh: "机场快线",
    en: "Airport Express",
    color: "0B4F6C",
    stops: [
      ["AP.1", 0],
      ["AP.2", 3],
      ["NX", 14],
      ["EX", 8],
      ["RN", 9],
      ["RS.B", 4],
    ],
    signs: ["RS", "AP"],
    services: { daily: [["05:00", "23:31", 30]] },
  },
  {
    id: "T6",
    zh: "周末旅游专线",
    en: "Weekend Sightseeing",
    color: "C9A227",
    stops: [
      ["RS.C", 0],
      ["MU", 5],
      ["TM", 6],
      ["TV", 8],
      ["ZO", 10],
      ["TE", 9],
    ],
    signs: ["TE", "RS"],
    services: { weekend: [["08:30", "17:31", 30]] },
  },
  {
    id: "N1",
    zh: "夜班 火车站－大学城南",
    en: "Night bus Railway Station – University South",
    color: "22223B",
    stops: [
      ["RS.C", 0],
      ["PS.A", 5],
      ["TM", 2],
      ["H1", 4],
      ["ST", 4],
      ["UN.A", 6],
      ["US", 3],
    ],
    signs: ["US", "RS"],
    services: { daily: [["23:20", "29:21", 30]] },
  },
];

/** Public holidays, on which the weekend timetable runs. */
export const HOLIDAYS = [
  "0101",
  "0501",
  "1001",
  "1002",
  "1003",
];
export const SPRING_FESTIVAL = [
  "20250129",
  "20260217",
  "20270206",
  "20280126",
  "20290213",
  "20300203",
];
