import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ModelEvent } from "../../lib/agent/contracts.ts";
import { failure } from "../../lib/models/upstream_errors.ts";
import { ask } from "../helpers/ask_model.ts";
import {
  chunk,
  comment,
  done,
  event,
  finish,
  hang,
  pause,
  refuses,
  role,
  scriptedUpstream,
  silent,
  sse,
  type Step,
} from "../helpers/scripted_upstream.ts";
import { answered, modelAt } from "./harness.ts";

// Silence, endings that do not come, and people who press stop.

const hello = [..."Hello"].map((content) => chunk({ content }));

Deno.test("U15: silence after the headers is upstream_stalled, and the socket closes", async () => {
  await using upstream = await scriptedUpstream([sse(...hello, hang())]);
  const { error, text } = await ask(
    modelAt(upstream, { timings: { silenceMs: 80 } }),
  );
  assertEquals(error?.code, "upstream_stalled");
  assertEquals(text, "Hello");
  await upstream.requests[0]!.closed;
});

Deno.test("U15: comments, pings and empty data do not break the silence; chunks do", async () => {
  const every20ms = (length: number, text: string): Step[] =>
    Array.from({ length }, () => [pause(20), text]).flat();
  for (
    const noise of [comment("hb"), `event: ping\n${event({})}`, "data:\n\n"]
  ) {
    await using upstream = await scriptedUpstream([
      sse(role(), ...every20ms(150, noise)),
    ]);
    const began = performance.now();
    const { error } = await ask(
      modelAt(upstream, { timings: { silenceMs: 120 } }),
    );
    assertEquals(error?.code, "upstream_stalled");
    // The noise goes on for 3 s.
    assert(performance.now() - began < 1_500, "the noise kept it alive");
  }
  const alive = await answered(
    sse(...every20ms(20, role()), finish("stop")),
    {},
    { timings: { silenceMs: 300 } },
  );
  assertEquals(alive.turn?.finishReason, "stop");
});

Deno.test("U26: an end of the stream that never comes is not waited for", async () => {
  const endings = { settleMs: [finish("stop")], doneMs: [done()] };
  for (const [patience, steps] of Object.entries(endings)) {
    await using upstream = await scriptedUpstream([
      sse(...hello, ...steps, hang()),
    ]);
    const said = await ask(
      modelAt(upstream, { timings: { [patience]: 50 } }),
    );
    assertEquals([said.text, said.turn?.finishReason], ["Hello", "stop"]);
    await upstream.requests[0]!.closed;
  }
});

/**
 * Asks, stops when told to, and checks what the promise rejected with. Returns
 * how many milliseconds later the socket was closed; a connection whose answer
 * had ended already is kept (`closes: false`).
 */
async function stopped(
  steps: ReturnType<typeof sse>,
  when: (event: ModelEvent, stop: () => void) => void,
  closes = true,
) {
  await using upstream = await scriptedUpstream([steps]);
  const controller = new AbortController();
  const reason = new Error("stopped by a person");
  const stop = () => controller.abort(reason);
  const asked = ask(modelAt(upstream), {
    signal: controller.signal,
    heard: (event) => when(event, stop),
  });
  const request = await upstream.arrived(1);
  if (steps.head === "") stop();
  const error = await assertRejects(() => asked);
  assert(error === reason, String(error));
  const began = performance.now();
  if (closes) await request.closed;
  return performance.now() - began;
}

Deno.test("stop before the headers rejects with the signal's reason and closes the socket", async () => {
  assert(await stopped(silent(hang()), () => {}) < 250);
});

Deno.test("stop in the middle of the text rejects with the reason and closes the socket", async () => {
  const heard: string[] = [];
  const took = await stopped(sse(hello.join(""), hang()), (event, stop) => {
    if (event.type === "text") heard.push(event.delta);
    if (heard.length === 3) stop();
  });
  assert(took < 250, `${took} ms`);
  // The rest of the same read is not heard any more.
  assertEquals(heard.join(""), "Hel");
});

