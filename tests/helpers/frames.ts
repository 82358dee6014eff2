/**
 * A client that reads frames one by one and folds them: what a page does,
 * without the page.
 */
import { type Answer, emptyAnswer } from "../../lib/chat/answer.ts";
import type { RunEvent } from "../../lib/chat/events.ts";
import { type Change, fold } from "../../lib/chat/fold.ts";
import { parseFrameId } from "../../lib/chat/ids.ts";
import { sseParser } from "../../lib/chat/sse_parser.ts";

export interface Frame {
  type: string;
  id: string;
  data: string;
}

/** The frames of an SSE response, as they come. Leaving the loop hangs up. */
export async function* frames(response: Response): AsyncGenerator<Frame> {
  const waiting: Frame[] = [];
  const parser = sseParser({ event: (event) => void waiting.push(event) });
  const reader = response.body!.getReader();
  try {
    while (true) {
      const { value, done } = await reader.read();
      if (done) return;
      parser.push(value);
      while (waiting.length > 0) yield waiting.shift()!;
    }
  } finally {
    await reader.cancel();
  }
}

/** All frames of a response. */
export async function allFrames(response: Response): Promise<Frame[]> {
  const all: Frame[] = [];
  for await (const frame of frames(response)) all.push(frame);
  return all;
}

/** Folds a frame as a page would; `[DONE]` and beats change nothing. */
export function foldFrame(answer: Answer, frame: Frame): Change {
  if (frame.data === "[DONE]") return { kind: "none" };
  const event = JSON.parse(frame.data) as RunEvent;
  const at = parseFrameId(frame.id)?.cursor ?? { epoch: 0, seq: 0 };
  return fold(answer, { ...at, event });
}

/** The answer a list of frames tells; throws at a gap. */
export function foldFrames(run: string, list: Frame[]): Answer {
  const answer = emptyAnswer(run);
  for (const frame of list) {
    if (foldFrame(answer, frame).kind === "gap") {
      throw new Error(`Gap at frame ${frame.id}: ${frame.data}`);
    }
  }
  return answer;
}
