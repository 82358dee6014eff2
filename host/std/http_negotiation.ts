/**
 * The part of `@std/http/negotiation` we use, for networks without JSR
 * (`deno.npm.json` maps the name here). Rules: RFC 9110, sections 12.4 and 12.5.
 *
 * @module
 */

/** One entry of an Accept header: what, how much it is wanted, where it stood. */
interface Wish {
  value: string;
  params: [string, string][];
  q: number;
  at: number;
}

/** How closely a wish names an offer: higher is closer, 0 a wildcard. */
type Fit = (wish: Wish, offer: string) => number | undefined;

function parse(header: string): Wish[] {
  return header.split(",").flatMap((entry, at) => {
    const [value = "", ...rest] = entry.split(";").map((part) => part.trim());
    if (value === "" || /\s/.test(value)) return [];
    const params: [string, string][] = [];
    let q = 1;
    for (const part of rest) {
      const eq = part.indexOf("=");
      const key = eq < 0 ? part : part.slice(0, eq);
      const text = eq < 0 ? "" : part.slice(eq + 1).replace(/^"(.*)"$/, "$1");
      if (key === "q" && text) {
        q = parseFloat(text);
        break;
      }
      params.push([key, text]);
    }
    return [{ value, params, q, at }];
  });
}

/** The offers that are acceptable, the most wanted first. */
function rank(wishes: Wish[], offers: string[], fit: Fit): string[] {
  return offers
    .map((offer, at) => {
      let best: { wish: Wish; close: number } | undefined;
      for (const wish of wishes) {
        const close = fit(wish, offer);
        if (close === undefined) continue;
        const better = best === undefined || close > best.close ||
          close === best.close && wish.q >= best.wish.q;
        if (better) best = { wish, close };
      }
      return { offer, at, best };
    })
    .filter(({ best }) => best !== undefined && best.wish.q > 0)
    .sort((a, b) =>
      b.best!.wish.q - a.best!.wish.q || b.best!.close - a.best!.close ||
      a.best!.wish.at - b.best!.wish.at || a.at - b.at
    )
    .map(({ offer }) => offer);
}

function fitsType(wish: Wish, offer: string): number | undefined {
  const offered = parse(offer)[0];
  if (offered === undefined) return;
  const [type, subtype] = wish.value.toLowerCase().split("/");
  const [offeredType, offeredSub] = offered.value.toLowerCase().split("/");
  let close = 0;
  if (type === offeredType) close += 4;
  else if (type !== "*") return;
  if (subtype === offeredSub) close += 2;
  else if (subtype !== "*") return;
  if (wish.params.length > 0) {
    const given = new Map(offered.params);
    const all = wish.params.every(([key, value]) =>
      (given.get(key) ?? "").toLowerCase() === value.toLowerCase()
    );
    if (!all) return;
    close += 1;
  }
  return close;
}

function fitsLanguage(wish: Wish, offer: string): number | undefined {
  const wanted = wish.value.toLowerCase(), offered = offer.toLowerCase();
  if (wanted === offered) return 4;
  if (wanted.split("-")[0] === offered.split("-")[0]) return 2;
  return wanted === "*" ? 0 : undefined;
}

function choose(
  header: string | null,
  offers: string[],
  fit: Fit,
): string | undefined {
  if (!header) return offers[0];
  return rank(parse(header), offers, fit)[0];
}

/** What a header wants, the most wanted first; what it refuses is left out. */
function wanted(header: string | null, anything: string): string[] {
  if (!header) return [anything];
  return parse(header).filter((wish) => wish.q > 0)
    .sort((a, b) => b.q - a.q || a.at - b.at)
    .map((wish) => wish.value);
}

/** The media types a request accepts, the most wanted first. */
export function accepts(request: Pick<Request, "headers">): string[];
/**
 * The offered media type this request wants most; undefined when it accepts
 * none. Without an Accept header, the first offer.
 */
export function accepts<T extends string>(
  request: Pick<Request, "headers">,
  ...types: T[]
): T | undefined;
export function accepts(
  request: Pick<Request, "headers">,
  ...types: string[]
): string | string[] | undefined {
  const header = request.headers.get("accept");
  return types.length === 0
    ? wanted(header, "*/*")
    : choose(header, types, fitsType);
}

/** The languages a request accepts, the most wanted first. */
export function acceptsLanguages(request: Pick<Request, "headers">): string[];
/**
 * The offered language this request wants most; undefined when it accepts
 * none. Without an Accept-Language header, the first offer.
 */
export function acceptsLanguages<T extends string>(
  request: Pick<Request, "headers">,
  ...langs: T[]
): T | undefined;
export function acceptsLanguages(
  request: Pick<Request, "headers">,
  ...langs: string[]
): string | string[] | undefined {
  const header = request.headers.get("accept-language");
  return langs.length === 0
    ? wanted(header, "*")
    : choose(header, langs, fitsLanguage);
}
