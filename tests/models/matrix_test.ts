/**
 * Every provider against the same short list, each in its own dialect: plain
 * text, a tool call, two calls, thoughts, an empty answer, one that is too long,
 * errors, stop - whole, cut at every byte, and with every kind of line end.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ask, type Asking } from "../helpers/ask_model.ts";
import {
  byteByByte,
  hang,
  scriptedUpstream,
  type Step,
} from "../helpers/scripted_upstream.ts";
import { type Answered, answered, KEY, modelAt } from "./harness.ts";
import { CLOUDS } from "./provider_clouds.ts";
import type { Expected } from "./provider_expected.ts";
import {
  awkward,
  byteByByteFetch,
  everyRecorded,
  play,
  recorded,
} from "./provider_fixtures.ts";
import { GATEWAYS } from "./provider_gateways.ts";
import { LOCAL } from "./provider_local.ts";

const PROVIDERS = [...CLOUDS, ...LOCAL, ...GATEWAYS];

/** The short list; LiteLLM stands for what gateways do to calls. */
const LIST = ["text", "tool", "two", "empty", "length"];

/** Those that tell their thoughts in a chat completion. */
const THINKERS = "deepseek, qwen, ollama, vllm, llamacpp, mistral, openrouter"
  .split(", ");

type Said = Omit<Answered, "requests" | "warnings">;

/** Ids the adapter made up, by their order. */
function withoutMadeUpIds<T>(value: T): T {
  const ids: string[] = [];
  return JSON.parse(
    JSON.stringify(value).replaceAll(/call_[0-9a-f]{32}/g, (id) => {
      if (!ids.includes(id)) ids.push(id);
      return `made up ${ids.indexOf(id) + 1}`;
    }),
  );
}

/** The answer, and nothing but the answer, is what was expected. */
function assertSaid(said: Said, expected: Expected, which: string) {
  const events = said.events.filter(({ type }) => type !== "retry");
  const { carry, ...turn } = said.turn ?? {};
  const found = withoutMadeUpIds({
    events,
    ...(said.turn === undefined ? {} : { turn }),
    ...(carry === undefined ? {} : { carry: carry.items }),
  });
  assertEquals(found, {
    events: expected.events,
    ...(expected.turn === undefined ? {} : { turn: expected.turn }),
    ...(expected.carry === undefined ? {} : { carry: expected.carry }),
  }, which);
  const { error } = said;
  if (expected.error === undefined) return assertEquals(error, undefined);
  const { code, retryable, retryAfterMs, shown = "", cause = "" } =
    expected.error;
  assertEquals(
    [error?.code, error?.options.retryable, error?.options.retryAfterMs],
    [code, retryable, retryAfterMs],
    which,
  );
  assert(error!.message.includes(shown), `${which}: ${error!.message}`);
  assert(String(error!.cause).includes(cause), `${which}: ${error!.cause}`);
  // Neither keys (whole or starred out) nor addresses, not even for the log.
  const whole = Deno.inspect(error, { depth: 10 });
  for (const secret of [KEY, "sk-", "****", "https://"]) {
    assert(!whole.includes(secret), `${which}: ${secret} in ${whole}`);
  }
  // A person is told the code at most.
  assert(error!.message.length < 90, `${which}: ${error!.message}`);
}

/** Asks with this answer in front, as often as it is asked for. */
async function asked(
  provider: string,
  name: string,
  { requests = 1 }: Expected,
  steps?: Step[],
): Promise<Answered> {
  const script = play(recorded(provider, name), steps);
  return await answered(Array.from({ length: requests }, () => script));
}

Deno.test("every recorded answer has its expectation, and every provider the whole list", () => {
  const expected = PROVIDERS.flatMap(({ name, cases }) =>
    Object.keys(cases).map((which) => `${name}/${which}`)
  );
  assertEquals(everyRecorded(), expected.sort());
  for (const { name, cases } of PROVIDERS) {
    if (name === "litellm") continue;
    const wanted = [...LIST, ...(THINKERS.includes(name) ? ["reasoning"] : [])];
    for (const which of wanted) assert(which in cases, `${name}/${which}`);
    assert(Object.keys(cases).some((key) => key.startsWith("error-")), name);
  }
});

