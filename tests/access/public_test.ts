/** A public server as programs with tokens, pages with cookies and strangers see it. */
import { assert, assertEquals } from "@std/assert";
import * as z from "zod";
import { Tokens } from "../../lib/access/mod.ts";
import { type App, startApp } from "../helpers/app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { JSON_TYPE } from "../helpers/run_client.ts";

const QUESTION = {
  model: "tickertape",
  messages: [{ role: "user", content: "hello" }],
};
const CHAT = {
  id: "chat-1",
  messages: [{
    id: "u1",
    role: "user",
    parts: [{ type: "text", text: "hello" }],
  }],
};

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function post(app: App, path: string, body: unknown, headers: HeadersInit) {
  return fetch(`${app.url}${path}`, {
    method: "POST",
    headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify(body),
  });
}

Deno.test("in public /v1 takes a token and nothing else; a wrong one is 401 everywhere and in no log", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model, access: "public" });
  const tokens = new Tokens(app.services.store);
  const token = await tokens.add("laptop");
  const wrong = `tt_${"x".repeat(43)}`;
  const cookie = { cookie: `tt_visitor=${"1".repeat(32)}` };
  const missing = "A bearer token is needed here. Make one with: " +
    "deno task token add <name>";
  const unknown = "This bearer token is not known here. Make one with: " +
    "deno task token add <name>";
  const cases: [HeadersInit, string][] = [
    [{}, missing],
    [cookie, missing],
    [bearer("sk-anything"), unknown],
    [{ ...cookie, ...bearer(wrong) }, unknown],
  ];
  for (const [headers, message] of cases) {
    for (
      const response of [
        await post(app, "/v1/chat/completions", QUESTION, headers),
        await fetch(`${app.url}/v1/models`, { headers }),
      ]
    ) {
      assertEquals(response.status, 401);
      assertEquals(response.headers.get("www-authenticate"), "Bearer");
      const error = {
        message,
        type: "authentication_error",
        param: null,
        code: "invalid_api_key",
      };
      assertEquals(await response.json(), { error });
    }
  }
  for (const path of ["/api/chat", "/api/runs"]) {
    const response = await post(app, path, CHAT, bearer(wrong));
    const { status, code } = await response.json();
    assertEquals([status, code], [401, "invalid_api_key"]);
  }
  const page = await fetch(app.url, {
    headers: { ...bearer(wrong), accept: "text/html" },
  });
  assertEquals(page.status, 401);
  assert((await page.text()).startsWith("<!DOCTYPE html>"));
  assertEquals(model.count, 0);
  const asking = post(app, "/v1/chat/completions", QUESTION, bearer(token));
  (await model.next()).say("hi").finish();
  assertEquals((await asking).status, 200);
  await (await asking).body?.cancel();
  await tokens.revoke("laptop");
  const after = await fetch(`${app.url}/v1/models`, { headers: bearer(token) });
  assertEquals(after.status, 401);
  await after.body?.cancel();
  const log = app.log.join("");
  assert(!log.includes(token.slice(3)) && !log.includes("xxxxx"), log);
});

Deno.test("every token has a rate of its own, told in OpenAI's shape with Retry-After", async () => {
  const model = new PuppetModel();
  await using app = await startApp({
    model,
    access: "public",
    limits: { questionsPerMinute: 1 },
  });
  const tokens = new Tokens(app.services.store);
  for (const name of ["a", "b"]) {
    const headers = bearer(await tokens.add(name));
    const asking = post(app, "/v1/chat/completions", QUESTION, headers);
    (await model.next()).say("hi").finish();
    assertEquals((await asking).status, 200);
    await (await asking).body?.cancel();
    const again = await post(app, "/v1/chat/completions", QUESTION, headers);
    assertEquals(again.status, 429);
    assert(Number(again.headers.get("retry-after")) > 0);
    const { error } = await again.json();
    assertEquals([error.type, error.code], [
      "rate_limit_error",
      "too_many_questions",
    ]);
  }
});

Deno.test("T05: only the token that asked answers for a call, and not after Stop", async () => {
  const model = new PuppetModel();
  let sent = 0;
  await using app = await startApp({
    model,
    access: "public",
    tools: [{
      name: "send_mail",
      description: "Sends",
      input: z.object({}),
      effect: "external",
      run: () => ({ text: `sent ${++sent}` }),
    }],
  });
  const tokens = new Tokens(app.services.store);
  const mine = bearer(await tokens.add("mine"));
  const theirs = bearer(await tokens.add("theirs"));
  const asking = post(app, "/api/chat", CHAT, mine);
  (await model.next()).call("send_mail", {});
  const response = await asking;
  const run = response.headers.get("x-run-id")!;
  const question = async () => {
    const state = await fetch(`${app.url}/api/runs/${run}`, { headers: mine });
    const { answer } = await state.json();
    return answer.parts.find(({ kind }: { kind: string }) => kind === "tool")
      ?.approval?.id;
  };
  await app.until(async () => await question() !== undefined);
  const decide = async (headers: HeadersInit) => {
    const path = `/api/runs/${run}/approvals/${await question()}`;
    const response = await post(app, path, { decision: "once" }, headers);
    await response.body?.cancel();
    return response.status;
  };
  const cookie = { cookie: `tt_visitor=${"1".repeat(32)}` };
  for (const stranger of [theirs, cookie, {}]) {
    assertEquals(await decide(stranger), 404);
    const resumed = await fetch(`${app.url}/api/chat/chat-1/stream`, {
      headers: stranger,
    });
    assertEquals(resumed.status, 204);
  }
  const stop = await post(app, `/api/runs/${run}/stop`, {}, mine);
  await stop.body?.cancel();
  await app.over(run);
  assertEquals(await decide(mine), 409);
  assertEquals(sent, 0);
  await response.body?.cancel();
});
