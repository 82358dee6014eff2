/** Accidents inside the shipped process: it stays up, and so do its runs. */
import { assert, assertEquals } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import { allFrames, foldFrames, frames } from "../helpers/frames.ts";
import { JSON_TYPE } from "../helpers/run_client.ts";
import {
  calls,
  chunk,
  done,
  finish,
  pause,
  says,
  scriptedUpstream,
  type SeenRequest,
  sse,
} from "../helpers/scripted_upstream.ts";

/** Each accident, and what the log says of it. */
const ACCIDENTS = {
  "1": "stray rejection",
  "2": "stray timer",
  "3": "stray microtask",
  "4": "stray pull",
  "5": "stray listener",
};
/** From this one on a reader that hangs up meets an error: nobody logs it. */
const CANCEL = "6";

/** The server of `stray_server.ts`, and everything it prints. */
async function strayServer(upstream: string) {
  const data = await Deno.makeTempDir();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--config",
      "deno.npm.json",
      "tests/faults/stray_server.ts",
    ],
    cwd: new URL("../../", import.meta.url),
    env: {
      PORT: "0",
      TICKERTAPE_DATA: data,
      OPENAI_BASE_URL: upstream,
      OPENAI_API_KEY: "k",
      OPENAI_MODEL: "scripted",
      NO_COLOR: "1",
    },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // Ends one that neither answers nor dies, and with it the test.
  const late = setTimeout(() => child.kill("SIGKILL"), 60_000);
  let printed = "";
  const up = Promise.withResolvers<string>();
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      printed += decoder.decode(bytes, { stream: true });
      const url = /^Tickertape +(http:\S+)\n/m.exec(printed)?.[1];
      if (url !== undefined) up.resolve(url);
    }
  };
  const over = Promise.all([read(child.stdout), read(child.stderr)]);
  over.then(() => up.reject(new Error(printed)));
  let alive = true;
  const ended = child.status.then(() => alive = false);
  return {
    url: await up.promise,
    printed: () => printed,
    alive: () => alive,
    async [Symbol.asyncDispose]() {
      clearTimeout(late);
      if (alive) child.kill("SIGKILL");
      await Promise.all([ended, over]);
      await Deno.remove(data, { recursive: true });
    },
  };
}

const lastOf = ({ body }: SeenRequest) => body.messages.at(-1);

Deno.test("safety R26: a rejected promise in a tool, a throw in a timer or in a stream's callback: the process stays up, and every other run goes on", async () => {
  const bystander = Promise.withResolvers<void>();
  await using upstream = await scriptedUpstream((request) => {
    const { role, content } = lastOf(request);
    if (role === "tool") return says(`Heard: ${content}.`);
    if (content !== "bystander") {
      const args = { expression: content };
      return calls({ id: "c1", name: "calculator", arguments: args });
    }
    return sse(
      chunk({ content: "before " }),
      pause(bystander.promise),
      chunk({ content: "after" }),
      finish("stop"),
      done(),
    );
  });
  await using server = await strayServer(upstream.baseUrl);
  const ask = async (text: string) => {
    const response = await fetch(`${server.url}/api/runs`, {
      method: "POST",
      headers: JSON_TYPE,
      body: JSON.stringify({ text }),
    });
    assertEquals(response.status, 202);
    const { run_id, events } = await response.json();
    return { run: run_id, events: server.url + events };
  };
  const answerOf = async ({ run, events }: { run: string; events: string }) =>
    answerText(foldFrames(run, await allFrames(await fetch(events))));

  const other = await ask("bystander");
  for (const [accident, logged] of Object.entries(ACCIDENTS)) {
    const asked = await ask(accident);
    assertEquals(await answerOf(asked), `Heard: done ${accident}.`);
    const limit = performance.now() + 10_000;
    while (!server.printed().includes(logged)) {
      assert(server.alive(), `${logged} ended it: ${server.printed()}`);
      assert(performance.now() < limit, `${logged}: ${server.printed()}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertEquals(await (await fetch(`${server.url}/healthz`)).text(), "ok\n");
  }
  assertEquals(await answerOf(await ask(CANCEL)), `Heard: done ${CANCEL}.`);
  // Leaving the loop hangs up.
  for await (const _ of frames(await fetch(other.events))) break;
  bystander.resolve();
  assertEquals(await answerOf(other), "before after");
  assertEquals(await (await fetch(`${server.url}/healthz`)).text(), "ok\n");
  assert(server.alive());
});
