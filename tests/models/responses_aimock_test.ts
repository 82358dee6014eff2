import { assertEquals } from "@std/assert";
import { LLMock } from "@copilotkit/aimock";
import type { ModelMessage } from "../../lib/agent/contracts.ts";
import { createOpenAIModel } from "../../lib/models/openai.ts";
import { ask } from "../helpers/ask_model.ts";

// A Responses provider nobody here wrote.

Deno.test({
  name: "aimock: thoughts, two calls and their results make an answer",
  // aimock keeps one interval for itself, which no caller can end.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const mock = new LLMock({ port: 0 });
    // The first that matches wins, so the later turn stands first.
    mock.on({ userMessage: "bus", hasToolResult: true }, {
      content: "Take line 1 at 08:30. 👍",
    });
    mock.on({ userMessage: "bus" }, {
      reasoning: "Two things to look up.",
      toolCalls: [
        { name: "bus", arguments: '{"from":"station"}' },
        { name: "clock", arguments: "{}" },
      ],
    });
    await mock.start();
    try {
      const model = createOpenAIModel({
        apiKey: "mock",
        baseUrl: `${mock.url}/v1`,
        model: "gpt-5",
        api: "responses",
      });
      const messages: ModelMessage[] = [{ role: "user", text: "Next bus?" }];
      const first = await ask(model, { messages });
      assertEquals(first.reasoning, "Two things to look up.");
      const { toolCalls, carry } = first.turn!;
      assertEquals(toolCalls.map((call) => [call.name, call.arguments]), [
        ["bus", '{"from":"station"}'],
        ["clock", "{}"],
      ]);
      messages.push(
        { role: "assistant", text: "", toolCalls, carry },
        ...toolCalls.map(({ id }): ModelMessage => ({
          role: "tool",
          toolCallId: id,
          text: "08:30",
        })),
      );
      const second = await ask(model, { messages });
      assertEquals(second.text, "Take line 1 at 08:30. 👍");
      assertEquals(second.turn?.finishReason, "stop");
    } finally {
      await mock.stop();
    }
  },
});
