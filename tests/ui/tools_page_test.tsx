/** The page of tool servers, as the server draws it. */
import { assert, assertEquals } from "@std/assert";
import { h } from "preact";
import { renderToString } from "preact-render-to-string";
import type {
  Language,
  ToolServerView,
  ToolView,
} from "../../lib/chat/views.ts";
import { AllowAgain } from "../../lib/ui/components/allow_again.tsx";
import { ToolsPage } from "../../lib/ui/components/tools_page.tsx";
import { troubleOf } from "../../lib/tools/mcp/trouble.ts";

const tool = (fields: Partial<ToolView> = {}): ToolView => ({
  name: "read_file",
  description: "Reads a file.",
  effect: "read",
  state: "ready",
  before: null,
  ...fields,
});

function draw(
  tools: ToolView[],
  fields: Partial<ToolServerView> = {},
  lang: Language = "en",
) {
  const server: ToolServerView = {
    name: "files",
    state: "ready",
    trouble: null,
    tools,
    ...fields,
  };
  return renderToString(
    h(ToolsPage, { servers: [server], lang, Allow: AllowAgain }),
  );
}

Deno.test("the page says how each server is, and what each tool may do", () => {
  const html = draw([tool(), tool({ name: "send", effect: "external" })]);
  for (
    const part of [
      "files",
      "ready",
      "2 tools",
      "read_file",
      "Reads a file.",
      "only reads",
      "asks you first",
    ]
  ) assert(html.includes(part), part);
  assert(!html.includes("allow-again"));
  const away = draw([], {
    state: "unreachable",
    trouble: "It does not answer.",
  });
  assert(away.includes("cannot be reached"));
  assert(away.includes("It does not answer."));
});

Deno.test("T06: a changed tool shows what it was and what it is, and waits for a person", () => {
  const html = draw([
    tool({
      description: "Reads a file and mails\u200b it.",
      state: "changed",
      before: { description: "Reads a file." },
    }),
  ]);
  assert(html.includes("Reads a file."));
  assert(html.includes("and mails<mark>U+200B</mark> it."));
  assert(html.includes("switched off"));
  assert(html.includes('data-testid="allow-again"'));
  assert(html.includes("<noscript>"));
  const schema = draw([
    tool({ state: "changed", before: { description: "Reads a file." } }),
  ]);
  assert(schema.includes("the arguments it takes have changed"));
});

Deno.test("T11: who may not allow a changed tool is not offered the button", () => {
  const servers: ToolServerView[] = [{
    name: "files",
    state: "ready",
    trouble: null,
    tools: [tool({ state: "changed", before: { description: "Other." } })],
  }];
  const html = renderToString(
    h(ToolsPage, { servers, lang: "en", Allow: null }),
  );
  assert(html.includes("Other."));
  assert(html.includes("Only who runs this server"));
  assert(!html.includes("allow-again"));
});

Deno.test("safety X03: what servers say of themselves is text", () => {
  const evil = "<img src=x onerror=alert(1)>";
  const html = draw([tool({ name: evil, description: evil })], {
    name: evil,
    trouble: evil,
  });
  assert(!html.includes("<img"));
});

Deno.test("without servers the page says where they come from, in both languages", () => {
  for (
    const [lang, words] of [["en", "No tool servers"], [
      "zh",
      "还没有",
    ]] as const
  ) {
    const html = renderToString(
      h(ToolsPage, { servers: [], lang, Allow: AllowAgain }),
    );
    assert(html.includes(words));
    assertEquals(html.includes("allow-again"), false);
  }
});

Deno.test("why a server cannot be used is said in the language of the page", () => {
  for (
    const error of [
      new TypeError("fetch failed"),
      new Deno.errors.NotFound(),
      new Deno.errors.PermissionDenied(),
      Object.assign(new Error(), { status: 401 }),
      Object.assign(new Error(), { code: "REQUEST_TIMEOUT" }),
      Object.assign(new Error(), { code: "CONNECTION_CLOSED" }),
      new Error("anything else"),
    ]
  ) {
    const trouble = troubleOf(error);
    const html = draw([], { state: "unreachable", trouble }, "zh");
    assert(!html.includes(trouble), trouble);
  }
});
