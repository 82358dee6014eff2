/** What an agent asks and how far it is, as the server draws it. */
import { assert, assertEquals } from "@std/assert";
import { h } from "preact";
import { renderToString } from "preact-render-to-string";
import { emptyAnswer } from "../../lib/chat/answer.ts";
import type { Json, RunEvent } from "../../lib/chat/events.ts";
import { fold } from "../../lib/chat/fold.ts";
import type { Language, Turn } from "../../lib/chat/views.ts";
import { Screen, type ScreenStart } from "../../lib/ui/components/screen.tsx";
import { ready } from "../../lib/ui/later.ts";
import { messages } from "../../lib/ui/messages.ts";
import { troubleOf } from "../../lib/ui/tool_trouble.ts";
import {
  answered,
  callThatAsks,
  progress,
  runAsks,
  toolDone,
} from "./asking_script.ts";
import { chatId, FINISH, runId, startOf } from "./scripts.ts";

await ready();

const RUN = runId("r");

function draw(
  events: RunEvent[],
  { lang = "en" as Language, turn = {} as Partial<Turn>, ...start }:
    & Partial<Omit<ScreenStart, "chat">>
    & { turn?: Partial<Turn> } = {},
): string {
  const answer = emptyAnswer(RUN);
  [startOf(RUN), ...events].forEach((event, at) =>
    fold(answer, { epoch: 1, seq: at + 1, event })
  );
  return renderToString(h(Screen, {
    chat: {
      id: chatId("a"),
      title: "t",
      activeRun: answer.status === "running" ? RUN : null,
      settings: {},
      queue: [],
      turns: [{
        text: "q",
        createdAt: "2026-11-22T08:00:00Z",
        answer,
        ...turn,
      }],
    },
    chats: [],
    lang,
    words: messages(lang),
    theme: "system",
    model: { id: "scripted", demo: false },
    toolTrouble: [],
    ...start,
  }));
}

/** What can be read, with one space between words. */
const seen = (html: string) =>
  html.replace(/<[^>]*>/g, "").replace(/\s+/g, " ");
const has = (html: string, testId: string) =>
  html.includes(`data-testid="${testId}"`);

Deno.test("T01: a call that waits shows what, who, why and everything it would send", () => {
  const long = `https://example.com/${"path/".repeat(400)}?q=end`;
  const html = draw(
    callThatAsks(
      { url: long, note: "a\u200bb", n: [1, 2] },
      "office__send-mail",
    ),
  );
  const words = seen(html);
  for (
    const part of [
      "Run “send mail” of the server “office”?",
      "office__send-mail",
      "It can change something",
      long,
      "leads to example.com",
      "aU+200Bb",
      "Allow once",
      "Always in this chat",
      "Don't allow",
      "until ",
    ]
  ) assert(words.includes(part), `${part} in ${words}`);
  const body = html.slice(html.indexOf("</details>"));
  assert(body.includes(long), "not hidden in the fold");
  assert(html.includes('data-state="waiting"'));
  assert(has(html, "asking"), "the status line says it");
  assert(!has(html, "waiting"), "nothing else seems to be under way");
});

Deno.test("T08: what carries text out says so and cannot be allowed for good", () => {
  const html = draw(
    callThatAsks({ url: "https://example.com/?q=secret" }, "read_web_page", {
      reason: "taint",
      chatWide: false,
    }),
  );
  assert(seen(html).includes("Read this web page?"));
  assert(seen(html).includes("would carry text out"));
  assert(!has(html, "say-chat"));
});

for (
  const [decision, words] of [
    ["once", "You allowed this once."],
    ["chat", "You allowed this tool in this chat."],
    ["denied", "You did not allow this."],
    ["expired", "Nobody answered in time."],
  ] as const
) {
  Deno.test(`after the decision the card says it: ${decision}`, () => {
    const html = draw([...callThatAsks({ to: "x" }), answered(decision)]);
    assert(seen(html).includes(words));
    assert(!has(html, "say-once"));
    assert(!has(html, "asking"));
  });
}

Deno.test("T05: a run that has ended offers no buttons for what it asked", () => {
  const html = draw([
    ...callThatAsks({ to: "x" }),
    {
      ...toolDone,
      type: "tool-output-error",
      errorText: "aborted",
    } as RunEvent,
    { type: "abort", reason: "user" },
  ]);
  assert(!has(html, "say-once"));
  assert(seen(html).includes("This was not answered. It was not run."));
  assert(seen(html).includes("not run"), "and did not fail");
  assert(!html.includes("tool-state failed"));
});

