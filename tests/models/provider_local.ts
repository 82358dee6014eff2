/**
 * What must come of the answers of Ollama, vLLM and llama.cpp.
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

const ollama: Provider = {
  name: "ollama",
  cases: {
    text: ends("stop", [
      text("The", " bus", " comes", " at", " half", " past", " eight", "."),
    ], usage(31, 9)),
    tool: ends("tool-calls", [
      call(
        "call_ucjdmxua",
        "bus_schedule",
        '{"from":"火车站","to":"university"}',
      ),
    ], usage(172, 24)),
    // No index, and a reason that says nothing of the calls.
    two: ends("tool-calls", [
      call("call_p0wz8kqe", "bus_schedule", '{"line":"1"}'),
      call("call_m4yt2rvb", "current_time", "{}"),
    ]),
    reasoning: ends("stop", [
      thought("Okay", ", buses", "."),
      text("At", " 8:30"),
    ], usage(18, 77)),
    empty: ends("stop", [], usage(31, 1)),
    length: ends("length", [text("Line", " 1")], usage(31, 2)),
    "error-model": refused("upstream_bad_request", {
      shown: "does not know this model or address",
    }),
    "error-memory": fails({
      code: "upstream_unavailable",
      retryable: true,
      cause: "more system memory",
    }, { requests: 3 }),
    "error-tools": refused("upstream_bad_request", {
      cause: "does not support tools",
    }),
  },
};

const vllm: Provider = {
  name: "vllm",
  cases: {
    text: ends("stop", [
      text("Next", " bus", ":", " 08", ":30", " 👋"),
    ], usage(16, 7)),
    // The name comes alone; after it id, type and name are null.
    tool: ends("tool-calls", [
      call("chatcmpl-tool-7c623e17a89c874c", "bus_schedule", '{"from": "'),
      more("chatcmpl-tool-7c623e17a89c874c", "火车", "站", '"', "}"),
    ], usage(189, 7)),
    // Both calls have index 0.
    two: ends("tool-calls", [
      call(
        "chatcmpl-tool-v4CKlP9e5MloO3qaABRsHP",
        "bus_schedule",
        '{"line": ',
        '"1"}',
      ),
      call("chatcmpl-tool-SdqPXKLdNmxeaVPsuo8Gd4", "current_time", "{}"),
    ], usage(189, 6)),
    interleaved: ends("tool-calls", [
      call("chatcmpl-tool-3d5e7f90a1b24c68", "bus_schedule", '{"line"'),
      call("chatcmpl-tool-6c8d0e2f4a5b4971", "current_time", '{"zone"'),
      more("chatcmpl-tool-6c8d0e2f4a5b4971", ': "UTC"'),
      more("chatcmpl-tool-3d5e7f90a1b24c68", ': "1"', "}"),
      more("chatcmpl-tool-6c8d0e2f4a5b4971", "}"),
    ], usage(189, 7)),
    reasoning: ends("stop", [
      thought("Okay", ",", " a", " bus", "."),
      text("\n\n", "08", ":30"),
    ], usage(20, 9)),
    empty: ends("stop", [], usage(16, 1)),
    length: ends("length", [text("Line 1", " goes")], usage(16, 2)),
    broken: fails(
      { code: "upstream_error", retryable: true, cause: "EngineCore" },
      { events: text("Nex") },
    ),
    "error-context": refused("context_length_exceeded"),
    "error-context-old": refused("context_length_exceeded"),
    "error-tools": refused("upstream_bad_request", {
      cause: "--enable-auto-tool-choice",
    }),
    "error-auth": refused("upstream_auth"),
  },
};

const llamacpp: Provider = {
  name: "llamacpp",
  cases: {
    text: ends("stop", [
      text("The", " bus", " leaves", " at", " 8", ":", "30"),
    ], usage(17, 8)),
    // Cut inside \u00e9 and inside an escaped quote.
    tool: ends("tool-calls", [
      call("mT4vKqXw0LnRyHc9JzPdEa2bUoTfGs6i", "bus_schedule", "{", '"from'),
      more("mT4vKqXw0LnRyHc9JzPdEa2bUoTfGs6i", '":"', "caf", "\\u00e"),
      more("mT4vKqXw0LnRyHc9JzPdEa2bUoTfGs6i", '9 \\"A', '\\""', "}"),
    ], usage(140, 19)),
    two: ends("tool-calls", [
      call("Aq9zKvXw0LnRyHc4JmPdEa2bUoTfGs6i", "bus_schedule", '{"line":'),
      more("Aq9zKvXw0LnRyHc4JmPdEa2bUoTfGs6i", '"1"}'),
      call("Bw7xLvQt1MnSyGc5KzPdFa3bVoUfHs8j", "current_time", "{}"),
    ], usage(140, 31)),
    reasoning: ends("stop", [
      thought("Play", "ful", "):"),
      text("Half", " past"),
    ], usage(17, 6)),
    empty: ends("stop", [], usage(17, 1)),
    length: ends("length", [text("Line", " 1")], usage(17, 2)),
    broken: fails(
      { code: "context_length_exceeded", retryable: false },
      { events: text("The") },
    ),
    // An SSE field nobody knows, and then the end.
    "broken-old": fails(
      { code: "upstream_truncated", retryable: true },
      { events: text("The") },
    ),
    "error-loading": fails(
      { code: "upstream_unavailable", retryable: true, cause: "Loading model" },
      { requests: 3 },
    ),
    "error-context": refused("context_length_exceeded"),
    "error-auth": refused("upstream_auth"),
  },
};

export const LOCAL = [ollama, vllm, llamacpp];
