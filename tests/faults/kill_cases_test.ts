/**
 * What becomes of one run when its server dies at one moment: before the model
 * was asked, in mid-answer, while a tool with an effect works, with Stop pressed
 * in between.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { answerText, openQuestions } from "../../lib/chat/answer.ts";
import type { ChatView, RunView } from "../../lib/chat/views.ts";
import { type HttpMcp, startHttpMcp } from "../helpers/mcp_server.ts";
import type { Asked, AskOutcome, Client } from "./harness/client.ts";
import { faultTest } from "./harness/fault_test.ts";
import { Lateness } from "./harness/lateness.ts";
import { question, readWords } from "./harness/script.ts";
import { Stage, TAKEN_MS } from "./harness/stage.ts";

/** One case at a time; the sizes are how often. */
const ONCE = { sizes: { ci: 1, full: 1 } };

function started(outcome: AskOutcome): Asked {
  assert(outcome.kind === "started", JSON.stringify(outcome));
  return outcome;
}

const runView = (client: Client, run: string) =>
  client.json(`/api/runs/${run}`) as Promise<RunView>;
const chatView = (client: Client, chat: string) =>
  client.json(`/api/chats/${chat}`) as Promise<ChatView>;

/** How many words an answer shows; fails if one is missing or there twice. */
function wordsOf(view: RunView): number {
  const words = readWords(answerText(view.answer));
  assertEquals(words.map(({ index }) => index), words.map((_, at) => at));
  return words.length;
}

/** Gives the servers to come the tools of an MCP server, as `fx__…`. */
async function useTools(stage: Stage, { url }: HttpMcp): Promise<void> {
  const path = `${stage.data}/mcp.json`;
  const file = { mcpServers: { fx: { url } } };
  await Deno.writeTextFile(path, JSON.stringify(file));
  stage.env.TICKERTAPE_MCP = path;
}

/** Seconds since the last death, for a figure. */
const sinceDeath = (stage: Stage) =>
  `${((performance.now() - stage.diedAt) / 1000).toFixed(1)} s`;

faultTest(
  "safety R01: whenever the model is called, the person's message is in the store already (N1)",
  { sizes: { ci: 500, full: 10_000 } },
  async (size, say) => {
    let there = 0;
    await using stage = new Stage({
      onCall: async ({ script }) => {
        const store = await stage.store();
        // The chat asked last is the first.
        const [chat] = await store.chats("local", 1, "all");
        const rows = await store.runs(chat!.id);
        if (rows.some(({ text }) => text === question(script))) there++;
      },
    });
    await stage.start();
    const client = stage.client();
    for (let n = 0; n < size; n++) {
      const script = { key: `q${n}`, words: 1, pace: 0 };
      const { run } = started(await client.ask(script.key, question(script)));
      await client.read(run);
    }
    say("safety R01", `${there} of ${size} messages were there`);
    assertEquals([there, stage.upstream.calls.length], [size, size]);
    assertEquals(await stage.check(), []);
  },
);

faultTest(
  "safety R03: a server killed between its acknowledgement and the model call still answers, once (N1, N3)",
  { sizes: { ci: 20, full: 200 } },
  async (size, say) => {
    await using tools = startHttpMcp();
    const up = Promise.withResolvers<null>();
    // For its tools the model call waits two seconds.
    tools.instead = () => up.promise;
    await using stage = new Stage();
    await useTools(stage, tools);
    const client = stage.client();
    await stage.start();
    const runs = await Promise.all(
      Array.from({ length: size }, async (_, n) => {
        const key = `q${n}`;
        return started(await client.ask(key, question({ key, words: 5 })));
      }),
    );
    await stage.end("SIGKILL");
    const calls = new Set(stage.upstream.calls.map(({ script }) => script.key));
    assert(calls.size < size, "the model was called first");
    up.resolve(null);
    tools.instead = null;

    await stage.start();
    for (const { run } of runs) {
      const { last } = await client.read(run);
      assertEquals(last?.type, "finish");
      assertEquals(wordsOf(await runView(client, run)), 5);
    }
    say(
      "safety R03",
      `${
        size - calls.size
      } runs killed before their model call, all answered ` +
        `${sinceDeath(stage)} after death`,
    );
    await stage.quiet();
    assertEquals(await stage.check(), []);
  },
);

