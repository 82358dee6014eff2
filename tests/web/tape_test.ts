/** The wire, over a real socket: frames, cursors, stop, errors. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ModelError } from "../../lib/agent/contracts.ts";
import { answerText, emptyAnswer } from "../../lib/chat/answer.ts";
import { frameId } from "../../lib/chat/ids.ts";
import type { RunView, StartedRun } from "../../lib/chat/views.ts";
import { type App, startApp } from "../helpers/app.ts";
import {
  allFrames,
  foldFrame,
  foldFrames,
  type Frame,
  frames,
} from "../helpers/frames.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";

const JSON_TYPE = { "content-type": "application/json" };

function ask(app: App, body: unknown, headers: HeadersInit = {}) {
  return fetch(`${app.url}/api/runs`, {
    method: "POST",
    headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify(body),
  });
}

async function started(app: App, body: unknown): Promise<StartedRun> {
  const response = await ask(app, body);
  assertEquals(response.status, 202);
  return await response.json();
}

function events(app: App, run: string, after?: string, init: RequestInit = {}) {
  const headers: Record<string, string> = after === undefined
    ? {}
    : { "last-event-id": after };
  return fetch(`${app.url}/api/runs/${run}/events`, { headers, ...init });
}

/** A finished run with a tool call, text of many kinds, and its id. */
async function finishedRun(app: App, model: PuppetModel): Promise<string> {
  const { run_id } = await started(app, { text: "hello" });
  (await model.next()).say("Let me see. ").call("echo", { say: "hi" });
  const second = await model.next();
  for (
    const piece of [
      "The ",
      "bus 👩‍👩‍👧",
      "\n\n",
      "a\r\nb",
      "data: x",
      " 你好",
      "\u0000",
    ]
  ) {
    second.say(piece);
    await app.shows(run_id, piece);
  }
  second.finish({ usage: { input: 3, output: 7, total: 10 } });
  await app.over(run_id);
  return run_id;
}

const TEXT = "The bus 👩‍👩‍👧\n\na\r\nbdata: x 你好\u0000";

Deno.test("R01 R08: dropping after every event and resuming gives the same answer, finished or running", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await finishedRun(app, model);
  const all = await allFrames(await events(app, run));
  const whole = foldFrames(run, all);
  assertEquals(whole.status, "complete");
  assert(answerText(whole).endsWith(TEXT));

  for (let k = 1; k < all.length - 1; k++) {
    const answer = emptyAnswer(run);
    for (const frame of all.slice(0, k)) foldFrame(answer, frame);
    const resumed = await events(app, run, all[k - 1]!.id);
    if (resumed.status === 204) {
      assertEquals(k, all.length - 1);
      continue;
    }
    for await (const frame of frames(resumed)) {
      assert(foldFrame(answer, frame).kind !== "gap", `gap after ${k}`);
    }
    assertEquals(answer, whole, `cut after frame ${k}`);
  }
});

Deno.test("R01: one live run read with a new connection for every single frame", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run_id } = await started(app, { text: "count" });
  const puppet = await model.next();
  const words = Array.from({ length: 25 }, (_, i) => `w${i} `);
  const answer = emptyAnswer(run_id);
  let cursor: string | undefined;
  let connections = 0;
  while (answer.status === "running") {
    const response = await events(app, run_id, cursor);
    connections++;
    for await (const frame of frames(response)) {
      assert(foldFrame(answer, frame).kind !== "gap");
      cursor = frame.id;
      break;
    }
    const word = words.shift();
    if (word !== undefined) puppet.say(word);
    else puppet.finish();
  }
  assert(connections > 25);
  assertEquals(
    answerText(answer),
    Array.from({ length: 25 }, (_, i) => `w${i} `).join(""),
  );
  assertEquals(model.count, 1, "the model was asked once");
});

Deno.test("R02: a cursor at the terminal gets 204", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await finishedRun(app, model);
  const all = await allFrames(await events(app, run));
  assertEquals(all.at(-1)!.data, "[DONE]");
  const response = await events(app, run, all.at(-2)!.id);
  assertEquals(response.status, 204);
});

