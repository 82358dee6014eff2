/**
 * The whole app in front of a scripted provider: questions go in through
 * `POST /api/runs`, the provider is a raw socket, and between the two is
 * everything that is shipped.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Answer, answerText } from "../../lib/chat/answer.ts";
import {
  type ErrorCode,
  isTerminal,
  type RunEvent,
  type TerminalEvent,
} from "../../lib/chat/events.ts";
import type { StartedRun } from "../../lib/chat/views.ts";
import {
  createOpenAIModel,
  loadOpenAI,
  type OpenAIOptions,
} from "../../lib/models/openai.ts";
import { type App, type AppOptions, startApp } from "../helpers/app.ts";
import { allFrames, foldFrames, type Frame } from "../helpers/frames.ts";
import { events } from "../helpers/run_client.ts";
import * as client from "../helpers/run_client.ts";
import {
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
} from "../helpers/scripted_upstream.ts";

// The SDK's first import must not count as a slow provider, nor as a leak.
await loadOpenAI();

export const KEY = "sk-test-4f9a77c0ffee";

/** All a client is told about one question. */
export interface Told {
  started: StartedRun;
  /** Every frame, `[DONE]` included. */
  frames: Frame[];
  events: RunEvent[];
  answer: Answer;
  text: string;
  /** The last event; there is exactly one of its kind. */
  end: TerminalEvent;
}

export interface AppStage extends AsyncDisposable {
  readonly app: App;
  readonly upstream: ScriptedUpstream;
  /** Asks, and reads the answer to its end. */
  ask(text?: string): Promise<Told>;
  /** Asks only. */
  start(text?: string): Promise<StartedRun>;
  /** Reads an answer from its beginning to its end. */
  read(started: StartedRun): Promise<Told>;
}

export interface AppStageOptions extends AppOptions {
  /** The shipped adapter with another patience than it has from the settings. */
  timings?: OpenAIOptions["timings"];
}

/**
 * @param scripts as for `scriptedUpstream`; closing the stage complains about
 * requests nobody expected and scripts nobody asked for.
 */
export async function appStage(
  scripts: Parameters<typeof scriptedUpstream>[0] | Script,
  options: AppStageOptions = {},
): Promise<AppStage> {
  const upstream = await scriptedUpstream(
    typeof scripts === "function" ? scripts : [scripts].flat(),
  );
  const { env, timings, ...rest } = options;
  const { baseUrl } = upstream;
  const model = "scripted";
  const app = await startApp({
    env: {
      OPENAI_BASE_URL: baseUrl,
      OPENAI_API_KEY: KEY,
      OPENAI_MODEL: model,
      ...env,
    },
    ...(timings === undefined
      ? {}
      : { model: createOpenAIModel({ apiKey: KEY, baseUrl, model, timings }) }),
    ...rest,
  });
  const start = (text = "hello") => client.started(app, { text });
  const read = async (started: StartedRun) =>
    told(started, await readAll(app, started.run_id));
  return {
    app,
    upstream,
    start,
    read,
    ask: async (text) => await read(await start(text)),
    async [Symbol.asyncDispose]() {
      try {
        await app[Symbol.asyncDispose]();
      } finally {
        await upstream.close();
      }
    },
  };
}

/** The clock of the wall, whatever a test does to the app's. */
const realTimeout = globalThis.setTimeout;

/** Reads to the end; one that never comes is a failure, not a hanging test. */
async function readAll(app: App, run: string): Promise<Frame[]> {
  const tooLong = new AbortController();
  const timer = realTimeout(
    () => tooLong.abort(new Error("The answer never ended")),
    20_000,
  );
  try {
    const { signal } = tooLong;
    return await allFrames(await events(app, run, undefined, { signal }));
  } finally {
    clearTimeout(timer);
  }
}

function told(started: StartedRun, read: Frame[]): Told {
  assertEquals(read.at(-1)?.data, "[DONE]", "the answer never ended");
  const events = read.slice(0, -1).map(({ data }) =>
    JSON.parse(data) as RunEvent
  );
  const ends = events.filter(isTerminal);
  assertEquals(ends.length, 1, "terminals");
  const end = ends[0]!;
  assert(end === events.at(-1), "the terminal comes last");
  const answer = foldFrames(started.run_id, read);
  return {
    started,
    frames: read,
    events,
    answer,
    text: answerText(answer),
    end,
  };
}

/** The run failed with this code. */
export function assertError(told: Told, code: ErrorCode, retryable: boolean) {
  assert(told.end.type === "error", JSON.stringify(told.end));
  assertEquals([told.end.code, told.end.retryable], [code, retryable]);
  assertEquals(told.answer.status, "failed");
}

/** The run finished for this reason; returns what it cost. */
export function assertFinish(told: Told, reason = "stop") {
  assert(told.end.type === "finish", JSON.stringify(told.end));
  assertEquals(told.end.finishReason, reason);
  assertEquals(told.answer.status, "complete");
  return told.end.messageMetadata;
}

/** A second attempt is made at once: every backoff takes its least time. */
export function withoutJitter(): Disposable {
  const { random } = Math;
  Math.random = () => 0;
  return { [Symbol.dispose]: () => void (Math.random = random) };
}

/**
 * A clock that runs faster, for timers and `performance.now()` alike: what takes
 * `n` seconds by the app's reckoning is over `factor` times sooner.
 */
export function fasterClock(factor: number): Disposable {
  const { setTimeout: wait } = globalThis;
  const now = performance.now.bind(performance);
  const began = now();
  globalThis.setTimeout =
    ((task: () => void, ms = 0) => wait(task, ms / factor)) as typeof wait;
  performance.now = () => began + (now() - began) * factor;
  return {
    [Symbol.dispose]() {
      globalThis.setTimeout = wait;
      performance.now = now;
    },
  };
}
