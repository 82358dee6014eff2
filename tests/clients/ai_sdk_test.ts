/**
 * Decoders nobody here wrote: the transport and the chat of the AI SDK, in five
 * versions of three majors, unmodified, on `/api/chat` (cases R12, R13). The chat
 * is what `useChat` is made of, without React.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type * as z from "zod";
import { object } from "zod";
import type { Tool } from "../../lib/agent/contracts.ts";
import { type App, startApp, TEST_TOOLS } from "../helpers/app.ts";
import { BUS_ANSWER, BUS_QUESTION, startDemoApp } from "../helpers/demo_app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { JSON_TYPE } from "../helpers/run_client.ts";

type Sdk = typeof import("ai");
type Message = import("ai").UIMessage;

/** Names of the import map, by what they are. */
const VERSIONS = {
  "5.0.100": "ai-5.0.100",
  "5.0.277": "ai-5",
  "6.0.0": "ai-6.0.0",
  "6.0.324": "ai-6",
  "7.0.173": "ai",
};

const MAIL: Tool<z.infer<ReturnType<typeof object>>> = {
  name: "send_mail",
  description: "Sends a mail",
  input: object({}),
  effect: "external",
  run: () => ({ text: "sent" }),
};

/** A chat as `useChat` keeps it, and what it was told. */
function newChat(sdk: Sdk, app: App, id: string, messages: Message[] = []) {
  const state = {
    status: "ready" as const,
    error: undefined,
    messages,
    pushMessage: (message: Message) => void state.messages.push(message),
    popMessage: () => void state.messages.pop(),
    replaceMessage: (at: number, message: Message) => {
      state.messages[at] = structuredClone(message);
    },
    snapshot: <T>(value: T) => structuredClone(value),
  };
  const data: { type: string; data: unknown }[] = [];
  const errors: Error[] = [];
  class Chat extends sdk.AbstractChat<Message> {}
  const chat = new Chat({
    id,
    state,
    transport: new sdk.DefaultChatTransport({ api: `${app.url}/api/chat` }),
    onData: (part) => void data.push(part),
    onError: (error) => void errors.push(error),
  });
  return { chat, data, errors };
}

const types = (message?: Message) => message?.parts.map(({ type }) => type);

function textIn(message?: Message): string {
  return message?.parts.flatMap((part) =>
    part.type === "text" ? [part.text] : []
  ).join("\n") ?? "";
}

async function runOf(app: App): Promise<string> {
  let run: string | null = null;
  await app.until(async () => {
    const [chat] = await app.services.runs.chats("local");
    run = chat?.activeRun ?? null;
    return run !== null;
  });
  return run!;
}

