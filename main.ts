/**
 * The Fresh app: what happens to a request, in order. `server.ts` puts the guard
 * around it; where JSR is out of reach `host/` serves the same folders.
 *
 * @module
 */
import { App, HttpError, staticFiles } from "fresh";
import { statusOf } from "./host/http_error.ts";
import { inside } from "./host/surround.ts";
import type { Visit } from "./lib/web/route.ts";

export const app = new App<Visit>()
  .use(staticFiles())
  .use(async (ctx) => {
    try {
      return await inside(ctx, ctx.next);
    } catch (error) {
      throw forFresh(error);
    }
  })
  .fsRoutes();

/** Fresh draws the error page with the status of its own errors only. */
function forFresh(error: unknown): unknown {
  const status = statusOf(error);
  if (status === 500 || error instanceof HttpError) return error;
  const { message } = error as Error;
  return new HttpError(status as 404, message, { cause: error });
}