Deno.test("R04 R10: a cursor that is none, or of another run, gets everything; one ahead of the log a resync", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await finishedRun(app, model);
  const other = await finishedRun(app, model);
  const whole = foldFrames(run, await allFrames(await events(app, run)));
  const cursors = [
    "garbage",
    "-1",
    "NaN",
    "9223372036854775808",
    frameId(other, { epoch: 1, seq: 3 }),
    "x".repeat(10_000),
    `${run}.1-0`,
    `${run}.0-3`,
  ];
  for (const cursor of cursors) {
    const list = await allFrames(await events(app, run, cursor));
    assertEquals(foldFrames(run, list), whole, cursor.slice(0, 40));
    assert(list[0]!.data.includes('"start"'));
  }
  for (const cursor of [{ epoch: 1, seq: 900_000 }, { epoch: 7, seq: 3 }]) {
    const list = await allFrames(await events(app, run, frameId(run, cursor)));
    assert(list[0]!.data.includes("data-resync"));
    assertEquals(list[0]!.id, "");
    assertEquals(foldFrames(run, list), whole);
  }
});

Deno.test("R05: the header wins over ?after=", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await finishedRun(app, model);
  const all = await allFrames(await events(app, run));
  const url = `${app.url}/api/runs/${run}/events?after=${all[1]!.id}`;
  const byUrl = await allFrames(await fetch(url));
  assertEquals(byUrl[0]!.id, all[2]!.id);
  const byHeader = await allFrames(
    await fetch(url, { headers: { "last-event-id": all[4]!.id } }),
  );
  assertEquals(byHeader[0]!.id, all[5]!.id);
});

Deno.test("R06 R07: readers that come together, late or after the end get identical messages", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run_id } = await started(app, { text: "hello" });
  const puppet = await model.next();
  puppet.say("one ");
  const first = allFrames(await events(app, run_id));
  await app.shows(run_id, "one ");
  const twin = allFrames(await events(app, run_id));
  puppet.say("two ");
  await app.shows(run_id, "two ");
  const late = allFrames(await events(app, run_id));
  puppet.say("three");
  puppet.finish();
  const lists = [await first, await twin, await late];
  lists.push(await allFrames(await events(app, run_id)));
  for (const list of lists) assertEquals(list, lists[0]);
  assertEquals(model.count, 1);
});

Deno.test("R08 N7: a run goes on when all its readers have left", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run_id, chat_id } = await started(app, { text: "hello" });
  const puppet = await model.next();
  puppet.say("one ");
  for await (const frame of frames(await events(app, run_id))) {
    if (frame.data.includes("text-delta")) break;
  }
  puppet.say("two");
  puppet.finish();
  await app.over(run_id);
  const chat = await (await fetch(`${app.url}/api/chats/${chat_id}`)).json();
  assertEquals(answerText(chat.turns[0].answer), "one two");
  assertEquals(chat.activeRun, null);
});

