/** Asking and stopping over a real socket, and who may. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import { startApp } from "../helpers/app.ts";
import { allFrames, foldFrames } from "../helpers/frames.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { ask, events, started } from "../helpers/run_client.ts";

Deno.test("streaming R09: stop closes the model at once, keeps what was said and ends with abort", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  for (const moment of ["before", "text", "tool"]) {
    const { run_id } = await started(app, { text: moment });
    const puppet = await model.next();
    if (moment === "text") puppet.say("half a wo");
    if (moment === "tool") puppet.call("hang", {});
    if (moment === "text") await app.shows(run_id, "half a wo");
    if (moment === "tool") await app.works(run_id);
    const stop = await fetch(`${app.url}/api/runs/${run_id}/stop`, {
      method: "POST",
    });
    assertEquals(stop.status, 202);
    assertEquals(await stop.json(), { status: "stopping" });
    if (moment !== "tool") assertEquals(await puppet.aborted, "user");
    const list = await allFrames(await events(app, run_id));
    assertEquals(JSON.parse(list.at(-2)!.data), {
      type: "abort",
      reason: "user",
    });
    const answer = foldFrames(run_id, list);
    assertEquals(answer.status, "stopped");
    assertEquals(answerText(answer), moment === "text" ? "half a wo" : "");
    if (moment === "tool") {
      const tool = answer.parts.find((part) => part.kind === "tool");
      assertEquals(tool?.state, "failed");
      assertEquals(tool?.errorText, "aborted");
    }
  }
});

Deno.test("streaming R10: stop is idempotent, tells the end, and knows no strangers", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const stop = (run: string) =>
    fetch(`${app.url}/api/runs/${run}/stop`, { method: "POST" });
  const { run_id } = await started(app, { text: "hello" });
  await model.next();
  const both = await Promise.all([stop(run_id), stop(run_id)]);
  for (const response of both) {
    assert([200, 202].includes(response.status));
    await response.body?.cancel();
  }
  await app.over(run_id);
  const after = await stop(run_id);
  assertEquals(after.status, 200);
  assertEquals(await after.json(), { status: "stopped" });
  for (const unknown of ["r_00000000000000000000000000", "nonsense", "..%2f"]) {
    const response = await stop(unknown);
    assert(response.status === 404 || response.status === 400);
    await response.body?.cancel();
  }
});

Deno.test("safety R11, N10: one idempotency key gives one run, fifty times in parallel", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const body = { text: "once", idempotency_key: "k-1" };
  const runs = await Promise.all(
    Array.from({ length: 50 }, () => started(app, body)),
  );
  assertEquals(new Set(runs.map((r) => r.run_id)).size, 1);
  (await model.next()).finish();
  await app.over(runs[0]!.run_id);
  assertEquals((await started(app, body)).run_id, runs[0]!.run_id);
  assertEquals(model.count, 1);
  const { chats } = await (await fetch(`${app.url}/api/chats`)).json();
  assertEquals(chats.length, 1);
});

Deno.test("streaming R11, N10: the Idempotency-Key header is the key where the body has none", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const header = { "idempotency-key": '"8e03978e-40d5"' };
  const both = await Promise.all([0, 1].map(async () => {
    const response = await ask(app, { text: "once" }, header);
    assertEquals(response.status, 202);
    return (await response.json()).run_id;
  }));
  assertEquals(both[0], both[1]);
  const inBody = { text: "other", idempotency_key: "k" };
  const other = await (await ask(app, inBody, header)).json();
  assert(other.run_id !== both[0]);
  assertEquals((await started(app, inBody)).run_id, other.run_id);
  for (const odd of ["a b", "", "ü", "x".repeat(201)]) {
    const response = await ask(app, { text: "x" }, {
      "idempotency-key": odd,
    });
    assertEquals(response.status, 400, odd);
    assertEquals((await response.json()).code, "invalid_idempotency_key");
  }
  for (const _ of [both[0], other.run_id]) (await model.next()).finish();
  await app.over(other.run_id);
  assertEquals(model.count, 2);
});

Deno.test("streaming R11: a second question while one is answered gets 409 with the running run", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const first = await started(app, { text: "one" });
  const puppet = await model.next();
  const response = await ask(app, { text: "two", chat_id: first.chat_id });
  assertEquals(response.status, 409);
  const body = await response.json();
  assertEquals(body.code, "run_active");
  assertEquals(body.run_id, first.run_id);
  puppet.say("1").finish();
  await app.over(first.run_id);
  await started(app, { text: "two", chat_id: first.chat_id });
  const second = await model.next();
  assertEquals(
    second.request.messages.slice(1).map((m) => [m.role, m.text]),
    [["user", "one"], ["assistant", "1"], ["user", "two"]],
  );
  second.finish();
});

Deno.test("S02: another visitor's run and chat are 404 everywhere, like unknown ones", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model, access: "public" });
  const mine = await ask(app, { text: "mine" });
  const { run_id, chat_id } = await mine.json();
  const cookie = mine.headers.get("set-cookie")!.split(";")[0]!;
  (await model.next()).say("secret").finish();
  await app.over(run_id);
  const own = await events(app, run_id, undefined, { headers: { cookie } });
  assertEquals(own.status, 200);
  await own.body!.cancel();

  const unknown = "r_00000000000000000000000000";
  const paths = (run: string, chat: string) => [
    ["GET", `/api/runs/${run}/events`],
    ["GET", `/api/runs/${run}`],
    ["POST", `/api/runs/${run}/stop`],
    ["GET", `/api/chats/${chat}`],
  ];
  const theirs = paths(run_id, chat_id);
  const nobodys = paths(unknown, "c_00000000000000000000000000");
  for (const [i, [method, path]] of theirs.entries()) {
    const strip = async (response: Response) => {
      const { id: _, ...body } = await response.json();
      return [response.status, body];
    };
    const a = await strip(await fetch(app.url + path, { method }));
    const b = await strip(await fetch(app.url + nobodys[i]![1], { method }));
    assertEquals(a, b, path);
    assertEquals(a[0], 404);
  }
  const { chats } = await (await fetch(`${app.url}/api/chats`)).json();
  assertEquals(chats, []);
});

Deno.test("S04: ids with control characters, and bodies too large, are refused before the store", async () => {
  await using app = await startApp({ model: new PuppetModel() });
  const bodies: [unknown, number][] = [
    [{ text: "" }, 400],
    [{ text: "  \n" }, 400],
    [{ text: "x".repeat(32_001) }, 400],
    [{ text: 5 }, 400],
    [{ text: "a", chat_id: "../x" }, 400],
    [{ text: "a", chat_id: "c_\r\n" }, 400],
    [{ text: "a", chat_id: "c_00000000000000000000000000" }, 404],
    [{ text: "a", idempotency_key: "a\nb" }, 400],
    [{ text: "a", idempotency_key: "" }, 400],
    [{ text: "x".repeat(32 << 20) }, 413],
  ];
  for (const [body, status] of bodies) {
    const response = await ask(app, body);
    assertEquals(response.status, status, JSON.stringify(body).slice(0, 60));
    assertEquals(
      response.headers.get("content-type")?.split(";")[0],
      "application/problem+json",
    );
    await response.body?.cancel();
  }
  const { chats } = await (await fetch(`${app.url}/api/chats`)).json();
  assertEquals(chats, []);
});

Deno.test("S05: the 21st stream of one visitor is 429 and comes free again", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model, access: "public" });
  const asked = await ask(app, { text: "mine" });
  const { run_id } = await asked.json();
  const cookie = asked.headers.get("set-cookie")!.split(";")[0]!;
  const puppet = await model.next();
  const open = () => events(app, run_id, undefined, { headers: { cookie } });
  const streams = await Promise.all(Array.from({ length: 20 }, open));
  const refused = await open();
  assertEquals(refused.status, 429);
  assertEquals(refused.headers.get("retry-after"), "5");
  assertEquals((await refused.json()).code, "too_many_streams");
  // One that was asked for its stream runs all the same, and says which it is.
  const post = await ask(app, { text: "unread" }, {
    cookie,
    accept: "text/event-stream",
  });
  assertEquals(post.status, 429);
  const unread = (await post.json()).run_id;
  assertMatch(unread, /^r_/);
  (await model.next()).finish();
  await app.over(unread);
  await Promise.all(streams.map((s) => s.body!.cancel()));
  await app.until(() => app.services.runs.readers === 0);
  const again = await open();
  assertEquals(again.status, 200);
  puppet.finish();
  await again.body!.cancel();
});

Deno.test("S05: a visitor who asks too often is told to wait, and nobody else is", async () => {
  const model = new PuppetModel();
  await using app = await startApp({
    model,
    access: "public",
    limits: { questionsPerMinute: 2 },
  });
  const first = await ask(app, { text: "one" });
  const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
  await first.body?.cancel();
  const statuses: number[] = [];
  for (const text of ["two", "three"]) {
    const response = await ask(app, { text }, { cookie });
    statuses.push(response.status);
    if (response.status === 429) {
      assertEquals((await response.json()).code, "too_many_questions");
      assert(Number(response.headers.get("retry-after")) <= 60);
    } else await response.body?.cancel();
  }
  assertEquals(statuses, [202, 429]);
  const legacy = await fetch(`${app.url}/print_stream?question=x`, {
    headers: { cookie },
  });
  assertEquals(legacy.status, 429);
  await legacy.body?.cancel();
  const other = await ask(app, { text: "mine" });
  assertEquals(other.status, 202);
  await other.body?.cancel();
});

Deno.test("U38, streaming X08: a tool's long answer is cut in the log and can be read in whole, by its owner only", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model, access: "public" });
  const asked = await ask(app, { text: "say too much" });
  const { run_id } = await asked.json();
  const cookie = asked.headers.get("set-cookie")!.split(";")[0]!;
  (await model.next()).call("long", {});
  (await model.next()).finish();
  const list = await allFrames(
    await events(app, run_id, undefined, { headers: { cookie } }),
  );
  for (const { data } of list) assert(data.length < 64 * 1024);
  const tool = foldFrames(run_id, list).parts.find((p) => p.kind === "tool");
  const { ref, bytes } = tool!.output!;
  assertEquals(bytes, 400_000);
  const whole = await fetch(app.url + ref, { headers: { cookie } });
  assertEquals(whole.headers.get("content-type"), "text/plain; charset=utf-8");
  assertEquals(await whole.text(), "长\u0000".repeat(100_000));
  const strangers = await fetch(app.url + ref);
  assertEquals(strangers.status, 404);
  await strangers.body?.cancel();
  const none = await fetch(`${app.url}${ref}9`, { headers: { cookie } });
  assertEquals(none.status, 404);
  await none.body?.cancel();
});
