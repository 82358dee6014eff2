/** Sealed runs with logs as long as wanted, put straight into a store. */
import { emptyAnswer } from "../../lib/chat/answer.ts";
import type { RunEvent } from "../../lib/chat/events.ts";
import { fold } from "../../lib/chat/fold.ts";
import type { Store } from "../../lib/store/mod.ts";
import { ask, created } from "../store/helpers.ts";

/** Entries given to the store at a time. */
const PAGE = 1_000;

/**
 * Makes a run of the one person on loopback, with `start` and `finish` around
 * these events; gives its id.
 */
export async function longLog(
  store: Store,
  events: Iterable<RunEvent>,
): Promise<string> {
  const { id: run, epoch } = await created(store, ask({ owner: "local" }));
  const answer = emptyAnswer(run);
  const [start] = await store.read(run, 0, 1);
  let seq = 1;
  fold(answer, { epoch, seq, event: JSON.parse(start!.json) });
  let page: { seq: number; json: string }[] = [];
  const tell = (event: RunEvent) => {
    const { kind } = fold(answer, { epoch, seq: ++seq, event });
    if (kind === "gap") throw new Error(`Gap before event ${seq}`);
    page.push({ seq, json: JSON.stringify(event) });
  };
  for (const event of events) {
    tell(event);
    if (page.length < PAGE) continue;
    await store.append(run, epoch, page);
    page = [];
  }
  tell(FINISH);
  await store.append(run, epoch, page, {
    status: "complete",
    message: JSON.stringify(answer),
  });
  return run;
}

/** Text and thoughts taking turns, so many deltas of one kind in a row. */
export function* twoVoices(
  options: { deltas: number; row: number; words: string },
): Generator<RunEvent> {
  const { deltas, row, words } = options;
  const said = { text: 0, reasoning: 0 };
  const kinds = ["text", "reasoning"] as const;
  for (const kind of kinds) yield { type: `${kind}-start`, id: kind };
  for (let n = 0; n < deltas; n++) {
    const kind = kinds[Math.floor(n / row) % 2]!;
    yield {
      type: `${kind}-delta`,
      id: kind,
      off: said[kind],
      delta: words,
    };
    said[kind] += words.length;
  }
  for (const kind of kinds) {
    yield { type: `${kind}-end`, id: kind, len: said[kind] };
  }
}

/** A tool that tells of its progress so many times: a long log, a short answer. */
export function* progress(times: number, words: string): Generator<RunEvent> {
  const call = {
    toolCallId: "c1",
    dynamic: true,
    providerExecuted: true,
  } as const;
  yield { type: "start-step" };
  yield { type: "tool-input-start", toolName: "echo", ...call };
  yield {
    type: "tool-input-available",
    toolName: "echo",
    input: { say: "done" },
    ...call,
  };
  for (let done = 1; done <= times; done++) {
    yield {
      type: "data-tool-progress",
      data: {
        toolCallId: "c1",
        done,
        total: times,
        message: words,
      },
      transient: true,
    };
  }
  yield {
    type: "tool-output-available",
    output: { text: "done" },
    ms: 1,
    ...call,
  };
  yield { type: "finish-step" };
}

const FINISH: RunEvent = {
  type: "finish",
  finishReason: "stop",
  messageMetadata: {
    usage: { input: 0, output: 0, total: 0 },
    steps: 1,
    ms: 1,
  },
};