Deno.test("R09: stop closes the model at once, keeps what was said and ends with abort", async () => {
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

Deno.test("R10: stop is idempotent, tells the end, and knows no strangers", async () => {
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

Deno.test("R11 N10: one idempotency key gives one run, fifty times in parallel", async () => {
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

Deno.test("R11: a second question while one is answered gets 409 with the running run", async () => {
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

Deno.test("E01 E06: POST with Accept: text/event-stream streams frames in the grammar of 2.2", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const response = await ask(app, { text: "hello" }, {
    accept: "text/event-stream",
  });
  assertEquals(response.status, 200);
  const { headers } = response;
  assertEquals(headers.get("content-type"), "text/event-stream");
  assertEquals(
    headers.get("cache-control"),
    "no-cache, no-store, no-transform",
  );
  assertEquals(headers.get("x-accel-buffering"), "no");
  assertEquals(headers.get("x-vercel-ai-ui-message-stream"), "v1");
  assertMatch(headers.get("x-run-id")!, /^r_[0-9a-z]{26}$/);
  for (const name of ["connection", "content-encoding"]) {
    assertEquals(headers.get(name), null);
  }
  (await model.next()).say("a\nb\r\nc\u2028").finish();
  const bytes = await response.text();
  assert(!bytes.includes("\r"));
  const blocks = bytes.split("\n\n");
  assertEquals(blocks.pop(), "");
  assertEquals(blocks.shift(), "retry: 1000");
  assertEquals(blocks.pop(), "data: [DONE]");
  const ids = blocks.map((block) => {
    assertMatch(block, /^id: r_[0-9a-z]{26}\.1-\d+\ndata: \{.*\}$/s);
    return Number(block.split("\n")[0]!.split("-")[1]);
  });
  assertEquals(ids, ids.map((_, i) => i + 1));
  const terminals = blocks.filter((b) =>
    /"type":"(finish|abort|error)"/.test(b)
  );
  assertEquals(terminals, [blocks.at(-1)]);
});

Deno.test("E02: the start frame and its id come while the model is silent", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const response = await ask(app, { text: "hello" }, {
    accept: "text/event-stream",
  });
  for await (const frame of frames(response)) {
    assert(frame.data.includes('"type":"start"'));
    assert(frame.id.endsWith(".1-1"));
    break;
  }
  (await model.next()).finish();
});

Deno.test("E03: heartbeats while nothing happens, none while text flows, as data on request", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model, limits: { beatMs: 60 } });
  const { run_id } = await started(app, { text: "hello" });
  const puppet = await model.next();
  const quiet = await events(app, run_id);
  const reader = quiet.body!.pipeThrough(new TextDecoderStream()).getReader();
  let heard = "";
  while (heard.split(": hb\n\n").length < 4) {
    heard += (await reader.read()).value;
  }
  await reader.cancel();
  const asData = await fetch(`${app.url}/api/runs/${run_id}/events?hb=data`);
  for await (const frame of frames(asData)) {
    if (!frame.data.includes("data-hb")) continue;
    assertEquals(JSON.parse(frame.data), {
      type: "data-hb",
      data: {},
      transient: true,
    });
    break;
  }
  puppet.finish();
});

Deno.test("E04: an event stream is never compressed", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await finishedRun(app, model);
  const response = await events(app, run, undefined, {
    headers: { "accept-encoding": "gzip, br" },
  });
  assertEquals(response.headers.get("content-encoding"), null);
  await response.body!.cancel();
});

Deno.test("E09: events answer 406 to other types and 405 to other methods", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await finishedRun(app, model);
  const json = await events(app, run, undefined, {
    headers: { accept: "application/json" },
  });
  assertEquals(json.status, 406);
  assertEquals((await json.json()).code, "not_acceptable");
  const post = await events(app, run, undefined, {
    method: "POST",
    headers: JSON_TYPE,
    body: "{}",
  });
  assertEquals(post.status, 405);
  await post.body?.cancel();
});

Deno.test("GET /api/runs/{run} shows the committed answer while it runs and after", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run_id } = await started(app, { text: "hello" });
  const puppet = await model.next();
  puppet.say("half");
  await app.shows(run_id, "half");
  const view = async (): Promise<RunView> =>
    await (await fetch(`${app.url}/api/runs/${run_id}`)).json();
  const running = await view();
  assertEquals(running.answer.status, "running");
  assertEquals(answerText(running.answer), "half");
  const rest = events(app, run_id, running.last_id);
  puppet.say(" and half");
  puppet.finish();
  for (const frame of await allFrames(await rest)) {
    foldFrame(running.answer, frame);
  }
  assertEquals(running.answer, (await view()).answer);
});

Deno.test("U02 U06 S06: a failed model ends the run with a coded error, kept text and a process that stays up", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run_id } = await started(app, { text: "hello" });
  const puppet = await model.next();
  puppet.say("partial ");
  puppet.fail(
    new ModelError("upstream_auth", "The model's provider refused the key.", {
      retryable: false,
      cause: new Error("Incorrect API key provided: sk-canary-123456"),
    }),
  );
  const list = await allFrames(await events(app, run_id));
  const answer = foldFrames(run_id, list);
  assertEquals(answer.status, "failed");
  assertEquals(answer.error?.code, "upstream_auth");
  assertEquals(answerText(answer), "partial ");
  assert(!JSON.stringify(list).includes("sk-canary"));

  const bug = await started(app, { text: "again" });
  (await model.next()).fail(
    new TypeError("undefined is not a secret at /etc/x"),
  );
  const told = await allFrames(await events(app, bug.run_id));
  assert(!JSON.stringify(told).includes("/etc/x"));
  assertEquals(foldFrames(bug.run_id, told).error?.code, "internal");
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
    [{ text: "x".repeat(2 << 20) }, 413],
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
  await Promise.all(streams.map((s) => s.body!.cancel()));
  await app.until(() => app.services.runs.readers === 0);
  const again = await open();
  assertEquals(again.status, 200);
  puppet.finish();
  await again.body!.cancel();
});

Deno.test("N2: what a reader is shown is in the store already", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run_id } = await started(app, { text: "hello" });
  const puppet = await model.next();
  for (let i = 0; i < 40; i++) puppet.say(`${i} `);
  puppet.finish();
  const seen: Frame[] = [];
  for await (const frame of frames(await events(app, run_id))) {
    if (frame.id === "" || frame.data === "[DONE]") continue;
    const seq = Number(frame.id.split("-")[1]);
    const [stored] = await app.services.store.read(run_id, seq - 1, 1);
    assertEquals(stored?.json, frame.data);
    seen.push(frame);
  }
  assert(seen.length > 3);
});
