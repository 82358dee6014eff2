import { isChatId } from "../../lib/chat/ids.ts";
import type { StartOutcome } from "../../lib/runs/mod.ts";
import { api } from "../../lib/web/problem.ts";
import type { Handlers, Visit } from "../../lib/web/route.ts";
import { startRefusal } from "../../lib/web/start_refusal.ts";
import { tapeResponse } from "../../lib/web/tape_response.ts";
import { uiMessageFrames } from "../../lib/web/ui_message_frames.ts";
import { placeOf } from "../../lib/web/ui_message_place.ts";
import {
  chatIdFor,
  type ChatPost,
  questionKey,
  readChatPost,
} from "../../lib/web/ui_message_request.ts";

/**
 * `POST /api/chat`: asks, and answers with the run's stream, as `useChat` of AI
 * SDK 5, 6 and 7 does by default (protocol 2.7, docs/api.md).
 */
export const handler: Handlers = api({
  async POST({ req, state }) {
    const post = await readChatPost(req);
    const outcome = await ask(state, post);
    if (outcome.kind !== "started") return startRefusal(outcome);
    return await tapeResponse(
      state.runs,
      state.owner,
      outcome.run,
      null,
      uiMessageFrames,
    );
  },
});

/** Asks in the chat of that id if it is one of ours; else in its counterpart. */
async function ask(state: Visit, post: ChatPost): Promise<StartOutcome> {
  if (isChatId(post.chat)) {
    const outcome = await askIn(state, post, { chat: post.chat });
    if (outcome.kind !== "no-chat") return outcome;
  }
  const chat = chatIdFor(state.owner, post.chat);
  return await askIn(state, post, { chat, makeChat: true });
}

async function askIn(
  { runs, owner }: Visit,
  post: ChatPost,
  where: { chat: string; makeChat?: boolean },
): Promise<StartOutcome> {
  const { asks, text, images, answer } = post;
  const key = questionKey(post, where.chat);
  const question = { owner, text, images, ...where, idempotencyKey: key };
  if (asks === "new") return await runs.start(question);
  const turns = (await runs.chat(owner, where.chat))?.turns ?? [];
  const replaces = placeOf(post, turns);
  // Not one of ours: it was refused when it was asked first.
  if (replaces === null) return await runs.start(question);
  if (asks === "edit") {
    const outcome = await runs.start({ ...question, replaces });
    // Edited back to what was asked before: that branch is seen again.
    if (outcome.kind === "started" && outcome.again) {
      await runs.show(owner, where.chat, outcome.run);
    }
    return outcome;
  }
  return await runs.start({
    owner,
    chat: where.chat,
    replaces,
    // An answer is given anew once; without its id every request is a new one.
    idempotencyKey: answer === replaces ? `ui-again:${answer}` : undefined,
  });
}
