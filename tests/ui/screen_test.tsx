/** The page as the server sends it: readable, usable, and nothing inline. */
import { assert, assertEquals } from "@std/assert";
import { h } from "preact";
import { renderToString } from "preact-render-to-string";
import { emptyAnswer } from "../../lib/chat/answer.ts";
import type { Json, RunEvent } from "../../lib/chat/events.ts";
import { fold } from "../../lib/chat/fold.ts";
import type { ChatView } from "../../lib/chat/views.ts";
import { Screen, type ScreenStart } from "../../lib/ui/components/screen.tsx";
import { ready } from "../../lib/ui/later.ts";
import { messages } from "../../lib/ui/messages.ts";
import {
  failure,
  type UpstreamCode,
} from "../../lib/models/upstream_errors.ts";
import { chatId, FINISH, richRun, runId, startOf, text } from "./scripts.ts";

await ready();

const RUN = runId("r");

function chatWith(...events: RunEvent[]): ChatView {
  const answer = emptyAnswer(RUN);
  events.forEach((event, at) => fold(answer, { epoch: 1, seq: at + 1, event }));
  return {
    id: chatId("a"),
    title: "Title <b>",
    activeRun: answer.status === "running" ? RUN : null,
    settings: {},
    queue: [],
    turns: [{
      text: "Question <i>",
      createdAt: "2026-11-22T08:00:00Z",
      answer,
    }],
  };
}

function draw(props: Partial<ScreenStart> = {}): string {
  return renderToString(h(Screen, {
    chat: null,
    chats: [],
    lang: "en",
    words: messages(props.lang ?? "en"),
    theme: "system",
    model: { id: "scripted", demo: false },
    toolTrouble: [],
    ...props,
  }));
}

const visible = (html: string) => html.replace(/<[^>]*>/g, " ");

Deno.test("a new chat can be begun without scripts", () => {
  const html = draw();
  assert(/<form [^>]*action="\/ask" method="post"/.test(html));
  assert(/<textarea [^>]*name="text"/.test(html));
  assert(/<button type="submit"[^>]*data-testid="send"/.test(html));
  assert(!html.includes('name="chat_id"'));
  for (const question of messages("en").suggestions) {
    assert(html.includes(`name="text" value="${question}"`), question);
  }
});

Deno.test("a chat is readable as it comes, and its form knows where it belongs", () => {
  const html = draw({ chat: chatWith(...richRun(RUN)), lang: "zh" });
  assert(html.includes(`name="chat_id" value="${chatId("a")}"`));
  assert(html.includes("<strong>07:13</strong>"));
  assert(visible(html).includes("Question &lt;i>"));
  assert(visible(html).includes("公交时刻"));
  assert(html.includes('data-state="done"'));
});

Deno.test("N10: every form of every page has a key of its own", () => {
  const keys = [draw(), draw(), draw({ chat: chatWith(FINISH) })]
    .flatMap((
      html,
    ) => [...html.matchAll(/name="idempotency_key" value="(.*?)"/g)])
    .map(([, key]) => key!);
  assertEquals(keys.length, 5 + 5 + 1);
  assertEquals(new Set(keys).size, keys.length);
  assert(keys.every((key) => /^\w{32}$/.test(key)));
});

const QUEUE = [{ text: "Next <b>", now: false }, { text: "Last", now: false }]
  .map((message, at) => ({ id: `m_${at}`, images: at, key: null, ...message }));

for (
  const [name, end, words] of [
    ["running", [], "2 messages, sent one by one after this answer"],
    ["complete", [FINISH], "Sent in a moment"],
    ["stopped", [{ type: "abort", reason: "user" }], "these wait for you"],
  ] as [string, RunEvent[], string][]
) {
  Deno.test(`what waits behind an answer that is ${name} is on the page as it comes, and how it goes on`, () => {
    const html = draw({
      chat: { ...chatWith(startOf(RUN), ...end), queue: QUEUE },
    });
    const shown = visible(html);
    assert(shown.includes("Next &lt;b>") && shown.includes("Last"), shown);
    assert(shown.includes("1 image"));
    assert(shown.includes(words), shown);
    assertEquals(
      html.includes('data-testid="queue-go"'),
      name === "stopped",
    );
  });
}

