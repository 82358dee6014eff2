/**
 * Small facts about files: their hash and their media type.
 *
 * @module
 */

/** SHA-256 of some bytes, the first 16 hex digits: a name, not a secret. */
export async function hashOf(
  bytes: Uint8Array<ArrayBuffer> | string,
): Promise<string> {
  const data = typeof bytes === "string"
    ? new TextEncoder().encode(bytes)
    : bytes;
  const digest = await crypto.subtle.digest("SHA-256", data);
  return new Uint8Array(digest, 0, 8).toHex();
}

const TYPES: Record<string, string> = {
  css: "text/css; charset=utf-8",
  gif: "image/gif",
  html: "text/html; charset=utf-8",
  ico: "image/vnd.microsoft.icon",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  webmanifest: "application/manifest+json",
  webp: "image/webp",
  woff2: "font/woff2",
};

/** The media type for a file's name; bytes when the ending is not known. */
export function contentType(path: string): string {
  const ending = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  return TYPES[ending] ?? "application/octet-stream";
}
