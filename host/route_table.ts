/**
 * Reads a `routes/` folder by Fresh's file conventions: `index`, `[param]`,
 * `_app`, `_error`, `_404`. What we do not use is refused by name at start, so
 * that no file works on one host and is silently skipped on the other.
 *
 * @module
 */

/** One route file: the address it answers and where its module is. */
export interface RouteFile {
  /** As Fresh writes it: `/c/:chat`. */
  pattern: string;
  file: URL;
}

/** A `routes/` folder, read. */
export interface RouteTable {
  /** Fixed addresses first, then those with parameters, the closer fit first. */
  routes: RouteFile[];
  app?: URL;
  error?: URL;
  notFound?: URL;
}

const SPECIAL: Record<string, "app" | "error" | "notFound"> = {
  _app: "app",
  _error: "error",
  _404: "notFound",
};
const MODULE = /\.[tj]sx?$/;
const TEST = /[._]test\.[tj]sx?$/;
const LITERAL = /^[\w.~-]+$/;
const PARAM = /^\[([A-Za-z]\w*)\]$/;

/**
 * Lists a routes folder.
 *
 * @param dir the folder's URL, ending in a slash.
 * @throws {Error} for a file name outside the conventions we use, and when two
 * files answer the same address.
 */
export async function readRoutes(dir: URL): Promise<RouteTable> {
  const table: RouteTable = { routes: [] };
  for await (const path of modules(dir, "")) {
    const file = new URL(path, dir);
    const name = path.replace(MODULE, "");
    const special = SPECIAL[name];
    if (special) table[special] = file;
    else table.routes.push({ pattern: patternOf(name), file });
  }
  table.routes.sort((a, b) => compare(a.pattern, b.pattern));
  table.routes.forEach((route, at) => {
    const next = table.routes[at + 1];
    if (next && shape(next.pattern) === shape(route.pattern)) {
      throw new Error(
        `Cannot serve "${route.pattern}": two route files answer it, ${route.file.pathname} and ${next.file.pathname}`,
      );
    }
  });
  return table;
}

/** The values of a pattern's parameters in a path, decoded as Fresh decodes them. */
export function paramsOf(
  pattern: string,
  pathname: string,
): Record<string, string> {
  const params: Record<string, string> = Object.create(null);
  const given = pathname.split("/");
  pattern.split("/").forEach((part, at) => {
    if (part.startsWith(":")) params[part.slice(1)] = decodeURI(given[at]!);
  });
  return params;
}

async function* modules(dir: URL, prefix: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(prefix, dir))) {
    const path = prefix + entry.name;
    if (entry.isDirectory) yield* modules(dir, `${path}/`);
    else if (MODULE.test(path) && !TEST.test(path)) yield path;
  }
}

function patternOf(name: string): string {
  const parts = name.split("/");
  if (parts.at(-1) === "index") parts.pop();
  const pattern = parts.map((part) => {
    const param = PARAM.exec(part);
    if (param) return `:${param[1]}`;
    if (LITERAL.test(part) && !part.startsWith("_")) return part;
    throw new Error(
      `Cannot serve the route file "${name}": "${part}" is neither a plain name nor [param]`,
    );
  });
  return `/${pattern.join("/")}`;
}

/** A pattern with its parameters nameless: `/c/:` */
function shape(pattern: string): string {
  return pattern.replace(/:[^/]+/g, ":");
}

/** Fixed addresses first; then, part by part, a plain name before a parameter. */
function compare(a: string, b: string): number {
  const dynamic = Number(a.includes(":")) - Number(b.includes(":"));
  if (dynamic !== 0) return dynamic;
  const left = a.split("/"), right = b.split("/");
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const x = left[at]!, y = right[at]!;
    const param = Number(x.startsWith(":")) - Number(y.startsWith(":"));
    if (param !== 0) return param;
    if (shape(x) !== shape(y)) return x < y ? -1 : 1;
  }
  return left.length - right.length;
}
