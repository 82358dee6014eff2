/**
 * The page a person sees when a request is refused before any route ran. It
 * stands alone: no script, no file, one style the policy names by its hash.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Language } from "../chat/views.ts";
import { statusWords } from "./words.ts";

const STYLE =
  ":root{color-scheme:light dark;font:16px/1.6 system-ui,sans-serif}" +
  "body{max-width:34rem;margin:15vh auto;padding:0 1.5rem}" +
  "h1{font-size:1.5rem}small{opacity:.7}";

const hash = createHash("sha256").update(STYLE).digest("base64");

/** The policy of this one page. */
export const REFUSAL_POLICY =
  `default-src 'none'; style-src 'sha256-${hash}'; ` +
  "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const LINES: Record<Language, { back: string; id: string }> = {
  en: { back: "To the start page", id: "Error id" },
  zh: { back: "返回首页", id: "错误编号" },
};

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

/** The page. `detail` is a problem's, in English. */
export function refusalPage(
  status: number,
  lang: Language,
  id: string,
  detail: string,
): Response {
  const words = statusWords(status, lang);
  const { title } = words;
  const hint = lang === "en" ? escaped(detail) : words.hint;
  const { back, id: idLabel } = LINES[lang];
  const html = `<!doctype html>
<html lang="${lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${status} ${title}</title><style>${STYLE}</style></head>
<body><h1>${title}</h1><p>${hint}</p><p><a href="/">${back}</a></p>
<small>${status} · ${idLabel} ${id}</small></body></html>
`;
  return new Response(html, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "vary": "accept, accept-language",
    },
  });
}
