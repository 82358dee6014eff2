import { isChatId, isRunId } from "../../lib/chat/ids.ts";
import type { StartOutcome, StartRequest } from "../../lib/runs/mod.ts";
import { api } from "../../lib/web/problem.ts";
import type { Handlers, Visit } from "../../lib/web/route.ts";
import { startRefusal } from "../../lib/web/start_refusal.ts";
import { tapeResponse } from "../../lib/web/tape_response.ts";
import { uiMessageFrames } from "../../lib/web/ui_message_frames.ts";
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
  const { text, images } = post;
  const question = {
    owner,
    text,
    images,
    ...where,
    idempotencyKey: questionKey(post, where.chat),
  };
  if (post.regenerate === null) return await runs.start(question);
  const { answer } = post.regenerate;
  const again: StartRequest = {
    ...question,
    // An answer is given anew once; without its id every request is a new one.
    idempotencyKey: answer !== null && isRunId(answer)
      ? `ui-again:${answer}`
      : undefined,
  };
  const turns = (await runs.chat(owner, where.chat))?.turns ?? [];
  if (turns.at(-1)?.text === text) {
    return await runs.start({ ...again, regenerate: true });
  }
  // Not the last question: an earlier one, or one that was refused before.
  const known = turns.some((turn) => turn.text === text);
  return await runs.start(known ? again : question);
}
