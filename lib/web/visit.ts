/**
 * What every route is told about a request: whose it is, in which language and
 * colours it is answered, and the doors it may use.
 *
 * @module
 */
import { acceptsLanguages } from "@std/http/negotiation";
import {
  type AccessMode,
  authenticate,
  readCookies,
  type Tokens,
} from "../access/mod.ts";
import type { Language } from "../chat/views.ts";
import type { Runs } from "../runs/mod.ts";
import { HttpProblem } from "./problem.ts";
import type { ModelList, ToolServers, Visit } from "./route.ts";

export interface VisitOptions {
  runs: Runs;
  models: ModelList;
  toolServers: ToolServers;
  access: AccessMode;
  tokens: Tokens;
  /** The standard model as it is now, and whether it is the built-in demo. */
  model: () => { id: string; demo: boolean };
  /** The language of people who did not choose one; null: their browser's. */
  lang: Language | null;
  /** The public address is https. */
  secure: boolean;
}

/** Fills a request's state; headers set here go out with the answer. */
export type Prepare = (
  ctx: { readonly req: Request; readonly state: Visit },
  headers: Headers,
) => Promise<void>;

/**
 * Makes the function both hosts call before any route. It throws an
 * {@linkcode HttpProblem} 401 for a bearer token that is none.
 */
export function prepareVisit(options: VisitOptions): Prepare {
  const { runs, access, model, secure, tokens } = options;
  return async ({ req, state }, headers) => {
    const caller = await authenticate(req, { mode: access, secure, tokens });
    const refused = caller === "refused";
    const { owner, by, setCookie } = refused ? NOBODY : caller;
    if (setCookie !== null) headers.append("set-cookie", setCookie);
    const cookies = readCookies(req);
    const visit: Visit = {
      runs,
      models: options.models,
      toolServers: options.toolServers,
      access,
      owner,
      by,
      lang: languageOf(cookies["tt_lang"], req, options.lang),
      theme: themeOf(cookies["tt_theme"]),
      model: model(),
    };
    Object.assign(state, visit);
    // Not before: the error page is drawn from the state too.
    if (refused) throw wrongToken();
  };
}

/** Owns nothing: no owner the access room gives has this name. */
const NOBODY = { owner: "nobody", by: "cookie", setCookie: null } as const;

/** Says nothing of the token but that it is none. */
function wrongToken(): HttpProblem {
  return new HttpProblem(
    401,
    "invalid_api_key",
    "This bearer token is not known here. Make one with: deno task token add <name>",
    { headers: { "www-authenticate": "Bearer" } },
  );
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
