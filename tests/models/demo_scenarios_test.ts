import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  FAKE_KEY,
  manyTokens,
  NASTY_TOKENS,
  type Scenario,
  SCENARIOS,
} from "../../lib/models/demo/mod.ts";
import {
  type Chunk,
  chunksOf,
  contentOf,
  TOOLS,
  withDemo,
} from "./demo_helpers.ts";

/** What comes back: the status, or how the stream ended. */
interface Played {
  status: number;
  type: string | null;
  retryAfter: string | null;
  text: string;
  /** The body ended with an error on the socket. */
  dropped: boolean;
  chunks: Chunk[];
  content: string;
  finish: string | null;
  /** Assembled calls. */
  calls: { name: string; arguments: string }[];
}

/** Reads as much as there is; `until` stops reading a stream that stalls. */
async function read(
  response: Response,
  until: (text: string) => boolean = () => false,
): Promise<Played> {
  let text = "";
  let dropped = false;
  const reader = response.body!.pipeThrough(new TextDecoderStream())
    .getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      text += value;
      if (until(text)) {
        await reader.cancel();
        break;
      }
    }
  } catch {
    dropped = true;
  }
  const streamed = response.headers.get("content-type") === "text/event-stream";
  const chunks = streamed
    ? chunksOf(text.replace("data: {oops\n\n", "data: oops\n\n"))
    : [];
  const calls: Played["calls"] = [];
  for (const chunk of chunks) {
    for (
      const { index, function: part } of chunk.choices[0].delta.tool_calls ?? []
    ) {
      calls[index] ??= { name: part.name, arguments: "" };
      calls[index].arguments += part.arguments;
    }
  }
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    retryAfter: response.headers.get("retry-after"),
    text,
    dropped,
    chunks,
    content: contentOf(chunks),
    finish: chunks.at(-1)?.choices[0].finish_reason ?? null,
    calls,
  };
}

const code = ({ text }: Played) => JSON.parse(text).error.code;
const done = ({ text }: Played) => text.endsWith("data: [DONE]\n\n");

/** What each scenario must do; `until` ends the reading of the endless one. */
const EXPECTED: Record<Scenario, (played: Played) => void> = {
  plainText: (it) => {
    assertEquals([it.finish, done(it)], ["stop", true]);
    assert(it.content.length > 100);
  },
  toolCall: (it) => {
    assertEquals(it.finish, "tool_calls");
    assertEquals(it.calls.map((call) => call.name), ["bus_schedule"]);
  },
  parallelTools: (it) => {
    assertEquals(it.finish, "tool_calls");
    assertEquals(it.calls, [
      {
        name: "bus_schedule",
        arguments: '{"action":"next_departures","stop":"火车站"}',
      },
      { name: "current_time", arguments: "{}" },
      { name: "calculator", arguments: '{"expression":"12*(3+4)"}' },
    ]);
  },
  reasoning: (it) => {
    const reasoning = it.chunks
      .map((chunk) => chunk.choices[0].delta.reasoning_content ?? "").join("");
    assert(reasoning.length > 20 && it.content.length > 20);
  },
  slowStream: (it) => assertEquals([it.finish, done(it)], ["stop", true]),
  manyTokens: (it) => {
    assertEquals(it.content, manyTokens(20_000).join(""));
    assertEquals(it.chunks.length, 20_002);
  },
  unicode: (it) => {
    assertEquals(it.content, NASTY_TOKENS.join(""));
    assert(it.content.isWellFormed(), "the pieces make whole characters");
    const sent = it.chunks.map((chunk) => chunk.choices[0].delta.content ?? "");
    assertEquals(sent.slice(1, -1), [...NASTY_TOKENS]);
  },
  stall: (it) => {
    assertEquals([it.finish, done(it)], [null, false]);
    assertEquals(it.chunks.length, 6);
  },
  emptyStream: (it) => {
    assertEquals([it.content, it.finish, done(it)], ["", "stop", true]);
  },
  cut: (it) => {
    assert(it.dropped, "the socket drops");
    assertEquals([it.chunks.length, it.finish], [6, null]);
  },
  truncated: (it) => {
    assert(!it.dropped, "the end is clean");
    assertEquals([it.chunks.length, it.finish, done(it)], [6, null, false]);
  },
  malformed: (it) => {
    assertEquals([it.chunks.length, it.finish], [6, null]);
    assertStringIncludes(it.text, "data: {oops\n\n");
  },
  length: (it) => assertEquals([it.finish, done(it)], ["length", true]),
  contentFilter: (it) => {
    assertEquals([it.finish, done(it)], ["content_filter", true]);
  },
  rateLimited: (it) => {
    assertEquals([it.status, it.retryAfter], [429, "1"]);
    assertEquals(code(it), "rate_limit_exceeded");
  },
  rateLimitedForever: (it) => assertEquals(it.status, 429),
  serverError: (it) => assertEquals(it.status, 500),
  badKey: (it) => {
    assertEquals([it.status, code(it)], [401, "invalid_api_key"]);
    assertStringIncludes(it.text, FAKE_KEY);
  },
  contextLength: (it) => {
    assertEquals([it.status, code(it)], [400, "context_length_exceeded"]);
  },
  htmlPage: (it) => {
    assertEquals([it.status, it.type], [200, "text/html; charset=utf-8"]);
    assertStringIncludes(it.text, "<!doctype html>");
  },
  unknownTool: (it) => {
    const offered = TOOLS.map((tool) => tool.function.name);
    assert(!offered.includes(it.calls[0]!.name));
  },
  badArguments: (it) => {
    assertEquals(it.calls[0]!.name, "bus_schedule");
    let broken = false;
    try {
      JSON.parse(it.calls[0]!.arguments);
    } catch {
      broken = true;
    }
    assert(broken, "the arguments are no JSON");
  },
  hugeTool: (it) => {
    const args = it.calls[0]!.arguments;
    assert(args.length > 1 << 20, `${args.length} characters`);
    assertEquals(typeof JSON.parse(args).query, "string");
  },
  loop: (it) => assertEquals(it.finish, "tool_calls"),
};

