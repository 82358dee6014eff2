import { isApprovalId, isRunId } from "../../../../../lib/chat/ids.ts";
import { readJson } from "../../../../../lib/web/body.ts";
import { decideRefusal } from "../../../../../lib/web/decide_refusal.ts";
import { api } from "../../../../../lib/web/problem.ts";
import { decideRequest } from "../../../../../lib/web/requests.ts";
import type { Handlers } from "../../../../../lib/web/route.ts";

/** `POST /api/runs/{run}/approvals/{id}`: a person's answer to a question. */
export const handler: Handlers = api({
  async POST({ req, params, state }) {
    const { decision } = await readJson(req, decideRequest);
    const { run, id } = params as { run: string; id: string };
    const outcome = isRunId(run) && isApprovalId(id)
      ? await state.runs.decide(state.owner, run, id, decision)
      : { kind: "missing" } as const;
    if (outcome.kind !== "recorded") return decideRefusal(outcome);
    return Response.json({ status: "recorded" }, {
      status: 202,
      headers: { "cache-control": "no-store" },
    });
  },
});
