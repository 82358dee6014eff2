/**
 * Serves the files of `static/`, and only those: the folder is listed first and
 * an address must be on the list, so no path leads out of it (case E16).
 *
 * @module
 */
import { contentType, hashOf } from "./bytes.ts";

interface StaticFile {
  body: Uint8Array<ArrayBuffer>;
  type: string;
  hash: string;
}

export interface StaticFiles {
  /** The file at this address, 304 when the reader has it; undefined if there is none. */
  serve(req: Request, url: URL): Response | undefined;
  /** `/styles.css` → `/styles.css?v=…`, which may be cached for ever. */
  version(path: string): string;
}

const YEAR = "public, max-age=31536000, immutable";

/**
 * Reads a static folder into memory. Hidden files, source maps and links are
 * left out. A folder that does not exist is an empty one.
 *
 * @param dir the folder's URL, ending in a slash.
 */
export async function readStaticFiles(dir: URL): Promise<StaticFiles> {
  const files = new Map<string, StaticFile>();
  for await (const path of list(dir, "")) {
    const body = await Deno.readFile(new URL(path, dir));
    const hash = await hashOf(body);
    files.set(`/${decodeURIComponent(path)}`, {
      body,
      type: contentType(path),
      hash,
    });
  }

  function find(pathname: string): StaticFile | undefined {
    try {
      return files.get(decodeURIComponent(pathname));
    } catch {
      return undefined;
    }
  }

  return {
    serve(req, url) {
      const file = find(url.pathname);
      if (file === undefined) return;
      if (req.method !== "GET" && req.method !== "HEAD") {
        return new Response("Method Not Allowed", {
          status: 405,
          headers: { Allow: "GET, HEAD" },
        });
      }
      const versioned = url.searchParams.get("v") === file.hash;
      const headers = new Headers({
        "Content-Type": file.type,
        "Cache-Control": versioned ? YEAR : "no-cache",
        ETag: `W/"${file.hash}"`,
      });
      if (knows(req, file.hash)) {
        return new Response(null, { status: 304, headers });
      }
      headers.set("Content-Length", String(file.body.length));
      const body = req.method === "HEAD" ? null : file.body;
      return new Response(body, { headers });
    },
    version(path) {
      const file = path.includes("?") ? undefined : find(path);
      return file ? `${path}?v=${file.hash}` : path;
    },
  };
}

/** Serves bundles: their names carry their hash, so they never change. */
export function serveBundle(
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  req: Request,
  url: URL,
): Response | undefined {
  const body = files.get(url.pathname);
  if (body === undefined) return;
  const head = req.method === "HEAD";
  if (req.method !== "GET" && !head) {
    return new Response("Method Not Allowed", {
      status: 405,
      headers: { Allow: "GET, HEAD" },
    });
  }
  return new Response(head ? null : body, {
    headers: {
      "Content-Type": contentType(url.pathname),
      "Content-Length": String(body.length),
      "Cache-Control": YEAR,
    },
  });
}

/** True when the request already holds this version. */
function knows(req: Request, hash: string): boolean {
  const tags = req.headers.get("if-none-match");
  if (tags === null) return false;
  return tags.split(",").some((tag) => {
    const value = tag.trim().replace(/^W\//, "");
    return value === `"${hash}"` || value === "*";
  });
}

async function* list(dir: URL, prefix: string): AsyncGenerator<string> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(new URL(prefix, dir)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && prefix === "") return;
    throw error;
  }
  for (const { name, isDirectory, isFile } of entries) {
    const hidden = name.startsWith(".") && name !== ".well-known";
    if (hidden || name.endsWith(".map")) continue;
    const path = prefix + encodeURIComponent(name);
    if (isDirectory) yield* list(dir, `${path}/`);
    else if (isFile) yield path;
  }
}
