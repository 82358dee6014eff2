/**
 * The security headers every answer carries (FR1-FR3, FR8, FR9; E03).
 *
 * @module
 */

/**
 * The policy of a rendered page. Nothing inline runs, except what the renderer
 * gave this response's nonce. Images come from here or from data: only, so a
 * model cannot make the page send anything out (FR9, threat 12).
 */
export function pagePolicy(nonce: string | undefined): string {
  const own = nonce !== undefined && /^[\w+/=-]{8,128}$/.test(nonce)
    ? `'self' 'nonce-${nonce}'`
    : "'self'";
  return `default-src 'none'; script-src ${own}; style-src 'self'; ` +
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; " +
    "frame-ancestors 'none'";
}

/**
 * The policy of everything else. It governs the response as a document of its
 * own (an SVG or JSON opened in a tab); a page that loads it as script, style,
 * image or manifest goes by the page's policy.
 */
export const FILE_POLICY =
  "default-src 'none'; sandbox; frame-ancestors 'none'";

const FEATURES = [
  "accelerometer",
  "autoplay",
  "browsing-topics",
  "camera",
  "display-capture",
  "geolocation",
  "gyroscope",
  "magnetometer",
  "microphone",
  "midi",
  "payment",
  "publickey-credentials-get",
  "screen-wake-lock",
  "serial",
  "usb",
  "xr-spatial-tracking",
];
const PERMISSIONS = FEATURES.map((name) => `${name}=()`).join(", ");

/** Never leave this server, whoever set them. */
const DROPPED = [
  "access-control-allow-origin",
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-expose-headers",
  "content-security-policy-report-only",
  "server",
  "x-powered-by",
];

export interface Dress {
  /** The request id. */
  id: string;
  /** The Content-Security-Policy. */
  policy: string;
  /** A rendered page. */
  page: boolean;
  /** The public origin is https. */
  https: boolean;
}

function apply(headers: Headers, dress: Dress): void {
  headers.set("content-security-policy", dress.policy);
  headers.set("x-content-type-options", "nosniff");
  // With "no-referrer" a browser sends `Origin: null` along with a page's own
  // form posts (Fetch standard, "append a request Origin header"), and where
  // the address is plain http no Sec-Fetch-Site tells them from foreign ones.
  headers.set("referrer-policy", dress.page ? "same-origin" : "no-referrer");
  headers.set("cross-origin-opener-policy", "same-origin");
  headers.set("cross-origin-resource-policy", "same-origin");
  headers.set("permissions-policy", PERMISSIONS);
  headers.set("x-request-id", dress.id);
  if (dress.https) {
    headers.set("strict-transport-security", "max-age=31536000");
  }
  for (const name of DROPPED) headers.delete(name);
}

const NO_BODY = new Set([101, 204, 205, 304]);

/**
 * Puts the headers on, in place where that is possible. A redirect or an answer
 * of `fetch` is immutable (FR3) and is copied; its body moves over as it is, no
 * stream is put in between.
 */
export function dressed(response: Response, dress: Dress): Response {
  try {
    apply(response.headers, dress);
    return response;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  const copy = new Response(
    NO_BODY.has(response.status) ? null : response.body,
    {
      status: response.status,
      statusText: response.statusText,
      headers: new Headers(response.headers),
    },
  );
  apply(copy.headers, dress);
  return copy;
}
