/**
 * Named faults and shapes, for tests and for rehearsals by hand: chosen by a
 * message (`/demo cut 12`) or by the model's name (`tickertape-demo:cut:12`).
 *
 * @module
 */
import type { Language } from "./language.ts";
import type { Message } from "./wire.ts";

/** Every scenario, in the order `/demo help` shows them. */
export const SCENARIOS = [
  {
    name: "plainText",
    en: "a short answer, nothing else",
    zh: "一段简短的回答",
  },
  {
    name: "toolCall",
    en: "one tool call, then an answer",
    zh: "先调用一个工具，再回答",
  },
  {
    name: "parallelTools",
    en: "several tool calls at once",
    zh: "同时调用几个工具",
  },
  {
    name: "reasoning",
    en: "reasoning first, then the answer",
    zh: "先给出思考过程，再回答",
  },
  {
    name: "slowStream",
    en: "a tenth of the typing speed",
    zh: "打字速度降到十分之一",
  },
  {
    name: "manyTokens",
    en: "20,000 tokens as fast as possible (or n)",
    zh: "尽快送出 20,000 个词元（或 n 个）",
  },
  {
    name: "unicode",
    en: "emoji in pieces, line ends, `data: x`",
    zh: "拆开的表情、各种换行、`data: x`",
  },
  {
    name: "stall",
    en: "silence for ever after 5 tokens (or n)",
    zh: "5 个（或 n 个）词元后永远沉默",
  },
  {
    name: "emptyStream",
    en: "a proper stream without a word",
    zh: "格式完整但一个字也没有的流",
  },
  {
    name: "cut",
    en: "the socket drops after 5 tokens (or n)",
    zh: "5 个（或 n 个）词元后连接断开",
  },
  {
    name: "truncated",
    en: "a clean end after 5 tokens (or n), no finish",
    zh: "5 个（或 n 个）词元后无声结束，没有结束标记",
  },
  {
    name: "malformed",
    en: "broken JSON after 5 tokens (or n)",
    zh: "5 个（或 n 个）词元后出现坏掉的 JSON",
  },
  { name: "length", en: "stops at the length limit", zh: "因长度上限而停止" },
  {
    name: "contentFilter",
    en: "stops at the content filter",
    zh: "被内容过滤器截停",
  },
  {
    name: "rateLimited",
    en: "429 once, retry after 1 s, then an answer",
    zh: "先返回一次 429（1 秒后重试），然后回答",
  },
  { name: "rateLimitedForever", en: "429 every time", zh: "每次都返回 429" },
  { name: "serverError", en: "500 every time", zh: "每次都返回 500" },
  {
    name: "badKey",
    en: "401, with a key in the message",
    zh: "401，错误信息里带着密钥",
  },
  {
    name: "contextLength",
    en: "400, the conversation is too long",
    zh: "400，对话太长",
  },
  {
    name: "htmlPage",
    en: "200 with a login page",
    zh: "200，却是一个登录网页",
  },
  {
    name: "unknownTool",
    en: "calls a tool that does not exist",
    zh: "调用一个不存在的工具",
  },
  {
    name: "badArguments",
    en: "tool arguments that are no JSON",
    zh: "工具参数不是合法的 JSON",
  },
  {
    name: "hugeTool",
    en: "tool arguments of more than 1 MiB",
    zh: "超过 1 MiB 的工具参数",
  },
  { name: "loop", en: "calls tools for ever", zh: "没完没了地调用工具" },
] as const satisfies readonly { name: string; en: string; zh: string }[];

export type Scenario = typeof SCENARIOS[number]["name"];

/** A scenario as asked for; a name nobody knows shows the list. */
export interface Chosen {
  name: string;
  count?: number;
}

const COMMAND = /^\s*\/demo\b\s*(\S*)\s*(\d{1,6})?/;
const SUFFIX = /^[^:]+:(\w+)(?::(\d{1,6}))?$/;

/** The scenario a request asks for: its last question's, else its model's. */
export function chosenScenario(
  model: string,
  messages: Message[],
): Chosen | null {
  const question = messages.findLast((message) => message.role === "user");
  const match = COMMAND.exec(question?.content ?? "") ?? SUFFIX.exec(model);
  if (match === null) return null;
  const chosen: Chosen = { name: match[1]! };
  if (match[2] !== undefined) chosen.count = Number(match[2]);
  return chosen;
}

/** What `/demo help` shows. */
export function help(language: Language): string {
  const lines = SCENARIOS.map((scenario) =>
    `- \`/demo ${scenario.name}\`: ${scenario[language]}`
  );
  const intro = language === "zh"
    ? "可以演练的场景："
    : "Scenarios you can rehearse:";
  return `${intro}\n\n${lines.join("\n")}`;
}
