import { idempotencyHeader } from "../../../lib/web/idempotency.ts";
import { openAI } from "../../../lib/web/openai_api.ts";
import {
  completionFrames,
  failureResponse,
  wholeCompletion,
} from "../../../lib/web/openai_completion.ts";
import { chosenModel, noSuchModel } from "../../../lib/web/openai_models.ts";
import { readCompletion } from "../../../lib/web/openai_request.ts";
import type { Handlers, Visit } from "../../../lib/web/route.ts";
import { streamResponse } from "../../../lib/web/sse.ts";
import { startRefusal } from "../../../lib/web/start_refusal.ts";
import { noSuchRun, tooManyStreams } from "../../../lib/web/tape_response.ts";

/**
 * `POST /v1/chat/completions`: asks the agent as OpenAI's clients ask a model
 * (protocol 2.7, docs/api.md). A run of a chat nobody sees; what needs a person
 * is refused, because nobody can be asked.
 */
export const handler: Handlers = openAI({
  async POST({ req, state }) {
    const asked = await readCompletion(req);
    const key = idempotencyHeader(req);
    const model = chosenModel(await state.models.view(), asked.model);
    const outcome = await state.runs.start({
      owner: state.owner,
      text: asked.text,
      images: asked.images,
      settings: {
        ...(model === undefined ? {} : { model }),
        ...(asked.temperature === undefined
          ? {}
          : { temperature: asked.temperature }),
      },
      asked: { hidden: true, unattended: true, context: asked.context },
      idempotencyKey: key === undefined ? undefined : `v1:${key}`,
    });
    if (outcome.kind === "no-model") throw noSuchModel(asked.model);
    if (outcome.kind !== "started") return startRefusal(outcome);
    const { run } = outcome;
    // With a key the same request may come again for its answer: a client that
    // ran out of patience tries once more, and must not find its run stopped.
    const detached = key !== undefined ||
      /^(true|1)$/i.test(req.headers.get("x-run-detach") ?? "");
    const left = detached ? () => {} : () => stop(state, run);
    const read = await state.runs.read(state.owner, run, null);
    if (read.kind !== "reader") {
      left();
      return read.kind === "too-many" ? tooManyStreams(run) : noSuchRun();
    }
    const { reader } = read;
    if (asked.stream) {
      return streamResponse(
        reader,
        completionFrames(run, asked.includeUsage),
        left,
      );
    }
    const hungUp = () => {
      reader.close();
      left();
    };
    if (req.signal.aborted) hungUp();
    else req.signal.addEventListener("abort", hungUp);
    const whole = await wholeCompletion(reader);
    if ("failure" in whole) {
      return failureResponse(whole.failure, run, key !== undefined);
    }
    return Response.json(whole.completion, {
      headers: { "cache-control": "no-store", "x-run-id": run },
    });
  },
});

/** As OpenAI does: who hangs up wants no more of it. */
function stop({ runs, owner }: Visit, run: string): void {
  // The model's socket is closed first; a store that cannot note the wish loses
  // nothing but that.
  runs.stop(owner, run).catch(() => {});
}
