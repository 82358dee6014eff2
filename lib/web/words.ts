/**
 * What a status means, for people, in both languages.
 *
 * @module
 */
import type { Language } from "../chat/views.ts";

export interface StatusWords {
  title: string;
  /** What it means and what to do. */
  hint: string;
}

const WORDS: Record<number, Record<Language, [string, string]>> = {
  400: {
    en: ["Not understood", "The request is malformed. Check the address."],
    zh: ["无法理解的请求", "请求格式有误，请检查地址。"],
  },
  401: {
    en: ["Not signed in", "Sign in and try again."],
    zh: ["尚未登录", "请登录后重试。"],
  },
  403: {
    en: [
      "Not allowed",
      "This was refused. Open the page itself and try again.",
    ],
    zh: ["不允许", "请求被拒绝。请打开本站页面后重试。"],
  },
  404: {
    en: ["Not found", "There is nothing here, or it is not yours."],
    zh: ["找不到", "这里没有内容，或者它不属于你。"],
  },
  405: {
    en: ["Method not allowed", "This address does not take that method."],
    zh: ["不支持的方法", "此地址不支持该请求方法。"],
  },
  406: {
    en: ["Not available in that form", "Ask for another content type."],
    zh: ["无法提供该格式", "请改用其他内容类型。"],
  },
  409: {
    en: [
      "In conflict",
      "Something else is going on here. Wait, then try again.",
    ],
    zh: ["冲突", "此处正在进行其他操作，请稍候重试。"],
  },
  413: {
    en: ["Too large", "Send less at once."],
    zh: ["内容过大", "请减少一次发送的内容。"],
  },
  414: {
    en: ["Address too long", "Send the text in the body of a POST instead."],
    zh: ["地址过长", "请改用 POST 发送文本。"],
  },
  415: {
    en: ["Wrong content type", "Send application/json."],
    zh: ["内容类型不对", "请发送 application/json。"],
  },
  421: {
    en: [
      "Wrong name",
      "This server does not answer to that host name. Whoever runs it can " +
      "allow the name with TICKERTAPE_HOSTS or TICKERTAPE_ORIGIN.",
    ],
    zh: [
      "名称不对",
      "本服务器不接受该主机名。管理员可通过 TICKERTAPE_HOSTS 或 " +
      "TICKERTAPE_ORIGIN 允许它。",
    ],
  },
  429: {
    en: ["Too many requests", "Wait a moment, then try again."],
    zh: ["请求过多", "请稍候再试。"],
  },
  500: {
    en: ["Something went wrong", "The server failed to do this. Try again."],
    zh: ["出错了", "服务器未能完成请求，请重试。"],
  },
  503: {
    en: [
      "Not available now",
      "The server cannot do this just now. Keep what you wrote, and try again " +
      "in a moment.",
    ],
    zh: ["暂时不可用", "服务器暂时无法处理。请保留已写的内容，稍后重试。"],
  },
  507: {
    en: [
      "No space left",
      "The server has no space left to save this. Keep what you wrote, and try " +
      "again once there is some.",
    ],
    zh: [
      "存储空间不足",
      "服务器没有空间保存此内容。请保留已写的内容，待有空间后重试。",
    ],
  },
};

/** The words for a status; an unlisted one gets those of its class. */
export function statusWords(status: number, lang: Language): StatusWords {
  const words = WORDS[status] ?? WORDS[status >= 500 ? 500 : 400]!;
  const [title, hint] = words[lang];
  return { title, hint };
}

/**
 * The language a reader prefers by Accept-Language (RFC 9110, 12.5.4): Chinese
 * if any Chinese is preferred to all English, else English.
 */
export function preferredLanguage(header: string | null): Language {
  let zh = 0, en = 0;
  for (const range of (header ?? "").slice(0, 1000).split(",")) {
    const [tag = "", ...params] = range.trim().toLowerCase().split(/\s*;\s*/);
    const q = params.find((param) => param.startsWith("q="))?.slice(2) ?? "1";
    const weight = Number(q);
    if (!(weight > 0)) continue;
    // Between equal weights the first one named wins.
    if (/^zh(-|$)/.test(tag) && weight > zh && weight > en) zh = weight;
    if (/^en(-|$)/.test(tag) && weight > en && weight > zh) en = weight;
  }
  return zh > en ? "zh" : "en";
}