for (const { name: provider, cases } of PROVIDERS) {
  Deno.test(`U18-U35 U41 U43: ${provider} is heard exactly, event for event`, async () => {
    for (const [name, expected] of Object.entries(cases)) {
      const which = `${provider}/${name}`;
      const said = await asked(provider, name, expected);
      assertSaid(said, expected, which);
      assertEquals(said.requests.length, expected.requests ?? 1, which);
      assertEquals(said.warnings.length, expected.warning ? 1 : 0, which);
      assert(said.warnings.join().includes(expected.warning ?? ""), which);
    }
  });

  Deno.test(`U29 U42: ${provider} is heard the same however its answers are cut`, async () => {
    for (const [name, expected] of Object.entries(cases)) {
      const answer = recorded(provider, name);
      if (!answer.streams) continue;
      const cuts: Record<string, Step[]> = {
        "in one write": [answer.body],
        "at awkward places": awkward(answer.body),
        "at awkward places, CRLF": awkward(
          answer.body.replaceAll("\n", "\r\n"),
        ),
        ...(name === "two" ? { "at every byte": byteByByte(answer.body) } : {}),
      };
      for (const [how, steps] of Object.entries(cuts)) {
        const said = await asked(provider, name, expected, steps);
        assertSaid(said, expected, `${provider}/${name} ${how}`);
      }
    }
  });

  Deno.test(`U42: ${provider} read byte by byte, with LF, CRLF and CR, is the same`, async () => {
    await using upstream = await scriptedUpstream([]);
    for (const [name, expected] of Object.entries(cases)) {
      const answer = recorded(provider, name);
      if (!answer.streams) continue;
      for (const lineEnd of ["\n", "\r\n", "\r"]) {
        const fetch = byteByByteFetch(answer, lineEnd);
        const said = await ask(modelAt(upstream, { fetch }));
        const which = `${provider}/${name} ${JSON.stringify(lineEnd)}`;
        assertSaid(said, expected, which);
      }
    }
  });
}

/** The part of an answer up to the event that holds its first words. */
function begun(provider: string, name: string): string[] {
  const { events } = recorded(provider, name);
  const first = events.findIndex((event) =>
    /"(?:content|reasoning|reasoning_content)":(?:"[^"]|\[)/.test(event)
  );
  return events.slice(0, first + 1);
}

for (const { name: provider, cases } of PROVIDERS) {
  if (!("text" in cases)) continue;

  Deno.test(`${provider} is stopped in the middle of its text: the socket closes, nothing more is heard`, async () => {
    await using upstream = await scriptedUpstream([
      play(recorded(provider, "text"), [...begun(provider, "text"), hang()]),
    ]);
    const stop = new AbortController();
    const reason = new Error("stopped by a person");
    const heard: Asking["heard"] = (_, soFar) => {
      assertEquals(soFar, cases.text!.events.slice(0, 1));
      stop.abort(reason);
    };
    const error = await assertRejects(() =>
      ask(modelAt(upstream), { signal: stop.signal, heard })
    );
    assert(error === reason);
    await upstream.requests[0]!.closed;
  });

  Deno.test(`U09: ${provider} ends in the middle of its text, which is kept`, async () => {
    const script = play(recorded(provider, "text"), begun(provider, "text"));
    const said = await answered(script);
    assertEquals(said.events, cases.text!.events.slice(0, 1));
    assertEquals(said.error?.code, "upstream_truncated");
    assertEquals(said.retries, []);
  });
}

Deno.test("a provider that refuses a field in its own words is asked again without it", async () => {
  const said = await answered([
    play(recorded("mistral", "error-field")),
    play(recorded("mistral", "text")),
  ]);
  assertEquals(said.text, "Le prochain bus part à 8 h 30.");
  const sent = said.requests.map(({ body }) => "stream_options" in body);
  assertEquals(sent, [true, false]);
});
