/** Stop, down to the provider's socket. */
import { assert, assertEquals } from "@std/assert";
import * as z from "zod";
import type { Tool } from "../../lib/agent/contracts.ts";
import { openStore, type Store } from "../../lib/store/mod.ts";
import {
  chunk,
  done,
  finish,
  hang,
  silent,
  sse,
  toolCall,
} from "../helpers/scripted_upstream.ts";
import { appStage } from "../models/app_stage.ts";

/** A store that takes its time to note the wish to stop. */
function slowToStop(inner: Store) {
  const wished = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const store = new Proxy(inner, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name !== "requestStop") return member.bind(target);
      return async (...args: unknown[]) => {
        wished.resolve();
        await gate.promise;
        return await member.apply(target, args);
      };
    },
  });
  return { store, wished: wished.promise, open: gate.resolve };
}

/** A tool that works until it is stopped, and says whether it was. */
function endless() {
  const stopped = Promise.withResolvers<unknown>();
  const tool: Tool = {
    name: "endless",
    description: "Works and works",
    input: z.object({}),
    effect: "read",
    run: (_, { signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => {
          stopped.resolve(signal.reason);
          reject(signal.reason);
        })
      ),
  };
  return { tool, stopped: stopped.promise };
}

const words = [..."Hello"].map((content) => chunk({ content }));

/** Where a run can be when somebody presses Stop. */
const MOMENTS = {
  "before the headers": { script: silent(hang()), shown: "" },
  "before the first token": { script: sse(hang()), shown: "" },
  "in the text": { script: sse(...words, hang()), shown: "Hello" },
  "in a tool": {
    script: sse(
      ...words,
      toolCall({ index: 0, id: "c1", name: "endless", arguments: "{}" }),
      finish("tool_calls"),
      done(),
    ),
    shown: "Hello",
  },
};

for (const [moment, { script, shown }] of Object.entries(MOMENTS)) {
  Deno.test(`streaming R09: stop ${moment} closes what is at work at once, whatever the store does, and keeps the text`, async () => {
    const { store, wished, open } = slowToStop(openStore({ kind: "memory" }));
    const { tool, stopped } = endless();
    await using stage = await appStage(script, { store, tools: [tool] });
    const started = await stage.start();
    const request = await stage.upstream.arrived(1);
    if (shown !== "") await stage.app.shows(started.run_id, shown);
    if (moment === "in a tool") await stage.app.works(started.run_id);

    const began = performance.now();
    const stopping = fetch(`${stage.app.url}${started.stop}`, {
      method: "POST",
    });
    // The wish is not noted yet; it is obeyed all the same.
    await wished;
    if (moment === "in a tool") assertEquals(await stopped, "user");
    else await request.closed;
    const ms = performance.now() - began;
    open();
    const response = await stopping;
    // By the time the wish is noted the run may be over: 200 tells its end.
    assert([200, 202].includes(response.status));
    await response.body?.cancel();

    const told = await stage.read(started);
    assertEquals(told.end, { type: "abort", reason: "user" });
    assertEquals(told.answer.status, "stopped");
    assertEquals(told.text, shown);
    console.log(`Stop ${moment}: ${ms.toFixed(1)} ms (goal 250 ms)`);
    assert(ms < 2_500, `${ms} ms`);
  });
}
