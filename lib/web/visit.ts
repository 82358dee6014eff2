/**
 * What every route is told about a request: whose it is, in which language and
 * colours it is answered, and the doors it may use.
 *
 * @module
 */
import { acceptsLanguages } from "@std/http/negotiation";
import { type AccessMode, identify, readCookies } from "../access/mod.ts";
import type { Language } from "../chat/views.ts";
import type { Runs } from "../runs/mod.ts";
import type { Visit } from "./route.ts";

export interface VisitOptions {
  runs: Runs;
  access: AccessMode;
  model: { id: string; demo: boolean };
  /** The language of people who did not choose one; null: their browser's. */
  lang: Language | null;
  /** The public address is https. */
  secure: boolean;
}

/** Fills a request's state; headers set here go out with the answer. */
export type Prepare = (
  ctx: { readonly req: Request; readonly state: Visit },
  headers: Headers,
) => void;

/** Makes the function both hosts call before any route. */
export function prepareVisit(options: VisitOptions): Prepare {
  const { runs, access, model, secure } = options;
  return ({ req, state }, headers) => {
    const visitor = identify(req, access, secure);
    if (visitor.setCookie !== null) {
      headers.append("set-cookie", visitor.setCookie);
    }
    const cookies = readCookies(req);
    const visit: Visit = {
      runs,
      owner: visitor.owner,
      lang: languageOf(cookies["tt_lang"], req, options.lang),
      theme: themeOf(cookies["tt_theme"]),
      model,
    };
    Object.assign(state, visit);
  };
}

function languageOf(
  chosen: string | undefined,
  req: Request,
  configured: Language | null,
): Language {
  if (chosen === "zh" || chosen === "en") return chosen;
  if (configured !== null) return configured;
  const wanted = acceptsLanguages(req)
    .map((tag) => tag.toLowerCase().split("-")[0])
    .find((tag) => tag === "zh" || tag === "en");
  return wanted === "zh" ? "zh" : "en";
}

function themeOf(chosen: string | undefined): Visit["theme"] {
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}
