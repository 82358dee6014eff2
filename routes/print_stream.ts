import { setCookie } from "@std/http/cookie";
import { readCookies } from "../lib/access/mod.ts";
import { isChatId, parseFrameId } from "../lib/chat/ids.ts";
import type { RunView } from "../lib/chat/views.ts";
import type { StartOutcome } from "../lib/runs/mod.ts";
import { plainFrames } from "../lib/web/plain_frames.ts";
import { api, problem } from "../lib/web/problem.ts";
import { MAX_QUESTION } from "../lib/web/requests.ts";
import type { Handlers, Visit } from "../lib/web/route.ts";
import { eventFrames } from "../lib/web/sse.ts";
import { startRefusal } from "../lib/web/start_refusal.ts";
import { tapeResponse } from "../lib/web/tape_response.ts";

/** The chat a page without ids of its own keeps asking in. */
const COOKIE = "tt_print_chat";

/**
 * `GET /print_stream?question=`: the tutorial's endpoint (protocol 2.6). A GET
 * that spends money, so only the site's own pages and programs may use it; new
 * clients use `POST /api/runs`.
 */
export const handler: Handlers = api({
  async GET({ req, url, state }) {
    const refusal = refuse(req);
    if (refusal !== null) return refusal;

    const asEvents = url.searchParams.get("format") === "events";
    const cursor = req.headers.get("last-event-id");
    if (cursor !== null && cursor !== "") {
      return await resume(state, cursor, asEvents);
    }

    const question = url.searchParams.get("question") ?? "";
    if (question.trim() === "") {
      return problem(400, "no_question", "Ask with ?question=...");
    }
    if (question.length > MAX_QUESTION) {
      return problem(
        400,
        "question_too_long",
        `A question in a URL may have ${MAX_QUESTION} characters; use POST /api/runs.`,
      );
    }
    const started = await start(
      state,
      question,
      readCookies(req)[COOKIE],
    );
    if (started.kind !== "started") return startRefusal(started);
    const { run, chat } = started;
    const response = await tapeResponse(
      state.runs,
      state.owner,
      run,
      null,
      () =>
        asEvents
          ? eventFrames({ resync: false, dataBeat: false })
          : plainFrames(0),
    );
    setCookie(response.headers, {
      name: COOKIE,
      value: chat,
      path: "/print_stream",
      httpOnly: true,
      sameSite: "Strict",
    });
    return response;
  },
});

/** Cross-site pages, images and prefetches may not ask (case S01). */
function refuse(req: Request): Response | null {
  // Hosts answer HEAD with GET's handler; looking must not spend money (E13).
  if (req.method !== "GET") {
    return problem(405, "method_not_allowed", "Ask with GET.", {
      headers: { allow: "GET" },
    });
  }
  const site = req.headers.get("sec-fetch-site");
  const dest = req.headers.get("sec-fetch-dest");
  const purpose = req.headers.get("sec-purpose") ??
    req.headers.get("purpose") ?? "";
  const foreign = site !== null && site !== "same-origin";
  const embedded = dest !== null && dest !== "empty";
  if (!foreign && !embedded && !purpose.includes("prefetch")) return null;
  return problem(
    403,
    "cross_site",
    "Only pages of this site and command-line programs may ask here.",
  );
}

/** A reconnect goes on where it was, and never asks again. */
async function resume(
  state: Visit,
  cursor: string,
  asEvents: boolean,
): Promise<Response> {
  const { runs, owner } = state;
  const at = parseFrameId(cursor);
  const row = at === null ? null : await runs.view(owner, at.run);
  // No place on any tape, or the end of one: 204 makes an EventSource give up.
  if (at === null || row === null || row.last_id === cursor && isOver(row)) {
    return new Response(null, { status: 204 });
  }
  return asEvents
    ? await tapeResponse(
      runs,
      owner,
      at.run,
      cursor,
      (resync) => eventFrames({ resync, dataBeat: false }),
    )
    // Read from the start, shown from the cursor: see plain_frames.ts.
    : await tapeResponse(
      runs,
      owner,
      at.run,
      null,
      () => plainFrames(at.cursor.seq),
    );
}

function isOver(view: RunView): boolean {
  return view.answer.status !== "running";
}

/** Asks in the page's chat; in a new one where that is busy or gone. */
async function start(
  state: Visit,
  text: string,
  chatCookie: string | undefined,
): Promise<StartOutcome> {
  const { runs, owner } = state;
  if (chatCookie !== undefined && isChatId(chatCookie)) {
    const outcome = await runs.start({ owner, text, chat: chatCookie });
    if (outcome.kind !== "active" && outcome.kind !== "no-chat") return outcome;
  }
  return await runs.start({ owner, text });
}
