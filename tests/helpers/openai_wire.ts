/**
 * `/v1/chat/completions` as bytes and JSON, without a client library.
 */
import type { App } from "./app.ts";
import { allFrames } from "./frames.ts";
import type { PuppetModel } from "./puppet_model.ts";
import { JSON_TYPE } from "./run_client.ts";

export const USER = [{ role: "user", content: "hello" }];

/** `POST /v1/chat/completions`. */
export function complete(app: App, body: object, init: RequestInit = {}) {
  return fetch(`${app.url}/v1/chat/completions`, {
    method: "POST",
    ...init,
    headers: { ...JSON_TYPE, ...init.headers },
    body: JSON.stringify({ model: "tickertape", messages: USER, ...body }),
  });
}

// deno-lint-ignore no-explicit-any
export async function chunks(response: Response): Promise<any[]> {
  const list = await allFrames(response);
  return list.map(({ data }) => data === "[DONE]" ? data : JSON.parse(data));
}

export async function answerOnce(
  model: PuppetModel,
  text = "ok",
): Promise<void> {
  const puppet = await model.next();
  puppet.say(text).finish({ usage: { input: 1, output: 1, total: 2 } });
}