Deno.test("an answer that broke off can be gone on with, a whole one made anew; while one is written neither", () => {
  const offered = (...events: RunEvent[]) => {
    const html = draw({ chat: chatWith(startOf(RUN), ...events) });
    return ["go-on", "retry", "anew"].filter((id) =>
      html.includes(`data-testid="${id}"`)
    );
  };
  const said = text("t", "half");
  const failed: RunEvent = {
    type: "error",
    errorText: "x",
    code: "run_interrupted",
    retryable: true,
  };
  assertEquals(offered(...said, { type: "abort", reason: "user" }), [
    "go-on",
    "anew",
  ]);
  assertEquals(offered({ type: "abort", reason: "user" }), ["anew"]);
  assertEquals(
    offered(...said, { ...FINISH, finishReason: "length" } as RunEvent),
    ["go-on", "anew"],
  );
  assertEquals(offered(...said, { type: "abort", reason: "shutdown" }), [
    "go-on",
    "retry",
  ]);
  assertEquals(offered(...said, failed), ["go-on", "retry"]);
  assertEquals(offered(failed), ["retry"], "nothing is there to go on with");
  assertEquals(offered(...said, FINISH), ["anew"]);
  assertEquals(offered(...said), []);
});

Deno.test("a question with several versions says which one this is", () => {
  const chat = chatWith(startOf(RUN), FINISH);
  const other = runId("o");
  const html = draw({
    chat: {
      ...chat,
      turns: [{ ...chat.turns[0]!, versions: [other, RUN, runId("p")] }],
    },
  });
  assert(/data-testid="version">2 \/ 3</.test(html), html);
  assert(html.includes('aria-label="The version before"'));
  assert(!draw({ chat }).includes('data-testid="versions"'));
});

Deno.test("no page carries anything inline: style, script or handler (CSP)", () => {
  const pages = [
    draw(),
    draw({ chat: { ...chatWith(...richRun(RUN)), queue: QUEUE } }),
    draw({
      chat: chatWith(startOf(RUN), {
        type: "error",
        errorText: "x",
        code: "internal",
        retryable: true,
      }),
    }),
  ];
  for (const html of pages) {
    const tags = html.match(/<[a-z][^>]*>/gi)!;
    const inline = tags.filter((tag) =>
      /\s(style|on[a-z]+)=/i.test(tag) || /^<(script|style)/i.test(tag)
    );
    assertEquals(inline, []);
  }
});

Deno.test("the chats are links, the open one is marked, one being answered is said to be, one that waits too", () => {
  const html = draw({
    chat: chatWith(startOf(RUN), FINISH),
    chats: [
      { id: chatId("a"), title: "First", updatedAt: "", activeRun: null },
      { id: chatId("b"), title: "Second", updatedAt: "", activeRun: RUN },
      {
        id: chatId("c"),
        title: "Third",
        updatedAt: "",
        activeRun: RUN,
        waiting: true,
      },
    ],
  });
  const links = html.match(/<a [^>]*data-testid="chat-link"[^>]*>/g)!;
  assertEquals(links.length, 3);
  assert(links[0]!.includes('aria-current="page"'));
  assert(links[1]!.includes(`href="/c/${chatId("b")}"`));
  assertEquals(html.match(/aria-label="answering"/g)?.length, 1);
  assertEquals(html.match(/aria-label="waiting for you"/g)?.length, 1);
});

for (
  const [name, events, testId, words] of [
    ["stopped", [{ type: "abort", reason: "user" }], "stopped", "Stopped"],
    [
      "timed out",
      [{ type: "abort", reason: "timeout" }],
      "answer-error",
      "time limit",
    ],
    [
      "cut by length",
      [...text("t", "x"), { ...FINISH, finishReason: "length" } as RunEvent],
      "cut",
      "length limit",
    ],
    ["empty", [FINISH], "cut", "without an answer"],
    [
      "failed",
      [{
        type: "error",
        errorText: "raw",
        code: "upstream_auth",
        retryable: false,
      }],
      "answer-error",
      "OPENAI_API_KEY",
    ],
  ] as [string, RunEvent[], string, string][]
) {
  Deno.test(`an answer that was ${name} says so`, () => {
    const html = draw({ chat: chatWith(startOf(RUN), ...events) });
    assert(html.includes(`data-testid="${testId}"`), html);
    assert(visible(html).includes(words));
    assertEquals(
      html.includes('data-testid="retry"'),
      testId === "answer-error",
    );
  });
}

