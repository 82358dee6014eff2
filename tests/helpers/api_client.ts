/**
 * A program that uses the JSON API: one call, looked at as a whole.
 */
import { assertEquals } from "@std/assert";
import type { ChatView, QueuedMessage } from "../../lib/chat/views.ts";
import type { App } from "./app.ts";
import type { PuppetModel } from "./puppet_model.ts";
import { ask, JSON_TYPE, started } from "./run_client.ts";

export interface Called {
  status: number;
  headers: Headers;
  /** Null where there is none. */
  // deno-lint-ignore no-explicit-any
  body: any;
}

/** One request, as `curl -X METHOD` with a JSON body. */
export async function call(
  app: App,
  method: string,
  path: string,
  body?: unknown,
  headers: HeadersInit = {},
): Promise<Called> {
  const response = await fetch(app.url + path, {
    method,
    headers: body === undefined ? headers : { ...JSON_TYPE, ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? null : JSON.parse(text),
  };
}

/** The chat as people see it. */
export async function chatOf(app: App, chat: string): Promise<ChatView> {
  const { status, body } = await call(app, "GET", `/api/chats/${chat}`);
  assertEquals(status, 200);
  return body;
}

/** Asks and has it answered in whole. */
export async function answered(
  app: App,
  model: PuppetModel,
  body: unknown,
  answer: string,
): Promise<{ run: string; chat: string }> {
  const { run_id, chat_id } = await started(app, body);
  (await model.next()).say(answer).finish();
  await app.over(run_id);
  return { run: run_id, chat: chat_id };
}

/** Sends a message that must wait; it as it waits. */
export async function queued(
  app: App,
  chat: string,
  text: string,
  more: object = {},
): Promise<QueuedMessage> {
  const response = await ask(app, {
    chat_id: chat,
    text,
    queue: true,
    ...more,
  });
  assertEquals(response.status, 202);
  const { chat_id, queued } = await response.json();
  assertEquals(chat_id, chat);
  return queued;
}
