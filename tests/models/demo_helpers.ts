/**
 * A demo upstream for one test, and the few ways tests talk to it.
 *
 * @module
 */
import {
  type DemoOptions,
  type DemoUpstream,
  startDemoUpstream,
} from "../../lib/models/demo/mod.ts";

/** Wednesday 2026-03-18, 14:00 in Shanghai. */
export const NOW = new Date("2026-03-18T06:00:00Z");

export const TOOLS = ["bus_schedule", "current_time", "calculator"].map((
  name,
) => ({
  type: "function" as const,
  function: { name, parameters: { type: "object" } },
}));

// The wire as a client sees it; every field is checked by assertions.
// deno-lint-ignore no-explicit-any
export type Chunk = any;

export interface Reply {
  content: string;
  calls: { name: string; arguments: unknown }[];
  // deno-lint-ignore no-explicit-any
  message: any;
}

export interface DemoDesk {
  demo: DemoUpstream;
  send(method: string, path: string, body?: string): Promise<Response>;
  /** Asks for a completion; the model is filled in. */
  post(body: unknown): Promise<Response>;
  /** One question with the shipped tools, behind earlier messages. */
  chat(question: string, before?: unknown[]): Promise<Reply>;
}

/** Runs a test against a demo upstream that types without waiting. */
export async function withDemo(
  test: (desk: DemoDesk) => Promise<void>,
  options: DemoOptions = {},
): Promise<void> {
  const demo = await startDemoUpstream({
    tokensPerSecond: Infinity,
    now: () => NOW,
    ...options,
  });
  const send: DemoDesk["send"] = (method, path, body) =>
    fetch(demo.baseUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${demo.apiKey}`,
        "content-type": "application/json",
      },
      ...(body !== undefined && { body }),
    });
  const post = (body: unknown) =>
    send(
      "POST",
      "/chat/completions",
      JSON.stringify(
        Array.isArray(body) ? body : { model: demo.model, ...body as object },
      ),
    );
  async function chat(question: string, before: unknown[] = []) {
    const response = await post({
      tools: TOOLS,
      messages: [...before, { role: "user", content: question }],
    });
    return readReply(await response.json());
  }
  try {
    await test({ demo, send, post, chat });
  } finally {
    await demo.close();
  }
}

/** The answer of a whole completion, call arguments parsed. */
// deno-lint-ignore no-explicit-any
export function readReply({ choices }: any): Reply {
  const { message } = choices[0];
  return {
    content: message.content ?? "",
    calls: (message.tool_calls ?? []).map((call: Chunk) => ({
      name: call.function.name,
      arguments: JSON.parse(call.function.arguments),
    })),
    message,
  };
}

/** The JSON chunks of a stream's text. */
export function chunksOf(text: string): Chunk[] {
  return text.split("\n\n")
    .filter((frame) => frame.startsWith("data: {"))
    .map((frame) => JSON.parse(frame.slice(6)));
}

/** The answer's text. */
export function contentOf(chunks: Chunk[]): string {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
}