Deno.test("a bus answer is drawn as a departure board, in the language of the page", () => {
  const label = (zh: string, en: string) => ({ zh, en });
  const data = {
    kind: "board",
    view: "trips",
    from: label("火车站", "Railway Station"),
    to: label("大学城", "University"),
    date: "2026-11-23",
    time: "07:11",
    timeZone: "Asia/Shanghai",
    rows: [{
      route: { name: "K3", color: "ffee00", textColor: null },
      headsign: label("软件园", "Software Park"),
      departure: "23:50",
      inMinutes: 65,
      dayOffset: 1,
      arrival: "00:10",
      minutes: 20,
    }],
    feed: { publisher: "Sample", validUntil: "2030-12-31", outOfDate: true },
  };
  const tool = { dynamic: true, providerExecuted: true } as const;
  const chat = chatWith(
    startOf(RUN),
    {
      type: "tool-input-start",
      toolCallId: "c",
      toolName: "bus_schedule",
      ...tool,
    },
    {
      type: "tool-input-available",
      toolCallId: "c",
      toolName: "bus_schedule",
      input: { from: "A", to: "B" },
      ...tool,
    },
    {
      type: "tool-output-available",
      toolCallId: "c",
      output: { text: "raw words", data: data as Json },
      ms: 12,
      ...tool,
    },
    FINISH,
  );
  const en = visible(draw({ chat })).replace(/\s+/g, " ");
  for (
    const part of [
      "Railway Station",
      "University",
      "Software Park",
      "K3",
      "1 h 5 min",
      "+1 d",
      "20 min ride",
      "00:10",
      "2030-12-31",
      "outside the timetable",
      "raw words",
      "A → B",
    ]
  ) {
    assert(en.includes(part), `${part} in ${en}`);
  }
  assert(visible(draw({ chat, lang: "zh" })).includes("软件园"));
  assert(draw({ chat }).includes('fill="#ffee00"'), "the line's colour");
  assert(
    /fill="#000"[^>]*>K3/.test(draw({ chat })),
    "dark ink on a light plate",
  );
  const odd = structuredClone(chat);
  const part = odd.turns[0]!.answer.parts[0]!;
  if (part.kind === "tool") part.output!.data = { kind: "board", rows: 7 };
  assert(!draw({ chat: odd }).includes('data-testid="board"'), "shown as text");
  assert(visible(draw({ chat: odd })).includes("raw words"));
});

Deno.test("safety X02 X03: names, arguments, results and errors of tools are text", () => {
  const evil = "<img src=x onerror=alert(1)>";
  const tool = { dynamic: true, providerExecuted: true } as const;
  const html = draw({
    chat: chatWith(
      startOf(RUN),
      { type: "tool-input-start", toolCallId: "c", toolName: evil, ...tool },
      {
        type: "tool-input-available",
        toolCallId: "c",
        toolName: evil,
        input: { a: evil },
        ...tool,
      },
      {
        type: "tool-output-error",
        toolCallId: "c",
        errorText: evil,
        ms: 1,
        ...tool,
      },
      FINISH,
    ),
    chats: [{ id: chatId("a"), title: evil, updatedAt: "", activeRun: null }],
  });
  assert(!html.includes("<img"));
});

for (
  const [errorText, words] of [
    ["Not run: nothing new would come of it.", "not run"],
    ["aborted", "stopped"],
    ["aborted: it is not known whether it took effect", "stopped"],
    ["The tool failed: aborted", "failed"],
  ] as const
) {
  Deno.test(`a call that ended with "${errorText}" is shown as ${words}`, () => {
    const tool = { dynamic: true, providerExecuted: true } as const;
    const html = draw({
      chat: chatWith(
        startOf(RUN),
        { type: "tool-input-start", toolCallId: "c", toolName: "t", ...tool },
        {
          type: "tool-output-error",
          toolCallId: "c",
          errorText,
          ms: 1,
          ...tool,
        },
        FINISH,
      ),
    });
    const [, state] = /<span class="tool-state[^"]*">(.*?)<\/summary>/.exec(
      html,
    )!;
    assert(visible(state!).includes(words), state);
  });
}

Deno.test("what a provider's failure is called is said once, in the page's language", () => {
  const codes = [
    "upstream_error",
    "upstream_bad_request",
    "upstream_bad_response",
    "upstream_unavailable",
    "upstream_reset",
  ] as const satisfies UpstreamCode[];
  for (const code of codes) {
    const { message } = failure(code);
    const failed = (errorText: string) =>
      draw({
        lang: "zh",
        chat: chatWith(startOf(RUN), {
          type: "error",
          errorText,
          code,
          retryable: true,
        }),
      });
    assert(!failed(message).includes(message.slice(0, -1)), message);
    assert(failed("Start the server first.").includes("Start the server"));
  }
});

Deno.test("the demo model is said to be one, a real one is not", () => {
  assert(draw({ model: { id: "d", demo: true } }).includes("OPENAI_API_KEY"));
  assert(!draw().includes('data-testid="demo"'));
});
