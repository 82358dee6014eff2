import type { Handlers } from "../lib/web/route.ts";

/** `GET /healthz`: 200 as soon as requests can be served. */
export const handler: Handlers = {
  GET() {
    return new Response("ok\n", {
      headers: { "content-type": "text/plain", "cache-control": "no-store" },
    });
  },
};
