/**
 * How each scenario plays.
 *
 * @module
 */
import { answer, type Conversation } from "./brain.ts";
import { conversationLanguage } from "./language.ts";
import {
  call,
  type Plan,
  type PlannedCall,
  type Refusal,
  say,
} from "./plan.ts";
import { PHRASES } from "./phrases.ts";
import { type Chosen, help, type Scenario } from "./scenarios.ts";
import { fragments } from "./typing.ts";
import { WireError } from "./wire.ts";

/** What `unicode` says, token by token (case E07 and worse). */
export const NASTY_TOKENS: readonly string[] = [
  "Hello",
  " world",
  "\n",
  "\n\n",
  "  ",
  "data: x",
  "\n",
  "👩",
  "\u200d",
  "👩",
  "\u200d👧",
  // A surrogate pair in two pieces: its high half must wait for the low one.
  "\ud83d",
  "\udc4d",
  "\n\n",
  "event: error\n",
  "id: 7\n\n",
  ": comment\n",
  "a\r\nb",
  "\r",
  "\n",
  "c\rd",
  "\u2028",
  "\u0085",
  "\ufeff",
  "e",
  "\u0301",
  " 中",
  "文",
  "：**",
  "“粗",
  "体”",
  "**。",
  "<script>alert(1)</script>",
  "</p>",
  "    ",
  "end",
];

/** The text `manyTokens` sends for `n` tokens. */
export function manyTokens(n: number): string[] {
  return Array.from({ length: n }, (_, i) => (i + 1) % 20 ? `${i} ` : `${i}\n`);
}

/** Plays scenarios; remembers whom `rateLimited` already turned away. */
export function createPlayer(): (
  chosen: Chosen,
  conversation: Conversation,
) => Plan | Refusal {
  const turnedAway = new Set<string>();
  /** True the first time a conversation comes, false the next, and so on. */
  function first(conversation: Conversation): boolean {
    const key = JSON.stringify(conversation.messages);
    if (turnedAway.delete(key)) return false;
    if (turnedAway.size > 100) turnedAway.clear();
    turnedAway.add(key);
    return true;
  }
  return ({ name, count }, conversation) => {
    const language = conversationLanguage(conversation.messages);
    const perform = Object.hasOwn(STAGE, name) ? STAGE[name as Scenario] : null;
    if (perform === null) return say(help(language));
    return perform({
      conversation,
      count,
      text: PHRASES[language].whatCanYouDo,
      first: () => first(conversation),
    });
  };
}

interface Scene {
  conversation: Conversation;
  count: number | undefined;
  text: string;
  first(): boolean;
}

const STAGE: Record<Scenario, (scene: Scene) => Plan | Refusal> = {
  plainText: ({ text }) => say(text),
  toolCall: (scene) => withTools(scene, sampleCalls(scene).slice(0, 1)),
  parallelTools: (scene) => withTools(scene, sampleCalls(scene)),
  reasoning: ({ text }) => say(text, { reasoning: say(`${REASONING}\n`).text }),
  slowStream: ({ text }) => say(text, { speed: 0.1 }),
  manyTokens: ({ count = 20_000 }) =>
    say(manyTokens(count), { speed: Infinity }),
  unicode: () => say([...NASTY_TOKENS]),
  stall: (scene) => broken("stall", scene),
  emptyStream: () => say([]),
  cut: (scene) => broken("cut", scene),
  truncated: (scene) => broken("truncated", scene),
  malformed: (scene) => broken("malformed", scene),
  length: ({ text }) => say(text, { finish: "length" }),
  contentFilter: ({ text }) => say(text, { finish: "content_filter" }),
  rateLimited: (scene) => scene.first() ? rateLimit() : say(scene.text),
  rateLimitedForever: () => rateLimit(),
  serverError: () =>
    refusal(500, "The server had an error while processing your request.", {
      type: "server_error",
    }),
  badKey: () =>
    refusal(401, `Incorrect API key provided: ${FAKE_KEY}.`, {
      code: "invalid_api_key",
    }),
  contextLength: () =>
    refusal(
      400,
      "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
      { code: "context_length_exceeded", param: "messages" },
    ),
  htmlPage: () => ({
    status: 200,
    headers: { "content-type": "text/html; charset=utf-8" },
    body:
      "<!doctype html><title>Sign in</title><h1>Sign in to the network</h1>",
  }),
  unknownTool: (scene) =>
    withTools(scene, [{
      name: "teleport",
      fragments: fragments(`{"to":"火车站"}`),
    }]),
  badArguments: (scene) =>
    withTools(
      scene,
      sampleCalls(scene).slice(0, 1).map(({ name }) => ({
        name,
        fragments: fragments(`{"action":"next_departures","stop":"火车`),
      })),
    ),
  hugeTool: (scene) =>
    withTools(
      scene,
      sampleCalls(scene).slice(0, 1).map(({ name }) => ({
        name,
        fragments: hugeArguments(),
      })),
      { speed: Infinity },
    ),
  loop: (scene) => {
    const calls = sampleCalls(scene).slice(0, 1);
    return calls.length > 0 ? call(calls) : withTools(scene, calls);
  },
};

/** Looks like a key, opens nothing; must never reach a page or a log (U06). */
export const FAKE_KEY = "sk-demo-0000-this-is-no-real-key-0000";
const REASONING =
  "The scenario asks for reasoning, so this comes first. It is shown apart from the answer and never mixed with it.";

function broken(
  kind: "stall" | "cut" | "truncated" | "malformed",
  { text, count = 5 }: Scene,
): Plan {
  return say(text, { fault: { kind, after: count } });
}

function refusal(
  status: number,
  message: string,
  options: WireError["options"],
): Refusal {
  return new WireError(status, message, options).refusal();
}

function rateLimit(): Refusal {
  return refusal(429, "Rate limit reached for requests. Try again in 1s.", {
    type: "requests",
    code: "rate_limit_exceeded",
    headers: { "retry-after": "1" },
  });
}

/** Calls the tools, and answers once they have answered. */
function withTools(
  { conversation }: Scene,
  calls: PlannedCall[],
  rest: Partial<Plan> = {},
): Plan {
  if (conversation.messages.at(-1)?.role === "tool") {
    return answer(conversation);
  }
  const language = conversationLanguage(conversation.messages);
  return calls.length > 0 ? call(calls, rest) : say(PHRASES[language].noTools);
}

const SAMPLES: Record<string, string> = {
  bus_schedule: `{"action":"next_departures","stop":"火车站"}`,
  current_time: "{}",
  calculator: `{"expression":"12*(3+4)"}`,
};

/** A call of each tool we know how to call; without one, of the first offered. */
function sampleCalls({ conversation: { tools } }: Scene): PlannedCall[] {
  const known = Object.keys(SAMPLES).filter((name) => tools.has(name));
  const names = known.length > 0 ? known : [...tools].slice(0, 1);
  return names.map((name) => ({
    name,
    fragments: fragments(SAMPLES[name] ?? "{}"),
  }));
}

function hugeArguments(): string[] {
  const piece = "x".repeat(16_384);
  return [
    `{"action":"find_stops","query":"`,
    ...Array.from({ length: 65 }, () => piece),
    `"}`,
  ];
}
