/**
 * An image a person sent, given back as bytes.
 *
 * @module
 */

/** @param url A data URL that was checked when it came in. */
export function imageResponse(url: string): Response {
  const [head, base64] = url.split(",", 2) as [string, string];
  return new Response(Uint8Array.fromBase64(base64), {
    headers: {
      "content-type": head.slice("data:".length, -";base64".length),
      "cache-control": "private, max-age=31536000, immutable",
    },
  });
}
