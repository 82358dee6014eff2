/**
 * An upstream nobody here wrote: the whole app, with its own adapter and its own
 * bus tool, against aimock.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { LLMock } from "@copilotkit/aimock";
import { answerText } from "../../lib/chat/answer.ts";
import { createTools } from "../../lib/tools/mod.ts";
import { type App, startApp } from "../helpers/app.ts";
import { allFrames, foldFrames } from "../helpers/frames.ts";

const BUS = "When is the next bus from the railway station to the university?";

async function ask(app: App, text: string) {
  const response = await fetch(`${app.url}/api/runs`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "text/event-stream",
    },
    body: JSON.stringify({ text }),
  });
  const run = response.headers.get("x-run-id")!;
  return foldFrames(run, await allFrames(response));
}

async function withMock(
  fn: (mock: LLMock, app: App) => Promise<void>,
): Promise<void> {
  const mock = new LLMock({ port: 0 });
  await mock.start();
  const shipped = await createTools({
    gtfsFeed: null,
    cacheDir: "",
    warn: () => {},
  });
  try {
    await using app = await startApp({
      env: {
        OPENAI_BASE_URL: `${mock.url}/v1`,
        OPENAI_API_KEY: "mock",
        OPENAI_MODEL: "gpt-4o",
      },
      tools: shipped.tools,
    });
    await fn(mock, app);
  } finally {
    shipped.close();
    await mock.stop();
  }
}

// aimock keeps one interval for itself, which no caller can end.
const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "aimock: the bus question runs through a tool call to an answer",
  options,
  () =>
    withMock(async (mock, app) => {
      // The first fixture that matches wins, so the later turn stands first.
      mock.on({ userMessage: BUS, hasToolResult: true }, {
        content: "Take line 1 at 08:30. 👍",
      });
      mock.on({ userMessage: BUS }, {
        toolCalls: [{
          name: "bus_schedule",
          arguments: JSON.stringify({
            action: "trips",
            from: "railway station",
            to: "university",
          }),
        }],
      });
      const answer = await ask(app, BUS);
      assertEquals(answer.status, "complete");
      assertEquals(answerText(answer), "Take line 1 at 08:30. 👍");
      const tool = answer.parts.find((part) => part.kind === "tool");
      assertEquals(tool?.state, "done");
      assertMatch(tool!.output!.text, /Railway Station/);
      assert(answer.usage !== null && answer.usage.total > 0);
    }),
);

Deno.test(
  "U01: aimock answers 429 once, and the answer still comes",
  options,
  () =>
    withMock(async (mock, app) => {
      mock.onMessage("hello", { content: "Hi there!" });
      mock.nextRequestError(429, {
        message: "slow down",
        type: "rate_limit_error",
      });
      const answer = await ask(app, "hello");
      assertEquals(answerText(answer), "Hi there!");
    }),
);

Deno.test(
  "U08: aimock hangs up in the middle, and the shown words are kept",
  options,
  () =>
    withMock(async (mock, app) => {
      mock.on({ userMessage: "long" }, {
        content: "one two three four five six seven eight nine ten",
      }, {
        truncateAfterChunks: 4,
        chunkSize: 5,
      });
      const answer = await ask(app, "long");
      assertEquals(answer.status, "failed");
      assertMatch(answer.error!.code, /^upstream_(reset|truncated)$/);
      assert(
        "one two three four five six seven eight nine ten".startsWith(
          answerText(answer),
        ),
      );
    }),
);

Deno.test(
  "U05: aimock knows no answer, and the person is told so",
  options,
  () =>
    withMock(async (_mock, app) => {
      const answer = await ask(app, "nobody prepared this");
      assertEquals(answer.status, "failed");
      assertEquals(answer.error!.code, "upstream_bad_request");
    }),
);
