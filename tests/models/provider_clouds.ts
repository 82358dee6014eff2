/**
 * What must come of the answers of OpenAI, Azure, DeepSeek and Qwen.
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

const openai: Provider = {
  name: "openai",
  cases: {
    text: ends("stop", [
      text("The", " next", " bus", " leaves", " at", " ", "08", ":", "30", "."),
      text(" 🚌"),
    ], usage(24, 11, { cached: 0, reasoning: 0 })),
    tool: ends(
      "tool-calls",
      [
        call("call_w3XbT0qLrV8nYc5hKz1JmPea", "bus_schedule", '{"', "from"),
        more("call_w3XbT0qLrV8nYc5hKz1JmPea", '":"', "火", "车站", '","', "to"),
        more("call_w3XbT0qLrV8nYc5hKz1JmPea", '":"', "university", '"}'),
      ],
      usage(211, 21, { cached: 128, reasoning: 0 }),
    ),
    two: ends(
      "tool-calls",
      [
        text("Let me look."),
        call("call_A1f9ZkQm7TsRx2LpVb6NwEyd", "bus_schedule", '{"line": '),
        more("call_A1f9ZkQm7TsRx2LpVb6NwEyd", '"1"}'),
        call("call_Hq4uOj8DcG5iXr0StB3KvMzn", "current_time", "{}"),
      ],
      usage(208, 40, { cached: 0, reasoning: 0 }),
    ),
    empty: ends("stop", [], usage(24, 0, { cached: 0, reasoning: 0 })),
    length: ends(
      "length",
      [text("Line 1 stops at", " the café")],
      usage(24, 16, { cached: 0, reasoning: 9 }),
    ),
    refusal: ends(
      "content-filter",
      [text("I'm sorry,", " I can't help with that.")],
      usage(31, 10, { cached: 0, reasoning: 0 }),
    ),
    "error-auth": refused("upstream_auth", { cause: "invalid_api_key" }),
    // Longer than anybody waits, so it is reported and not waited for.
    "error-rate": fails({
      code: "upstream_rate_limited",
      retryable: true,
      retryAfterMs: 35_821,
      cause: "rate_limit_exceeded",
    }),
    "error-context": refused("context_length_exceeded"),
  },
};

const azure: Provider = {
  name: "azure",
  cases: {
    text: ends(
      "stop",
      [text("Der", " nächste", " Bus", ".")],
      usage(27, 70, { cached: 0, reasoning: 64 }),
    ),
    tool: ends(
      "tool-calls",
      [
        call("call_9TzKqVb3mXw0LnRyHcJ5PdEa", "bus_schedule", '{"from"'),
        more(
          "call_9TzKqVb3mXw0LnRyHcJ5PdEa",
          ':"火车站"',
          ',"to":"université"}',
        ),
      ],
      usage(203, 26, { cached: 0, reasoning: 0 }),
    ),
    two: ends(
      "tool-calls",
      [
        call("call_Ze8wQ2rTyU5oPxLkJhG1DsAb", "bus_schedule", '{"line":"1"}'),
        call("call_Nm6vC3bXz9QwErTyUiOpAsDf", "current_time", "{}"),
      ],
      usage(203, 39, { cached: 0, reasoning: 0 }),
    ),
    empty: ends("stop", [], usage(27, 64, { cached: 0, reasoning: 64 })),
    // The filter's late remark is no part of the answer.
    length: {
      ...ends(
        "length",
        [text("Linie 1 hält")],
        usage(27, 16, { cached: 0, reasoning: 0 }),
      ),
      warning: "1 chunk(s) after the end",
    },
    filtered: ends("content-filter", [text("Well")]),
    "error-filter": refused("upstream_bad_request", {
      shown: "(content_filter)",
    }),
    "error-rate": fails({
      code: "upstream_rate_limited",
      retryable: true,
      retryAfterMs: 47_000,
    }),
    "error-auth": refused("upstream_auth"),
    "error-model": refused("upstream_bad_request", {
      shown: "does not know this model or address (DeploymentNotFound)",
    }),
  },
};

const deepseek: Provider = {
  name: "deepseek",
  cases: {
    text: ends(
      "stop",
      [text("下", "一班", "公交", "8", ":", "30", "发车", "。")],
      usage(26, 8, { cached: 0 }),
    ),
    reasoning: ends(
      "stop",
      [thought("用户", "问", "公交", "。"), text("8", ":30", " 发车")],
      usage(26, 61, { cached: 0, reasoning: 52 }),
    ),
    tool: ends(
      "tool-calls",
      [
        thought("I", " should", " look", " it", " up", "."),
        call("call_00_VxQ2mTzKw8LnYb5RcJ0HpEda", "bus_schedule", "{", '"'),
        more("call_00_VxQ2mTzKw8LnYb5RcJ0HpEda", "from", '"', ": ", '"'),
        more("call_00_VxQ2mTzKw8LnYb5RcJ0HpEda", "火车站", '"', "}"),
      ],
      usage(374, 58, { cached: 256, reasoning: 17 }),
      { reasoning_content: "I should look it up." },
    ),
    two: ends(
      "tool-calls",
      [
        text("Both", " at once."),
        call("call_00_Lk3nTz7XwQ9mVb0RyJ5HcPde", "bus_schedule", '{"line"'),
        more("call_00_Lk3nTz7XwQ9mVb0RyJ5HcPde", ': "1"}'),
        call("call_01_Wn8vK2cXqZ5LyTm0RbJ4HpEd", "current_time", "{}"),
      ],
      usage(370, 44, { cached: 320 }),
    ),
    empty: ends("stop", [], usage(26, 0, { cached: 0 })),
    length: ends(
      "length",
      [text("1 路在", "火车")],
      usage(26, 4, { cached: 0 }),
    ),
    overloaded: fails(
      { code: "upstream_unavailable", retryable: true },
      { events: text("The") },
    ),
    "error-balance": refused("upstream_rate_limited", { shown: "used up" }),
    "error-auth": refused("upstream_auth"),
    "error-busy": fails(
      { code: "upstream_unavailable", retryable: true },
      { requests: 3 },
    ),
  },
};

const qwen: Provider = {
  name: "qwen",
  cases: {
    text: ends("stop", [
      text("下一班车", "：", "08:30，1 路"),
    ], usage(22, 12, { cached: 0 })),
    tool: ends(
      "tool-calls",
      [
        call("call_0b7f4e2a91dc4c6d8e35fa", "bus_schedule", '{"from": "火车'),
        more("call_0b7f4e2a91dc4c6d8e35fa", '站"}'),
      ],
      usage(295, 22, { cached: 0 }),
    ),
    two: ends(
      "tool-calls",
      [
        call("call_31e9c5d07ab84f62b1f0d7", "bus_schedule", '{"line": '),
        more("call_31e9c5d07ab84f62b1f0d7", '"1"}'),
        call("call_c4a20f8be67d4d19a3e5b8", "current_time", "{}"),
      ],
      usage(292, 41, { cached: 0 }),
    ),
    reasoning: ends(
      "stop",
      [thought("先看", "时刻表"), text("八点", "半。")],
      usage(25, 96, { cached: 0, reasoning: 88 }),
    ),
    empty: ends("stop", [], usage(22, 0, { cached: 0 })),
    length: ends(
      "length",
      [text("1 路车经", "过")],
      usage(22, 4, { cached: 0 }),
    ),
    "error-quota": refused("upstream_rate_limited", { shown: "used up" }),
    "error-auth": refused("upstream_auth"),
    "error-inspection": refused("upstream_bad_request", {
      shown: "(data_inspection_failed)",
    }),
  },
};

export const CLOUDS = [openai, azure, deepseek, qwen];
