/** Reading a tape to its end, whatever the network does. */
import { assert, assertEquals } from "@std/assert";
import { type Answer } from "../../lib/chat/answer.ts";
import { followTape } from "../../lib/ui/tape_client.ts";
import { FakePage, settle } from "./fake_page.ts";
import { CUT } from "./fake_server.ts";
import { FINISH, richRun, runId, startOf, text } from "./scripts.ts";

import { reading, RUN, serverWith, shown, uninterrupted } from "./reading.ts";
Deno.test("followTape: a run that is over is read in one go", async () => {
  const server = serverWith(richRun(RUN));
  const { model, finish } = reading(server);
  assertEquals(await finish(), "ended");
  assertEquals(shown(model.answer), shown(uninterrupted(richRun(RUN))));
  assertEquals(server.connections, 1);
});

Deno.test("streaming R01: a connection that ends after every frame k gives the same answer for all k", async () => {
  const events = richRun(RUN);
  const wanted = shown(uninterrupted(events));
  for (let k = 0; k <= events.length; k++) {
    const server = serverWith(events);
    server.twist = (frames, connection) =>
      connection === 1 ? [...frames.slice(0, k), CUT] : frames;
    const { model, finish } = reading(server);
    assertEquals(await finish(), "ended", `cut after ${k}`);
    assertEquals(shown(model.answer), wanted, `cut after ${k}`);
    const resumed = server.to(/events$/)[1]?.headers.get("last-event-id");
    const cursor = k === 0 ? null : `${RUN}.1-${k}`;
    if (k < events.length) assertEquals(resumed, cursor, `cut after ${k}`);
  }
});

Deno.test("streaming R01: one frame per connection still gives the whole answer", async () => {
  const events = richRun(RUN);
  const server = serverWith(events);
  server.twist = (frames) => [...frames.slice(0, 1), CUT];
  const { model, finish } = reading(server);
  assertEquals(await finish(), "ended");
  assertEquals(shown(model.answer), shown(uninterrupted(events)));
  assertEquals(server.connections, events.length);
});

Deno.test("streaming R20: doubled and old frames change nothing", async () => {
  const events = richRun(RUN);
  const server = serverWith(events);
  server.twist = (frames) =>
    frames.flatMap((f, i) => [f, f, frames[0]!, frames[i >> 1]!]);
  const { model, finish } = reading(server);
  assertEquals(await finish(), "ended");
  assertEquals(shown(model.answer), shown(uninterrupted(events)));
});

Deno.test("streaming R20: an overlapping delta adds only what is new", async () => {
  const server = serverWith([
    startOf(RUN),
    { type: "text-start", id: "t" },
    { type: "text-delta", id: "t", off: 0, delta: "one two" },
    { type: "text-delta", id: "t", off: 4, delta: "two three" },
    { type: "text-end", id: "t", len: 13 },
    FINISH,
  ]);
  const { model, finish } = reading(server);
  assertEquals(await finish(), "ended");
  assertEquals(model.answer.parts[0], {
    kind: "text",
    id: "t",
    text: "one two three",
    done: true,
  });
});

Deno.test("streaming R20: for every frame that gets lost, everything is asked for again and nothing shrinks", async () => {
  const events = richRun(RUN);
  for (let lost = 1; lost < events.length; lost++) {
    const server = serverWith(events);
    server.twist = (frames, connection) =>
      connection === 1 ? frames.filter((_, at) => at !== lost) : frames;
    const run = reading(server);
    let longest = 0;
    const watch = () => {
      const length = run.model.answer.parts.reduce(
        (sum, part) => sum + ("text" in part ? part.text.length : 0),
        0,
      );
      assert(length >= longest, `shrank after losing frame ${lost}`);
      longest = length;
    };
    run.model.meta.subscribe(watch);
    run.model.parts.subscribe(watch);
    assertEquals(await run.finish(), "ended");
    const { parts } = run.model.answer;
    const wanted = uninterrupted(events).parts;
    // Step marks are not drawn, and the log itself has no way to tell that a
    // tool's arguments are missing once its answer is there.
    const seen = (all: Answer["parts"]) =>
      all.filter((part) => part.kind !== "step")
        .map((part) => ({ ...part, input: null, inputText: "" }));
    assertEquals(seen(parts), seen(wanted), `frame ${lost} lost`);
  }
});

