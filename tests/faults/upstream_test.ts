/**
 * G16: whatever a provider does, a question has one answer, and the answer is
 * what the provider said, as far as it got.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import * as z from "zod";
import type { Tool } from "../../lib/agent/contracts.ts";
import type { Answer } from "../../lib/chat/answer.ts";
import type { ChatView } from "../../lib/chat/views.ts";
import { says, type SeenRequest } from "../helpers/scripted_upstream.ts";
import { appStage, type Told } from "../models/app_stage.ts";
import { type Fault, fault, KINDS } from "./upstream_faults.ts";

const FULL = Deno.env.get("TICKERTAPE_FULL") === "1";
const COUNT = FULL ? 2_000 : 200;
/** Questions at a time. */
const ABREAST = 8;

/** Scaled: 45 s and 60 s would be an hour of stalls. */
const TIMINGS = { headersMs: 1_200, silenceMs: 1_200, backoffMs: 4 };

/** Counts its runs by what it was asked to say: a call runs once. */
function counter(): { tool: Tool; ran: Map<string, number> } {
  const ran = new Map<string, number>();
  const input = z.object({ say: z.string() });
  return {
    ran,
    tool: {
      name: "echo",
      description: "Says it again",
      input,
      effect: "read",
      run(given) {
        const { say } = input.parse(given);
        ran.set(say, (ran.get(say) ?? 0) + 1);
        return { text: say };
      },
    },
  };
}

const nameOf = ({ body }: SeenRequest): string =>
  body.messages.findLast((message: { role: string }) => message.role === "user")
    .content;

/** All text parts as one: what the provider said over all steps. */
const textOf = ({ parts }: Answer): string =>
  parts.map((part) => part.kind === "text" ? part.text : "").join("");

Deno.test(`G16: ${COUNT} upstream faults: one message each, its text a prefix of the script, one terminal, nothing hangs`, async () => {
  const seed = Number(Deno.env.get("FC_SEED") ?? Date.now() % 2 ** 31);
  const began = performance.now();
  const faults = new Map<string, Fault>();
  for (let n = 0; n < COUNT; n++) {
    faults.set(`fault ${n}`, fault(seed, n));
  }
  const { tool, ran } = counter();
  await using stage = await appStage(
    (request) => faults.get(nameOf(request))?.answer() ?? says("All is well."),
    { tools: [tool], timings: TIMINGS },
  );

  const tally = { whole: 0, kept: 0, empty: 0 };
  const waiting = [...faults];
  async function work() {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [name, fault] = next;
      const which = `${name} (${fault.what}), seed ${seed}`;
      try {
        const told = await stage.ask(name);
        check(told, fault);
        await checkHistory(told);
        tally[
          told.end.type === "finish" ? "whole" : told.text ? "kept" : "empty"
        ]++;
      } catch (error) {
        waiting.length = 0;
        throw new Error(`Broken by ${which}`, { cause: error });
      }
    }
  }
  await Promise.all(Array.from({ length: ABREAST }, work));
  assertEquals((await stage.ask("and now?")).text, "All is well.");
  assertEquals(ran.has("never"), false, "a call was run that was cut off");

  /** What a client saw live. */
  function check(told: Told, fault: Fault) {
    const text = textOf(told.answer);
    const { whole, shown } = fault;
    assert(whole.startsWith(text), `${JSON.stringify(text)} of ${whole}`);
    const finished = told.end.type === "finish";
    if (told.end.type === "error") assertMatch(told.end.code, /^upstream_/);
    assertEquals(finished, fault.recovers, JSON.stringify(told.end));
    if (finished) assertEquals(text, whole);
    // A reset may take along what was still under way.
    else if (shown !== null) assertEquals(text, shown);
    for (const part of told.answer.parts) {
      if (part.kind === "tool") {
        assert(part.state === "done" || part.state === "failed", part.state);
      }
    }
    for (const say of fault.calls) {
      assert((ran.get(say) ?? 0) <= 1, `${say} ran twice`);
      if (finished) assertEquals(ran.get(say), 1, `${say} did not run`);
    }
  }

  /** What is found afterwards: one question, one answer, the same as live. */
  async function checkHistory({ started, answer }: Told) {
    const response = await fetch(
      `${stage.app.url}/api/chats/${started.chat_id}`,
    );
    const chat: ChatView = await response.json();
    assertEquals(chat.turns.length, 1);
    assertEquals(chat.turns[0]!.answer, JSON.parse(JSON.stringify(answer)));
    assertEquals(chat.activeRun, null);
  }

  const seconds = (performance.now() - began) / 1000;
  console.log(
    `G16: ${COUNT} faults of ${KINDS} kinds, seed ${seed}: ${tally.whole} ` +
      `recovered, ${tally.kept} kept what was shown, ${tally.empty} had ` +
      `nothing to show; 0 duplicates, 0 hanging, ${seconds.toFixed(1)} s`,
  );
  assert(tally.whole > 0 && tally.kept > 0 && tally.empty > 0);
});