faultTest(
  "safety R06 R07, streaming X01: after kill -9 in mid-answer the shown text stays, is marked within lease + 2 s, and Continue goes on from it (N4, N5)",
  ONCE,
  async (_, say) => {
    using late = new Lateness();
    await using stage = new Stage();
    const client = stage.client();
    await stage.start();
    const text = question({ key: "q", words: 30, hold: 12 });
    const asked = started(await client.ask("q", text));
    const reading = client.open(asked.run);
    await client.connect(
      reading,
      ({ last }) => last?.type === "text-delta" && last.delta.includes("w11/"),
    );
    await stage.end("SIGKILL");

    await stage.start();
    const before = await runView(client, asked.run);
    assertEquals([before.answer.status, wordsOf(before)], ["running", 12]);
    // A reader that hangs on it is told the end (X01).
    while (await client.connect(reading) !== "ended");
    const waited = performance.now() - stage.diedAt;
    const broken = await runView(client, asked.run);
    assertEquals(broken.answer.status, "interrupted");
    assertEquals(answerText(broken.answer), answerText(before.answer));

    const next = started(await client.goOn("go-on", asked));
    assertEquals((await client.read(next.run)).last?.type, "finish");
    const { turns } = await chatView(client, asked.chat);
    // The same message has grown: one turn, and the old run is no version of it.
    assertEquals(turns.map(({ answer, versions }) => [answer.run, versions]), [
      [next.run, undefined],
    ]);
    const whole = answerText(turns[0]!.answer);
    assert(whole.startsWith(answerText(before.answer)), whole);
    assertEquals(readWords(whole).length, 30);
    say(
      "safety R06 R07",
      `marked interrupted ${(waited / 1000).toFixed(1)} s after death (goal ` +
        `${TAKEN_MS / 1000} s), continued from word 12 to 30`,
    );
    assert(waited <= late.allows(TAKEN_MS), `${waited} ms`);
    assertEquals(await stage.check(), []);
  },
);

faultTest(
  "streaming X10: Stop pressed while the owner is dead ends the run as stopped within lease + 2 s",
  ONCE,
  async (_, say) => {
    using late = new Lateness();
    await using stage = new Stage();
    const client = stage.client();
    await stage.start();
    const text = question({ key: "q", words: 30, hold: 12 });
    const asked = started(await client.ask("q", text));
    const reading = client.open(asked.run);
    await client.connect(
      reading,
      ({ last }) => last?.type === "text-delta" && last.delta.includes("w11/"),
    );
    await stage.end("SIGKILL");

    await stage.start();
    await client.stop(asked.run);
    while (await client.connect(reading) !== "ended");
    const waited = performance.now() - stage.diedAt;
    assertEquals(reading.last, { type: "abort", reason: "user" });
    assertEquals(wordsOf(await runView(client, asked.run)), 12);
    say(
      "streaming X10",
      `stopped ${(waited / 1000).toFixed(1)} s after death (goal ` +
        `${TAKEN_MS / 1000} s)`,
    );
    assert(waited <= late.allows(TAKEN_MS), `${waited} ms`);
    assertEquals(await stage.check(), []);
  },
);

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  faultTest(
    `safety R04, streaming X02: a tool with an effect that was at work at ${signal} is not run again, and its outcome is called unknown (N8)`,
    ONCE,
    async (_, say) => {
      await using tools = startHttpMcp();
      await using stage = new Stage();
      await useTools(stage, tools);
      const client = stage.client();
      await stage.start();
      const key = "q";
      const text = question({ key, words: 5, tool: "fx__hang" });
      const asked = started(await client.ask(key, text));
      // It has an effect, so somebody has to say yes.
      const [open] = await until(async () =>
        openQuestions((await runView(client, asked.run)).answer)
      );
      await client.json(`/api/runs/${asked.run}/approvals/${open!.id}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ decision: "once" }),
      });
      const runs = () =>
        tools.script.methods.filter((method) => method === "tools/call").length;
      await tools.until(() => runs() === 1);
      await stage.end(signal);

      await stage.start();
      await client.read(asked.run);
      const { answer } = await runView(client, asked.run);
      const call = answer.parts.find((part) => part.kind === "tool");
      assert(call?.kind === "tool");
      assertEquals(call.state, "failed");
      assertStringIncludes(
        call.errorText ?? "",
        "not known whether",
      );
      say(
        `safety R04 ${signal}`,
        `the tool ran ${runs()} time, the run is ${answer.status}`,
      );
      assertEquals(runs(), 1);
      assertEquals(await stage.check(new Map([[key, runs()]])), []);
    },
  );
}

/** Asks again and again until there is something. */
async function until<T>(look: () => Promise<T[]>): Promise<T[]> {
  const limit = performance.now() + 10_000;
  while (true) {
    const found = await look();
    if (found.length > 0) return found;
    if (performance.now() > limit) throw new Error(`In vain: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