Deno.test("stop with the last word never resolves as success", async () => {
  await stopped(
    sse(chunk({ content: "x" }) + finish("stop") + done()),
    (_, stop) => stop(),
    false,
  );
});

Deno.test("stop after the finish, before the end of the stream, is still a stop", async () => {
  let press = () => {};
  const whole = sse(
    chunk({ content: "x" }),
    finish("stop"),
    pause(30),
    () => press(),
    hang(),
  );
  assert(await stopped(whole, (_, stop) => press = stop) < 250);
});

Deno.test("stop for a reason that looks like a passing failure is not asked again", async () => {
  await using upstream = await scriptedUpstream([silent(hang())]);
  const controller = new AbortController();
  const events: ModelEvent[] = [];
  const asked = modelAt(upstream).stream(
    { messages: [{ role: "user", text: "?" }], tools: [], temperature: 0 },
    (event) => events.push(event),
    controller.signal,
  );
  await upstream.arrived(1);
  const reason = failure("upstream_unavailable");
  controller.abort(reason);
  assert(await assertRejects(() => asked) === reason);
  assertEquals(events, []);
});

Deno.test("stop while waiting for another attempt rejects at once", async () => {
  await stopped(
    refuses(429, {}, { "retry-after": "20" }),
    (event, stop) => event.type === "retry" && stop(),
    false,
  );
});

Deno.test("a signal aborted beforehand sends nothing", async () => {
  await using upstream = await scriptedUpstream([]);
  const reason = new Error("too late");
  const error = await assertRejects(() =>
    ask(modelAt(upstream), { signal: AbortSignal.abort(reason) })
  );
  assert(error === reason);
});

Deno.test("what emit throws passes through unchanged, and the socket closes", async () => {
  await using upstream = await scriptedUpstream([sse(...hello, hang())]);
  const own = new Error("the loop had enough");
  const error = await assertRejects(() =>
    ask(modelAt(upstream), {
      heard: () => {
        throw own;
      },
    })
  );
  assert(error === own);
  await upstream.requests[0]!.closed;
});

/** A model whose fetch answers with this body. */
async function readFrom(source: (pieces: Uint8Array[]) => ReadableStream) {
  await using upstream = await scriptedUpstream([]);
  const pieces = [...hello, finish("stop")].map((text) =>
    new TextEncoder().encode(text)
  );
  const response = new Response(source(pieces), {
    headers: { "content-type": "text/event-stream" },
  });
  const said = await ask(
    modelAt(upstream, { fetch: () => Promise.resolve(response) }),
  );
  assertEquals([said.text, said.turn?.finishReason], ["Hello", "stop"]);
}

Deno.test("a byte stream is read into our own buffer; any other is read all the same", async () => {
  let lent = 0;
  await readFrom((pieces) =>
    new ReadableStream({
      type: "bytes",
      pull(controller) {
        const piece = pieces.shift();
        if (controller.byobRequest) lent++;
        if (piece) return controller.enqueue(piece as Uint8Array<ArrayBuffer>);
        controller.close();
        controller.byobRequest?.respond(0);
      },
    })
  );
  assertEquals(lent, hello.length + 2);
  await readFrom((pieces) => ReadableStream.from(pieces));
});

Deno.test("stop while the headers arrive closes a body that knows no signal", async () => {
  await using upstream = await scriptedUpstream([]);
  const controller = new AbortController();
  const reason = new Error("stopped by a person");
  const cancelled = Promise.withResolvers<void>();
  const endless = new ReadableStream({ cancel: () => cancelled.resolve() });
  const model = modelAt(upstream, {
    fetch: () => {
      controller.abort(reason);
      return Promise.resolve(
        new Response(endless, {
          headers: { "content-type": "text/event-stream" },
        }),
      );
    },
  });
  const asked = ask(model, { signal: controller.signal });
  assert(await assertRejects(() => asked) === reason);
  await cancelled.promise;
});
