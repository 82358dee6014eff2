/**
 * The page's own stream, with all its fields, read by a decoder nobody here
 * wrote: the transport of the AI SDK, straight from `POST /api/runs`.
 */
import { assert, assertEquals } from "@std/assert";
import { DefaultChatTransport, readUIMessageStream, type UIMessage } from "ai";
import { startApp } from "../helpers/app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";

async function decode(
  url: string,
  text: string,
): Promise<{ message: UIMessage; errors: unknown[] }> {
  const transport = new DefaultChatTransport({
    api: `${url}/api/runs`,
    headers: { accept: "text/event-stream" },
    prepareSendMessagesRequest: () => ({ body: { text } }),
  });
  const stream = await transport.sendMessages({
    chatId: "any",
    trigger: "submit-message",
    messageId: undefined,
    messages: [{ id: "u1", role: "user", parts: [{ type: "text", text }] }],
    abortSignal: undefined,
  });
  const errors: unknown[] = [];
  let message: UIMessage | undefined;
  for await (
    const state of readUIMessageStream({
      stream,
      onError: (error) => errors.push(error),
    })
  ) {
    message = state;
  }
  return { message: message!, errors };
}

Deno.test("the transport of ai 7 reads the stream of POST /api/runs too", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const decoding = decode(app.url, "hello");
  const first = await model.next();
  first.emit({ type: "reasoning", delta: "let me look" });
  first.emit({ type: "retry", attempt: 1, afterMs: 10, rateLimited: true });
  first.call("echo", { say: "08:30" }, "call-1");
  const second = await model.next();
  second.say("At ", "08:30 ", "👍").finish({
    usage: { input: 1, output: 2, total: 3 },
  });
  const { message, errors } = await decoding;
  assertEquals(errors, []);
  assertEquals(message.role, "assistant");
  assertEquals(message.parts.map((part) => part.type), [
    "step-start",
    "reasoning",
    "dynamic-tool",
    "step-start",
    "text",
  ]);
  const [, reasoning, tool, , text] = message.parts;
  assert(reasoning?.type === "reasoning" && reasoning.text === "let me look");
  assert(tool?.type === "dynamic-tool" && tool.state === "output-available");
  assertEquals(tool.toolCallId, "call-1");
  assertEquals(tool.output, { text: "08:30" });
  assert(text?.type === "text" && text.text === "At 08:30 👍");
  assertEquals(text.state, "done");
});
