/**
 * Answers a request for a run's events: the stream, 204 at its end, or the
 * reason there is none.
 *
 * @module
 */
import type { Runs } from "../runs/mod.ts";
import { problem } from "./problem.ts";
import { type FrameFormat, streamResponse } from "./sse.ts";

/**
 * @param cursor A frame id as the client sent it, or null.
 * @param format Told whether the reader must forget what it has.
 */
export async function tapeResponse(
  runs: Runs,
  owner: string,
  run: string,
  cursor: string | null,
  format: (resync: boolean) => FrameFormat,
): Promise<Response> {
  const outcome = await runs.read(owner, run, cursor);
  switch (outcome.kind) {
    case "reader":
      return streamResponse(outcome.reader, format(outcome.resync));
    case "over":
      // 204 is the one answer that stops an EventSource for good (2.4).
      return new Response(null, { status: 204 });
    case "missing":
      return noSuchRun();
    case "too-many":
      // A question asked for its stream is being answered all the same.
      return tooManyStreams(run);
  }
}

/** 429, for who follows too many answers at once (case S05). */
export function tooManyStreams(run: string): Response {
  return problem(
    429,
    "too_many_streams",
    "Too many answers are being followed at once. Close a tab and try again.",
    { headers: { "retry-after": "5" }, members: { run_id: run } },
  );
}

/** 404, the same whether the run never was or is someone else's (case S02). */
export function noSuchRun(): Response {
  return problem(404, "no_such_run", "There is no such run.");
}
