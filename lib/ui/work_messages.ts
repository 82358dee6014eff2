/**
 * The words of an agent at work: its tools, what they answer, what it asks. Apart
 * from the others, because a page loads them only once there is work to draw.
 *
 * @module
 */
import type { Language } from "../chat/views.ts";

const en = {
  toolState: {
    input: "writing the request",
    waiting: "waiting for you",
    running: "working",
    done: "done",
    failed: "failed",
    stopped: "stopped",
    unrun: "not run",
  },
  toolNames: {
    bus_schedule: "Bus schedule",
    current_time: "Current time",
    calculator: "Calculator",
    search_knowledge: "Knowledge search",
    read_document: "Document",
    read_web_page: "Web page",
  } as Record<string, string>,
  toolInput: "Request",
  toolOutput: "Result",
  toolWhole: "The whole result",
  toolError: "Error",
  progress: (done: string, total: string) => `${done} of ${total}`,
  nothingToShow: "no arguments",

  mayRun: (tool: string) => `Run “${tool}”?`,
  mayRunFrom: (tool: string, server: string) =>
    `Run “${tool}” of the server “${server}”?`,
  mayRead: "Read this web page?",
  tool: "Tool: ",
  builtIn: ", built into Tickertape. ",
  fromServer: (server: string) => `, brought by the tool server “${server}”. `,
  why: {
    effect: "It can change something, here or out in the world.",
    taint:
      "Text from outside is in this chat, and this call would carry text out.",
  },
  sends: "It is called with exactly this:",
  leadsTo: (host: string) => `leads to ${host}`,
  once: "Allow once",
  chat: "Always in this chat",
  chatHint: "Runs this tool, as it is now, without asking in this chat",
  denied: "Don't allow",
  until: (time: string) => `until ${time}`,
  saying: "Telling the agent…",
  needsScripts: "Turn on JavaScript to answer, or answer in another browser.",
  said: {
    once: "You allowed this once.",
    chat: "You allowed this tool in this chat.",
    denied: "You did not allow this. It was not run.",
    expired: "Nobody answered in time. It was not run.",
    never: "This was not answered. It was not run.",
  },
  lateAnswer: {
    already_answered: "Someone was faster: this has been answered already.",
    run_over: "Too late: the answer has ended meanwhile. Nothing was run.",
    expired: "Too late: the question had expired. Nothing was run.",
    gone: "This question no longer exists. Reload the page.",
    signIn: "Your access has ended. Sign in again and answer then.",
    failed: "Your decision did not reach the server. Try again.",
  },

  steps: (n: number) =>
    `The agent has used ${n} steps without finishing. Go on?`,
  loop: "The agent repeats itself: the same call, with the same result. Go on?",
  goOn: "Go on",
  stopHere: "Stop here",
  saidOfRun: {
    denied: "You stopped it here.",
    expired: "Nobody answered in time, so it stopped here.",
    never: "It stopped here without an answer.",
  },

  departures: "Departures",
  trips: "Trips",
  firstLast: "First and last buses",
  boardRoute: "Line",
  boardTo: "To",
  boardDeparture: "Departs",
  boardArrival: "Arrives",
  boardIn: "In",
  noDepartures: "No departures found.",
  now: "now",
  minutes: (n: number) => `${n} min`,
  onTheWay: (n: number) => `${n} min ride`,
  hoursMinutes: (h: number, m: number) =>
    m === 0 ? `${h} h` : `${h} h ${m} min`,
  nextDay: (n: number) => `+${n} d`,
  feed: (publisher: string) => `Timetable: ${publisher}`,
  feedUntil: (date: string) => `valid until ${date}`,
  feedOld: "This day lies outside the timetable's dates.",
  stopsFound: (query: string) => `Stops matching “${query}”`,
  noStops: "No stop matches.",
};

/** The words of an agent at work; every language has exactly these. */
export type WorkMessages = typeof en;

const zh: WorkMessages = {
  toolState: {
    input: "正在填写请求",
    waiting: "等你决定",
    running: "运行中",
    done: "完成",
    failed: "失败",
    stopped: "已停止",
    unrun: "未运行",
  },
  toolNames: {
    bus_schedule: "公交时刻",
    current_time: "当前时间",
    calculator: "计算器",
    search_knowledge: "知识检索",
    read_document: "文档",
    read_web_page: "网页",
  },
  toolInput: "请求",
  toolOutput: "结果",
  toolWhole: "完整结果",
  toolError: "错误",
  progress: (done, total) => `第 ${done} 项，共 ${total} 项`,
  nothingToShow: "没有参数",

  mayRun: (tool) => `运行“${tool}”吗？`,
  mayRunFrom: (tool, server) => `运行服务器“${server}”的“${tool}”吗？`,
  mayRead: "读取这个网页吗？",
  tool: "工具：",
  builtIn: "，Tickertape 自带。",
  fromServer: (server) => `，来自工具服务器“${server}”。`,
  why: {
    effect: "它可能改动本机或外部的东西。",
    taint: "对话里已有来自外部的文字，而这次调用会把文字带出去。",
  },
  sends: "调用的内容一字不差，如下：",
  leadsTo: (host) => `通往 ${host}`,
  once: "允许一次",
  chat: "本对话始终允许",
  chatHint: "在本对话中运行现在这个版本的工具，不再询问",
  denied: "不允许",
  until: (time) => `${time} 前有效`,
  saying: "正在转告智能体…",
  needsScripts: "要回答请启用 JavaScript，或换一个浏览器回答。",
  said: {
    once: "你允许了这一次。",
    chat: "你在本对话中允许了这个工具。",
    denied: "你没有允许，因此没有运行。",
    expired: "没有人及时回答，因此没有运行。",
    never: "没有得到回答，因此没有运行。",
  },
  lateAnswer: {
    already_answered: "有人抢先一步：这个问题已经回答过了。",
    run_over: "太迟了：这次回答已经结束，什么也没有运行。",
    expired: "太迟了：这个问题已经过期，什么也没有运行。",
    gone: "这个问题已不存在，请刷新页面。",
    signIn: "登录已失效，请重新登录后再决定。",
    failed: "你的决定没有送达服务器，请再试一次。",
  },

  steps: (n) => `智能体已经用了 ${n} 步还没有完成，要继续吗？`,
  loop: "智能体在原地打转：同样的调用，同样的结果。要继续吗？",
  goOn: "继续",
  stopHere: "到此为止",
  saidOfRun: {
    denied: "你让它到此为止。",
    expired: "没有人及时回答，就停在了这里。",
    never: "没有得到回答，就停在了这里。",
  },

  departures: "发车时刻",
  trips: "直达班次",
  firstLast: "首末班车",
  boardRoute: "线路",
  boardTo: "开往",
  boardDeparture: "发车",
  boardArrival: "到达",
  boardIn: "还有",
  noDepartures: "没有找到班次。",
  now: "即将发车",
  minutes: (n) => `${n} 分钟`,
  onTheWay: (n) => `全程 ${n} 分钟`,
  hoursMinutes: (h, m) => m === 0 ? `${h} 小时` : `${h} 小时 ${m} 分`,
  nextDay: (n) => n === 1 ? "次日" : `${n} 天后`,
  feed: (publisher) => `时刻表：${publisher}`,
  feedUntil: (date) => `有效期至 ${date}`,
  feedOld: "所查日期不在时刻表有效期内。",
  stopsFound: (query) => `与“${query}”匹配的站点`,
  noStops: "没有匹配的站点。",
};

export const workMessages: Record<Language, WorkMessages> = { zh, en };