Deno.test("two calls that wait are two cards; a decision closes its own", () => {
  const html = draw([
    ...callThatAsks({ to: "x" }),
    ...callThatAsks({ to: "y" }, "send_mail", { id: "a_2", toolCallId: "c2" }),
    answered("denied", "a_2"),
  ]);
  assertEquals(html.match(/data-testid="say-once"/g)!.length, 1);
  assertEquals(html.match(/data-testid="decision"/g)!.length, 1);
});

Deno.test("T13: after its steps, or in a circle, the agent asks whether to go on", () => {
  const steps = Array.from(
    { length: 25 },
    (): RunEvent[] => [{ type: "start-step" }, { type: "finish-step" }],
  ).flat();
  const open = draw([...steps, runAsks("steps")]);
  assert(seen(open).includes("The agent has used 25 steps without finishing."));
  assert(has(open, "say-once") && has(open, "say-denied"));
  assert(!has(open, "say-chat") && !has(open, "waiting"));
  assert(seen(draw([runAsks("loop")])).includes("The agent repeats itself"));
  const gone = draw([runAsks("loop"), answered("once")]);
  assert(!has(gone, "question-card"), "what goes on speaks for itself");
  const ended = draw([runAsks("steps"), answered("denied"), {
    type: "error",
    errorText: "x",
    code: "max_steps",
    retryable: false,
  }]);
  assert(seen(ended).includes("You stopped it here."));
  assert(!has(ended, "answer-error"), "nothing has failed");
});

Deno.test("questions are asked in the language of the page", () => {
  const html = draw(callThatAsks({ to: "x" }, "office__send"), { lang: "zh" });
  for (const part of ["运行服务器“office”的“send”吗？", "允许一次", "不允许"]) {
    assert(seen(html).includes(part), part);
  }
});

Deno.test("a long call says how far it has got, only while it runs", () => {
  const run = callThatAsks({}).slice(0, 2);
  const half = draw([...run, progress(3, 10, "third file")]);
  assert(seen(half).includes("3 of 10"));
  assert(seen(half).includes("third file"));
  assert(/<progress [^>]*max="10" value="3"/.test(half));
  const unknown = draw([...run, progress(12_345.678)]);
  assert(/<progress [^>]*>/.test(unknown));
  assert(!/<progress [^>]*(max|value)=/.test(unknown));
  assert(!has(draw([...run, progress(1, 2), toolDone]), "tool-progress"));
});

Deno.test("a page that was read is a line with its host; an address that is none is not", () => {
  const page = (url: string) =>
    draw([
      ...callThatAsks({ url }, "read_web_page").slice(0, 2),
      {
        ...toolDone,
        output: {
          text: "words",
          data: { kind: "page", url, title: "Timetable <b>" } as Json,
        },
      } as RunEvent,
    ]);
  const html = page("https://example.com/a");
  const line = html.slice(html.indexOf('data-testid="page-line"'));
  assert(line.includes('href="https://example.com/a"'));
  assert(seen(line).includes("example.com"));
  assert(!html.includes("<b>"));
  assert(!has(page("javascript:alert(1)"), "page-line"));
});

Deno.test("pictures of a question are shown from here, and from nowhere else", () => {
  const html = draw([FINISH], {
    turn: {
      images: ["/api/runs/r/images/1", "//evil.example/x.png", "/\\evil"],
    },
  });
  const found = [
    ...html.matchAll(/<img [^>]*src="([^"]*)"[^>]*alt="([^"]*)"/g),
  ];
  assertEquals(found.map(([, src]) => src), ["/api/runs/r/images/1"]);
  assertEquals(found[0]![2], "Image 1 of 3 sent with this");
});

Deno.test("the header says which model answers here", () => {
  const label = (html: string) =>
    /aria-label="(Chat settings: [^"]*)"/.exec(html)?.[1];
  assertEquals(label(draw([FINISH])), "Chat settings: scripted");
});

Deno.test("servers that give no tools are told of quietly, with the way to look", () => {
  const servers = [
    { name: "files", state: "unreachable", trouble: "x", tools: [] },
    {
      name: "office",
      state: "ready",
      trouble: null,
      tools: [{
        name: "t",
        description: "",
        effect: "read",
        state: "changed",
        before: null,
      }],
    },
    { name: "fine", state: "ready", trouble: null, tools: [] },
  ] as Parameters<typeof troubleOf>[0];
  const toolTrouble = troubleOf(servers);
  assertEquals(toolTrouble, [
    { server: "files", kind: "unreachable" },
    { server: "office", kind: "changed" },
  ]);
  const html = draw([FINISH], { toolTrouble });
  assert(seen(html).includes("Cannot reach the tools of “files”."));
  assert(seen(html).includes("Tools of “office” have changed"));
  assert(html.includes('href="/tools"'));
  assert(!has(draw([FINISH]), "tool-trouble"));
});