Deno.test("every demo scenario does what its name says", async () => {
  await withDemo(async ({ demo, post }) => {
    const request = { tools: TOOLS, stream: true };
    for (const { name } of SCENARIOS) {
      const byMessage = await read(
        await post({
          ...request,
          messages: [{ role: "user", content: `/demo ${name}` }],
        }),
        (text) => name === "stall" && chunksOf(text).length >= 6,
      );
      const byModel = await read(
        await post({
          ...request,
          model: `${demo.model}:${name}`,
          messages: [{ role: "user", content: "hello" }],
        }),
        (text) => name === "stall" && chunksOf(text).length >= 6,
      );
      for (const played of [byMessage, byModel]) {
        try {
          EXPECTED[name](played);
        } catch (error) {
          throw new Error(`scenario ${name}`, { cause: error });
        }
      }
    }
  });
});

Deno.test("rateLimited turns a conversation away once", async () => {
  await withDemo(async ({ post }) => {
    const ask = async (content: string) => {
      const response = await post({ messages: [{ role: "user", content }] });
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await ask("/demo rateLimited"), 429);
    assertEquals(await ask("/demo rateLimited 2"), 429);
    assertEquals(await ask("/demo rateLimited"), 200);
    assertEquals(await ask("/demo rateLimited"), 429);
    for (let i = 0; i < 3; i++) {
      assertEquals(await ask("/demo rateLimitedForever"), 429);
    }
  });
});

Deno.test("a fault comes after as many tokens as asked for", async () => {
  await withDemo(async ({ demo, post }) => {
    for (const count of [0, 1, 12]) {
      const messages = [{ role: "user", content: `/demo truncated ${count}` }];
      const played = await read(await post({ stream: true, messages }));
      assertEquals(played.chunks.length, count + 1);
    }
    const played = await read(
      await post({
        stream: true,
        model: `${demo.model}:manyTokens:7`,
        messages: [{ role: "user", content: "go" }],
      }),
    );
    assertEquals(played.content, "0 1 2 3 4 5 6 ");
  });
});

Deno.test("faults also break answers that are not streamed", async () => {
  await withDemo(async ({ post }) => {
    const ask = (name: string) =>
      post({ messages: [{ role: "user", content: `/demo ${name}` }] });
    const cut = await ask("cut");
    await assertRejects(() => cut.text());
    for (const name of ["truncated", "malformed"]) {
      const response = await ask(name);
      await assertRejects(() => response.json(), SyntaxError);
    }
  });
});

Deno.test("loop calls a tool again after every answer", async () => {
  await withDemo(async ({ chat, post }) => {
    const messages: unknown[] = [{ role: "user", content: "/demo loop" }];
    let { message } = await chat("/demo loop");
    for (let step = 0; step < 5; step++) {
      assertEquals(message.tool_calls.length, 1);
      messages.push(message, {
        role: "tool",
        tool_call_id: message.tool_calls[0].id,
        content: "done",
      });
      const body = await (await post({ messages, tools: TOOLS })).json();
      message = body.choices[0].message;
    }
  });
});

Deno.test("/demo help lists every scenario, in the language spoken", async () => {
  await withDemo(async ({ chat }) => {
    const before = [
      { role: "user", content: "你好" },
      { role: "assistant", content: "你好！" },
    ];
    for (const command of ["/demo help", "/demo", "/demo nonsense"]) {
      const english = await chat(command);
      const chinese = await chat(command, before);
      for (const { name, en, zh } of SCENARIOS) {
        assertStringIncludes(english.content, `\`/demo ${name}\`: ${en}`);
        assertStringIncludes(chinese.content, `\`/demo ${name}\`: ${zh}`);
      }
    }
    const { zh } = SCENARIOS[0];
    assertStringIncludes((await chat("/demo 帮助")).content, zh);
    // Names of Object.prototype are no scenarios.
    assertStringIncludes(
      (await chat("/demo constructor")).content,
      "/demo cut",
    );
  });
});

Deno.test("tool scenarios say so where no tools are offered", async () => {
  await withDemo(async ({ post }) => {
    for (const name of ["toolCall", "parallelTools", "loop", "hugeTool"]) {
      const response = await post({
        messages: [{ role: "user", content: `/demo ${name}` }],
      });
      const { message } = (await response.json()).choices[0];
      assertStringIncludes(message.content, "no tools");
    }
  });
});
