/** The wire itself: the grammar of frames, headers, heartbeats, errors. */
import http2 from "node:http2";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ModelError } from "../../lib/agent/contracts.ts";
import { answerText } from "../../lib/chat/answer.ts";
import type { RunView } from "../../lib/chat/views.ts";
import { startApp } from "../helpers/app.ts";
import { allFrames, foldFrame, foldFrames, frames } from "../helpers/frames.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import {
  ask,
  events,
  finishedRun,
  JSON_TYPE,
  started,
} from "../helpers/run_client.ts";

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

Deno.test("E01: over HTTP/2 the stream has the same headers and the same frames", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await finishedRun(app, model);
  const session = http2.connect(app.url);
  try {
    const stream = session.request({ ":path": `/api/runs/${run}/events` });
    const headers = await new Promise<http2.IncomingHttpHeaders>((resolve) =>
      stream.once("response", resolve)
    );
    assertEquals(Number(headers[":status"]), 200);
    assertEquals(headers["content-type"], "text/event-stream");
    assertEquals(headers["cache-control"], "no-cache, no-store, no-transform");
    assertEquals(headers["x-accel-buffering"], "no");
    assertEquals(headers["content-encoding"], undefined);
    assertEquals(headers["connection"], undefined);
    let body = "";
    stream.setEncoding("utf8");
    for await (const piece of stream) body += piece;
    assertEquals(body, await (await events(app, run)).text());
  } finally {
    await new Promise<void>((resolve) => session.close(() => resolve()));
  }
});
