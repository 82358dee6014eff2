/**
 * `/api/chat` as bytes and JSON, without the AI SDK.
 */
import { assertEquals } from "@std/assert";
import * as z from "zod";
import type { Tool } from "../../lib/agent/contracts.ts";
import type { App } from "./app.ts";
import { allFrames } from "./frames.ts";
import type { Puppet, PuppetModel } from "./puppet_model.ts";
import { JSON_TYPE } from "./run_client.ts";

export const MAIL: Tool = {
  name: "send_mail",
  description: "Sends a mail",
  input: z.object({}),
  effect: "external",
  run: () => ({ text: "sent" }),
};

export const user = (id: string, text: string) => ({
  id,
  role: "user",
  parts: [{ type: "text", text }],
});

/** `POST /api/chat`, as `useChat` sends it. */
export function post(app: App, body: object, init: RequestInit = {}) {
  return fetch(`${app.url}/api/chat`, {
    method: "POST",
    ...init,
    headers: { ...JSON_TYPE, ...init.headers },
    body: JSON.stringify({ id: "chat-1", trigger: "submit-message", ...body }),
  });
}

export const resume = (app: App, id: string) =>
  fetch(`${app.url}/api/chat/${encodeURIComponent(id)}/stream`);

// deno-lint-ignore no-explicit-any
export async function events(response: Response): Promise<any[]> {
  assertEquals(response.status, 200);
  const list = await allFrames(response);
  return list.map(({ data }) => data === "[DONE]" ? data : JSON.parse(data));
}

// deno-lint-ignore no-explicit-any
export const textOf = (list: any[]) =>
  list.filter(({ type }) => type === "text-delta").map(({ delta }) => delta)
    .join("");

export function say(puppet: Puppet, text: string): void {
  puppet.say(text).finish({ usage: { input: 1, output: 1, total: 2 } });
}

/** Asks and answers; the answer's text as it came over the wire. */
export async function exchange(
  app: App,
  model: PuppetModel,
  body: object,
  answer: string,
): Promise<string> {
  const asking = post(app, body);
  say(await model.next(), answer);
  return textOf(await events(await asking));
}

/** What the model was told, without the system prompt. */
export const told = (puppet: Puppet) =>
  puppet.request.messages.slice(1).map(({ role, ...rest }) =>
    `${role}: ${"text" in rest ? rest.text : ""}`
  );
