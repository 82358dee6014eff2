/**
 * What must come of the answers of Gemini's OpenAI-compatible address, Mistral,
 * OpenRouter and LiteLLM.
 *
 * @module
 */
import {
  call,
  ends,
  fails,
  more,
  type Provider,
  refused,
  text,
  thought,
  usage,
} from "./provider_expected.ts";

const signed = (thought_signature: string) => ({
  google: { thought_signature },
});

const gemini: Provider = {
  name: "gemini",
  cases: {
    text: ends("stop", [
      text("The next bus leaves", " the railway station at 08:30 – line 1"),
      text(", platform B."),
    ], usage(12, 19)),
    // Without an index; thoughts are in the total alone.
    tool: ends(
      "tool-calls",
      [call("sm3mug29", "bus_schedule", '{"from":"火车站","to":"university"}')],
      usage(88, 21, { total: 187 }),
      {
        extra_content: [
          signed(
            "YgZMYeBDFigYKBoGQ83CHSXmkLtzT3Zq8wKp0vNn5sRbAa2cXe1dGf4hIi6jLk7m",
          ),
        ],
      },
    ),
    // Both calls have index 0, each whole in its own chunk.
    two: ends(
      "tool-calls",
      [
        call(
          "function-call-7245108396614205133",
          "bus_schedule",
          '{"line":"1"}',
        ),
        call("function-call-1180394465528310727", "current_time", "{}"),
      ],
      usage(88, 20, { total: 186 }),
      {
        extra_content: [
          signed(
            "EqQBCqEBAdHtim8wYz3QpLk0vXn5sTbRa2cXe1dGf4hIi6jLk7mNo8pQr9sTu0vW",
          ),
          null,
        ],
      },
    ),
    "two-nameless": ends("tool-calls", [
      call("made up 1", "bus_schedule", '{"line":"1"}'),
      call("made up 2", "bus_schedule", '{"line":"2"}'),
    ], usage(88, 20)),
    empty: ends("stop", [], usage(12, 0)),
    length: ends("length", [text("Line 1 runs every", " ten")], usage(12, 5)),
    safety: ends("content-filter", [text("Well,")], usage(12, 2)),
    // Its errors are lists.
    "error-argument": refused("upstream_bad_request", {
      cause: "missing a thought_signature",
    }),
    "error-auth": refused("upstream_auth"),
    "error-context": refused("context_length_exceeded"),
    "error-rate": fails({
      code: "upstream_rate_limited",
      retryable: true,
      cause: "exceeded your current quota",
    }, { requests: 3 }),
  },
};

const mistral: Provider = {
  name: "mistral",
  cases: {
    text: ends("stop", [
      text("Le", " prochain bus", " part à", " 8 h 30."),
    ], usage(14, 12)),
    parts: ends("stop", [text("Le bus", " part.")], usage(14, 6)),
    // Calls come with the reason, ids have nine characters.
    tool: ends("tool-calls", [
      call(
        "jLQSZzDiU",
        "bus_schedule",
        '{"from": "gare", "to": "université"}',
      ),
    ], usage(124, 22)),
    two: ends("tool-calls", [
      call("UydYAy7gC", "bus_schedule", '{"line": "1"}'),
      call("hXc3Qp0Lz", "current_time", "{}"),
    ], usage(124, 35)),
    reasoning: ends("stop", [
      thought("The user", " asks about buses."),
      text("À 8 h", " 30"),
    ], usage(10, 46)),
    empty: ends("stop", [], usage(14, 1)),
    length: ends("length", [text("La ligne 1", " passe")], usage(14, 4)),
    // Its errors are no `error`.
    "error-rate": fails({
      code: "upstream_rate_limited",
      retryable: true,
      cause: "Rate limit exceeded",
    }, { requests: 3 }),
    "error-auth": refused("upstream_auth"),
    "error-id": refused("upstream_bad_request", {
      shown: "(3280)",
      cause: "with a length of 9",
    }),
    "error-context": refused("context_length_exceeded"),
    // Asked once more without the field it does not know.
    "error-field": {
      ...refused("upstream_bad_request", { cause: "stream_options" }),
      requests: 2,
    },
  },
};

const openrouter: Provider = {
  name: "openrouter",
  cases: {
    text: ends("stop", [
      text("亚", "洲", " bus", ": ", "08:30"),
    ], usage(18, 6, { cached: 0, reasoning: 0 })),
    tool: ends("tool-calls", [
      call("toolu_01VxQ2mTzKw8LnYb5RcJ0HpE", "bus_schedule", '{"fr'),
      more("toolu_01VxQ2mTzKw8LnYb5RcJ0HpE", 'om": "火车站"', "}"),
    ], usage(402, 47, { cached: 380, reasoning: 0 })),
    two: ends("tool-calls", [
      text("I'll check both."),
      call("toolu_01A1f9ZkQm7TsRx2LpVb6NwE", "bus_schedule", '{"line": "1"}'),
      call("toolu_01Hq4uOj8DcG5iXr0StB3KvM", "current_time", "{}"),
    ], usage(402, 71, { cached: 0, reasoning: 0 })),
    reasoning: ends("stop", [
      thought("The user", " wants a bus."),
      text("Half", " past eight."),
    ], usage(44, 90, { cached: 0, reasoning: 71 })),
    empty: ends("stop", [], usage(18, 0, { cached: 0, reasoning: 0 })),
    length: ends("length", [
      text("Line 1", " runs"),
    ], usage(18, 3, { cached: 0, reasoning: 0 })),
    broken: fails(
      { code: "upstream_error", retryable: true, shown: "(502)" },
      { events: text("Half") },
    ),
    "refused-late": refused("upstream_error", { shown: "(400)" }),
    "error-auth": refused("upstream_auth"),
    "error-credits": refused("upstream_rate_limited", { shown: "used up" }),
    "error-rate": fails({
      code: "upstream_rate_limited",
      retryable: true,
    }, { requests: 3 }),
  },
};

const litellm: Provider = {
  name: "litellm",
  cases: {
    // A new id on every piece of one call.
    tool: ends("tool-calls", [
      call("call_3c1d", "bus_schedule", '{"from":', '"gare"}'),
    ]),
    // Arguments are objects, both calls have index 0.
    two: ends("tool-calls", [
      call("tooluse_A1f9ZkQm7TsRx2LpVb6NwE", "bus_schedule", '{"line":"1"}'),
      call("tooluse_Hq4uOj8DcG5iXr0StB3KvM", "current_time", "{}"),
    ]),
  },
};

export const GATEWAYS = [gemini, mistral, openrouter, litellm];
