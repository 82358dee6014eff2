import { exportBody } from "../../lib/web/export_body.ts";
import { api } from "../../lib/web/problem.ts";
import type { Handlers } from "../../lib/web/route.ts";

/** `GET /api/export`: everything this visitor ever asked, as one JSON file. */
export const handler: Handlers = api({
  async GET({ state }) {
    const now = new Date().toISOString();
    const name = `tickertape-export-${now.slice(0, 10)}.json`;
    const body = await exportBody(state.runs.export(state.owner), now);
    return new Response(body, {
      headers: {
        "content-type": "application/json",
        "content-disposition": `attachment; filename="${name}"`,
        "cache-control": "no-store",
      },
    });
  },
});