async function post(app: App, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${app.url}${path}`, {
    method: "POST",
    headers: JSON_TYPE,
    body: JSON.stringify(body),
  });
  assert(response.ok, await response.text());
}

for (const [version, name] of Object.entries(VERSIONS)) {
  const sdk: Sdk = await import(name);

  Deno.test(`streaming R12: ai ${version} decodes reasoning, tools, an approval, notices, text and metadata`, async () => {
    const model = new PuppetModel();
    await using app = await startApp({ model, tools: [...TEST_TOOLS, MAIL] });
    const { chat, data, errors } = newChat(sdk, app, "chat-1");
    const sending = chat.sendMessage({ text: "hello" });
    const first = await model.next();
    first.emit({ type: "reasoning", delta: "let me look" });
    first.emit({ type: "retry", attempt: 1, afterMs: 10, rateLimited: true });
    first.call("echo", { say: "08:30" }, "call-1");
    (await model.next()).call("echo", { wrong: 1 }, "call-2");
    (await model.next()).call("send_mail", {}, "call-3");
    const run = await runOf(app);
    const asked = () => data.find(({ type }) => type === "data-approval");
    await app.until(() => asked() !== undefined);
    const { id } = asked()!.data as { id: string };
    await post(app, `/api/runs/${run}/approvals/${id}`, { decision: "once" });
    (await model.next()).say("At ", "08:30 ", "👍").finish({
      usage: { input: 1, output: 2, total: 3 },
    });
    await sending;
    assertEquals(errors, []);
    const message = chat.messages.at(-1)!;
    assertEquals([message.role, message.id, chat.status], [
      "assistant",
      run,
      "ready",
    ]);
    assertEquals(types(message), [
      "step-start",
      "reasoning",
      "dynamic-tool",
      "step-start",
      "dynamic-tool",
      "step-start",
      "dynamic-tool",
      "step-start",
      "text",
    ]);
    const tools = message.parts.filter((part) => part.type === "dynamic-tool");
    assertEquals(tools.map(({ toolCallId, state }) => [toolCallId, state]), [
      ["call-1", "output-available"],
      ["call-2", "output-error"],
      ["call-3", "output-available"],
    ]);
    assertEquals(tools[0]!.output, { text: "08:30" });
    assertEquals(textIn(message), "At 08:30 👍");
    const metadata = message.metadata as Record<string, unknown>;
    assertEquals([metadata.model, metadata.steps], ["puppet", 4]);
    assertEquals(typeof metadata.usage, "object");
    const told = new Set(data.map(({ type }) => type));
    for (const type of ["data-run", "data-approval", "data-approval-answer"]) {
      assert(told.has(type), `no ${type} was told`);
    }
  });

  Deno.test(`streaming R12: ai ${version} keeps the text of a stopped and of a failed run, then asks and answers anew`, async () => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    const { chat, errors } = newChat(sdk, app, "chat-1");
    const stopping = chat.sendMessage({ text: "one" });
    (await model.next()).say("half");
    const run = await runOf(app);
    await app.shows(run, "half");
    await post(app, `/api/runs/${run}/stop`, {});
    await stopping;
    assertEquals([errors, textIn(chat.lastMessage)], [[], "half"]);

    const failing = chat.sendMessage({ text: "two" });
    const puppet = await model.next();
    puppet.say("a quarter");
    await app.shows(await runOf(app), "a quarter");
    puppet.fail(new Error("boom"));
    await failing;
    assertEquals([errors.length, chat.status], [1, "error"]);
    assertMatch(errors[0]!.message, /^internal: \S/);
    assertEquals(textIn(chat.lastMessage), "a quarter");

    const again = chat.regenerate();
    const next = await model.next();
    assertEquals(next.request.messages.at(-1), { role: "user", text: "two" });
    next.say("all of it").finish();
    await again;
    assertEquals([chat.messages.length, chat.status], [4, "ready"]);
    assertEquals(textIn(chat.lastMessage), "all of it");
  });

  Deno.test(`ai ${version} edits a question and has an answer given anew, each in its place on our page too`, async () => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    const { chat, errors } = newChat(sdk, app, "chat-1");
    const answered = async (asking: Promise<void>, text: string) => {
      const puppet = await model.next();
      puppet.say(text).finish();
      await asking;
      return puppet.request.messages.slice(1).map(({ text }) => text);
    };
    await answered(chat.sendMessage({ text: "one" }), "first");
    await answered(chat.sendMessage({ text: "two" }), "second");
    const [one, , two] = chat.messages;
    const edit = { text: "two!", messageId: two!.id };
    assertEquals(await answered(chat.sendMessage(edit), "second!"), [
      "one",
      "first",
      "two!",
    ]);
    const again = { messageId: chat.lastMessage!.id };
    await answered(chat.regenerate(again), "better");
    const shown = async () => {
      const [listed] = await app.services.runs.chats("local");
      const { turns } = (await app.services.runs.chat("local", listed!.id))!;
      return turns.map(({ text, versions }) => [text, versions?.length ?? 1]);
    };
    assertEquals(await shown(), [["one", 1], ["two!", 3]]);
    const top = { text: "uno", messageId: one!.id };
    assertEquals(await answered(chat.sendMessage(top), "primero"), ["uno"]);
    assertEquals(await shown(), [["uno", 2]]);
    assertEquals([errors, chat.messages.map(textIn)], [[], ["uno", "primero"]]);
  });

  Deno.test(`streaming R13: ai ${version} resumes a running answer from its start, and nothing where there is none`, async () => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    const before = newChat(sdk, app, "chat-1");
    await before.chat.resumeStream();
    assertEquals([before.chat.status, before.chat.messages], ["ready", []]);
    const sending = before.chat.sendMessage({ text: "hello" });
    const puppet = await model.next();
    puppet.emit({ type: "reasoning", delta: "hm" });
    puppet.say("half");
    await app.shows(await runOf(app), "half");
    // A second tab, which has the question from the application's own keeping.
    const kept = before.chat.messages.filter(({ role }) => role === "user");
    const { chat, errors } = newChat(sdk, app, "chat-1", kept);
    const resuming = chat.resumeStream();
    await app.until(() => app.services.runs.readers === 2);
    puppet.say(" and whole").finish();
    await Promise.all([sending, resuming]);
    assertEquals(errors, []);
    assertEquals(types(chat.lastMessage), ["step-start", "reasoning", "text"]);
    assertEquals(textIn(chat.lastMessage), "half and whole");
    assertEquals(chat.messages, before.chat.messages);
  });

  Deno.test(`ai ${version} completes a bus question with the server's tools`, async () => {
    await using app = await startDemoApp();
    const { chat, errors } = newChat(sdk, app, "chat-1");
    await chat.sendMessage({ text: BUS_QUESTION });
    assertEquals(errors, []);
    assertMatch(textIn(chat.lastMessage), BUS_ANSWER);
    const tool = chat.lastMessage!.parts.find((part) =>
      part.type === "dynamic-tool"
    );
    assertEquals([tool?.toolName, tool?.state], [
      "bus_schedule",
      "output-available",
    ]);
  });
}
