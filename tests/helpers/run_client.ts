/**
 * A plain client of a run's wire, and a run to read.
 */
import { assertEquals } from "@std/assert";
import type { StartedRun } from "../../lib/chat/views.ts";
import type { App } from "./app.ts";
import type { PuppetModel } from "./puppet_model.ts";

/** An app, or one instance of it. */
type Address = Pick<App, "url">;

export const JSON_TYPE = { "content-type": "application/json" };

/** `POST /api/runs`. */
export function ask(app: Address, body: unknown, headers: HeadersInit = {}) {
  return fetch(`${app.url}/api/runs`, {
    method: "POST",
    headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify(body),
  });
}

/** `POST /api/runs` where 202 is what must come. */
export async function started(
  app: Address,
  body: unknown,
): Promise<StartedRun> {
  const response = await ask(app, body);
  assertEquals(response.status, 202);
  return await response.json();
}

/** `GET /api/runs/{run}/events` behind a cursor. */
export function events(
  app: Address,
  run: string,
  after?: string,
  init: RequestInit = {},
) {
  const headers: Record<string, string> = after === undefined
    ? {}
    : { "last-event-id": after };
  return fetch(`${app.url}/api/runs/${run}/events`, { headers, ...init });
}

const PIECES = [
  "The ",
  "bus 👩‍👩‍👧",
  "\n\n",
  "a\r\nb",
  "data: x",
  " 你好",
  "\u0000",
];

/** What {@linkcode finishedRun} says last. */
export const TEXT = PIECES.join("");

/** A finished run with a tool call and text of many kinds; its id. */
export async function finishedRun(
  app: App,
  model: PuppetModel,
): Promise<string> {
  const { run_id } = await started(app, { text: "hello" });
  (await model.next()).say("Let me see. ").call("echo", { say: "hi" });
  const second = await model.next();
  for (const piece of PIECES) {
    second.say(piece);
    await app.shows(run_id, piece);
  }
  second.finish({ usage: { input: 3, output: 7, total: 10 } });
  await app.over(run_id);
  return run_id;
}