Deno.test("N5: a resync keeps what is shown until the replay has caught up", async () => {
  const server = serverWith([
    startOf(RUN),
    { type: "text-start", id: "t" },
    { type: "text-delta", id: "t", off: 0, delta: "kept " },
  ]);
  const { page, model, tape } = reading(server);
  await page.advance(100);
  assertEquals(model.answer.parts.length, 1);
  server.say(
    RUN,
    'data: {"type":"data-resync","data":{"reason":"lost"},"transient":true}\n\n',
  );
  await settle();
  assertEquals(model.answer.parts.length, 1, "still there");
  const again = server.logs.get(RUN)!;
  server.say(
    RUN,
    `id: ${RUN}.2-1\ndata: ${JSON.stringify(again[0]!.event)}\n\n`,
  );
  await page.advance(50);
  server.say(
    RUN,
    `id: ${RUN}.2-2\ndata: {"type":"text-start","id":"t"}\n\n` +
      `id: ${RUN}.2-3\ndata: {"type":"text-delta","id":"t","off":0,"delta":"kept and more"}\n\n`,
  );
  await settle();
  assertEquals(model.answer.parts[0], {
    kind: "text",
    id: "t",
    text: "kept and more",
    done: false,
  });
  assertEquals(model.answer.cursor, { epoch: 2, seq: 3 });
  tape.stop();
  await settle();
});

Deno.test("streaming R06: two readers with one cursor fill one answer once", async () => {
  const events = richRun(RUN);
  const server = serverWith(events.slice(0, 5));
  const page = new FakePage(server);
  const one = reading(server, page);
  const two = followTape(RUN, {
    cursor: one.model.cursor,
    apply: one.model.apply,
    restart: one.model.restart,
    connected() {},
  }, page);
  await settle();
  assertEquals(server.readers(RUN), 2);
  server.append(RUN, ...events.slice(5));
  assertEquals(await one.finish(), "ended");
  assertEquals(await two.end, "ended");
  assertEquals(shown(one.model.answer), shown(uninterrupted(events)));
});

Deno.test("an end of the connection without a terminal is never the end", async () => {
  const server = serverWith([startOf(RUN), ...text("t", "half")]);
  const run = reading(server);
  await run.page.advance(50);
  server.say(RUN, "data: [DONE]\n\n");
  server.drop(RUN);
  await settle();
  assertEquals(run.end, null);
  assertEquals(run.model.status.value, "running");
  server.append(RUN, FINISH);
  assertEquals(await run.finish(), "ended");
  assertEquals(run.model.status.value, "complete");
});

Deno.test("streaming R02: a 204 for an answer that is not over asks for everything again", async () => {
  const server = serverWith(richRun(RUN));
  server.replies.push({
    path: /events$/,
    reply: new Response(null, { status: 204 }),
  });
  const { model, finish } = reading(server);
  assertEquals(await finish(), "ended");
  assertEquals(shown(model.answer), shown(uninterrupted(richRun(RUN))));
});

for (
  const [what, bytes] of [
    ["broken JSON", "id: x\ndata: {oops\n\n"],
    [
      "a frame of another run",
      `id: ${runId("o")}.1-5\ndata: {"type":"text-start","id":"x"}\n\n`,
    ],
    ["a frame without a place in the log", 'data: {"type":"finish"}\n\n'],
    ["a page of a login wall", "<html><body>data: sign in</body></html>\n"],
    [
      "a line longer than the limit (P16)",
      `data: ${"x".repeat(2_100_000)}\n\n`,
    ],
  ] as const
) {
  Deno.test(`${what} on the way is not believed, and costs nothing`, async () => {
    const server = serverWith(richRun(RUN));
    server.twist = (frames, connection) =>
      connection === 1 ? [...frames.slice(0, 4), bytes, CUT] : frames;
    const { model, finish } = reading(server);
    assertEquals(await finish(), "ended");
    assertEquals(shown(model.answer), shown(uninterrupted(richRun(RUN))));
    assertEquals(
      server.to(/events$/)[1]!.headers.get("last-event-id"),
      `${RUN}.1-4`,
    );
  });
}

Deno.test("unknown transient words and event names are let pass (safety X10)", async () => {
  const events = richRun(RUN);
  const server = serverWith(events);
  server.twist = (frames) => [
    ...frames.slice(0, 3),
    'data: {"type":"data-hb","data":{},"transient":true}\n\n',
    `id: ${RUN}.1-3\ndata: {"type":"data-newer","data":1,"transient":true}\n\n`,
    ": a comment\n\n",
    ...frames.slice(3),
  ];
  const { model, finish } = reading(server);
  assertEquals(await finish(), "ended");
  assertEquals(server.connections, 1);
  assertEquals(shown(model.answer), shown(uninterrupted(events)));
});

Deno.test("stop() ends the reading, and the reader hears no more", async () => {
  const server = serverWith([startOf(RUN)]);
  const run = reading(server);
  await settle();
  run.tape.stop();
  await settle();
  assertEquals(run.end, "stopped");
  assertEquals(server.readers(RUN), 0);
  assertEquals(run.page.waitingTimers, 0);
});
