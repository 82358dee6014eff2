/**
 * One answer being read from its tape, and what a test asks of it.
 *
 * @module
 */
import { type Answer, emptyAnswer } from "../../lib/chat/answer.ts";
import type { RunEvent } from "../../lib/chat/events.ts";
import { fold } from "../../lib/chat/fold.ts";
import { createAnswerModel } from "../../lib/ui/answer_model.ts";
import { shareTape } from "../../lib/ui/shared_tape.ts";
import type { TapeEnd } from "../../lib/ui/tape_client.ts";
import { createTypewriter } from "../../lib/ui/typewriter.ts";
import { FakePage } from "./fake_page.ts";
import { FakeServer } from "./fake_server.ts";
import { runId } from "./scripts.ts";

export const RUN = runId("r");

export function uninterrupted(events: RunEvent[]): Answer {
  const answer = emptyAnswer(RUN);
  events.forEach((event, at) => fold(answer, { epoch: 1, seq: at + 1, event }));
  return answer;
}

/** What the person sees in the end; cursors may differ after a replay. */
export const shown = ({ cursor: _, ...answer }: Answer) => answer;

export function reading(server: FakeServer, page = new FakePage(server)) {
  const model = createAnswerModel(
    emptyAnswer(RUN),
    createTypewriter(page),
    page.now,
  );
  const connected: boolean[] = [];
  const tape = shareTape(RUN, {
    cursor: model.cursor,
    apply: model.apply,
    restart: model.restart,
    connected: (yes) => connected.push(yes),
  }, page);
  let end: TapeEnd | null = null;
  tape.end.then((how) => end = how);
  return {
    page,
    model,
    tape,
    connected,
    get end() {
      return end;
    },
    /** Turns the clock until the reading ends. */
    async finish() {
      for (let minute = 0; minute < 60 && end === null; minute++) {
        await page.advance(60_000);
      }
      return end;
    },
  };
}

export function serverWith(events: RunEvent[]): FakeServer {
  const server = new FakeServer();
  server.append(RUN, ...events);
  return server;
}
