/**
 * The agent's loop: ask the model, run the tools it calls, give the results
 * back, until it has said all it wants to say or has to wait for a person. Knows
 * no HTTP, no storage and no screen; what happens is told to `emit`, in order.
 *
 * @module
 */
import type {
  AgentEvent,
  Approval,
  FinishReason,
  Usage,
} from "../chat/events.ts";
import { addUsage, estimateTokens } from "../chat/usage.ts";
import {
  type CallOptions,
  type OpenCall,
  type Outcome,
  resumeCalls,
  startCalls,
} from "./calls.ts";
import {
  type Carry,
  type Model,
  ModelError,
  type ModelMessage,
  type ModelTurn,
  type ToolCall,
} from "./contracts.ts";
import { argumentsOf } from "./history.ts";
import { type Saying, Voice } from "./voice.ts";

export interface AgentOptions extends CallOptions {
  model: Model;
  /** System, history, the question, and what this run has done so far. Not changed. */
  messages: ModelMessage[];
  temperature: number;
  /** Model calls in all after which a person is asked whether to go on. */
  maxSteps: number;
  /** Where a run begins that has been going on before. */
  before: Before;
  /** Keeps what the adapter wants back; gives it a name. */
  keepCarry: (carry: Carry) => Promise<string>;
}

/** What a run has done before this; nothing, for a fresh one. */
export interface Before {
  steps: number;
  usage: Usage;
  /** Text parts and call ids so far. */
  parts: number;
  calls: string[];
  /** The calls of the last step, if some have no result yet. */
  open: OpenCall[];
  /**
   * The open text of the last step, which broke off: the model is asked to go on
   * with it. `messages` end with what was said of it.
   */
  saying: Saying | null;
}

export type AgentResult =
  | {
    kind: "finished";
    finishReason: FinishReason;
    usage: Usage;
    steps: number;
  }
  /** Nothing goes on until a person has answered one of these. */
  | { kind: "waiting"; questions: Approval[] };

/** What the model is told that goes on with a text. Never shown, never kept. */
const GO_ON: ModelMessage = {
  role: "user",
  text: "Your answer above broke off. Go on exactly where it ends, in the " +
    "middle of a word if need be. Say nothing of it again, and nothing about " +
    "the interruption.",
};

/** Steps in a row whose calls all had unusable arguments (case U36). */
const MAX_BAD_STEPS = 2;

/**
 * Runs the agent to its end, or to where a person must say something.
 *
 * Parts that are open when this rejects are closed as far as it knows of them;
 * whoever keeps the log closes the rest, because after a crash nobody else could.
 *
 * @throws ModelError when the model fails, or will not stop and nobody can be
 * asked.
 * @throws signal.reason when stopped.
 */
export async function runAgent(options: AgentOptions): Promise<AgentResult> {
  const { model, toolbox, emit, signal, repeats, before } = options;
  const messages = [...options.messages];
  const voice = new Voice(emit, before);
  let { usage, steps } = before;
  let badSteps = 0;
  let { saying } = before;

  /** Gives the results to the model, or says who must be waited for. */
  const take = (calls: { id: string }[], outcomes: Outcome[]) => {
    const questions = outcomes.flatMap((o) =>
      o.kind === "waiting" ? [o.question] : []
    );
    if (questions.length > 0) return questions;
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.kind !== "answered") continue;
      const { text } = outcome;
      messages.push({ role: "tool", toolCallId: calls[i]!.id, text });
    }
    return null;
  };

  if (before.open.length > 0) {
    const questions = take(
      before.open,
      await resumeCalls(before.open, options),
    );
    if (questions !== null) return { kind: "waiting", questions };
  }

  while (true) {
    const limit = repeats.looping
      ? "loop"
      : steps >= options.maxSteps
      ? "steps"
      : null;
    if (saying === null) {
      if (limit !== null) return pause(limit, steps, options);
      steps++;
      emit({ type: "start-step" });
    }
    let turn: ModelTurn;
    try {
      turn = await model.stream(
        {
          messages: saying === null ? messages : [...messages, GO_ON],
          tools: toolbox.specs,
          temperature: options.temperature,
        },
        voice.hear,
        signal,
      );
      signal.throwIfAborted();
    } catch (error) {
      voice.abandon();
      const heard = voice.heard();
      emit(
        heard === "" && !signal.aborted ? { type: "finish-step" } : {
          type: "finish-step",
          usage: estimate(messages, heard),
        },
      );
      throw error;
    }
    const text = voice.pause();
    const heard = voice.heard();
    const used = turn.usage ?? estimate(messages, heard);
    usage = addUsage(usage, used);
    const carry = turn.carry === undefined
      ? {}
      : { carry: await options.keepCarry(turn.carry) };
    const end = () =>
      emit({
        type: "finish-step",
        usage: used,
        finishReason: turn.finishReason,
        ...carry,
      });

    const calls = turn.toolCalls.map((call) => voice.known(call));
    // Calls decide, not the reason; but one that was cut off is never run (U39).
    const cut = turn.finishReason === "length" ||
      turn.finishReason === "content-filter";
    if (calls.length === 0 || cut) {
      for (const call of calls) refuse(call, turn.finishReason, emit);
      end();
      const finishReason = turn.finishReason === "tool-calls"
        ? "stop"
        : turn.finishReason;
      return { kind: "finished", finishReason, usage, steps };
    }

    const prepared = calls.map((call) => ({ call, ...toolbox.prepare(call) }));
    // Its beginning is in there already; now it is told as one.
    const begun = saying === null ? null : takeLastStep(messages);
    saying = null;
    messages.push({
      role: "assistant",
      text: (begun?.text ?? "") + text,
      toolCalls: [
        ...begun?.toolCalls ?? [],
        ...prepared.map(({ call, input }) => ({
          ...call,
          arguments: argumentsOf(input),
        })),
      ],
      ...(turn.carry === undefined ? {} : { carry: turn.carry }),
    }, ...begun?.results ?? []);
    let outcomes: Outcome[];
    try {
      outcomes = await startCalls(prepared, options);
    } finally {
      // Also when stopped: what was spent is known. The results of calls that
      // wait for a person come behind it.
      end();
    }
    const questions = take(calls, outcomes);
    if (questions !== null) return { kind: "waiting", questions };
    const all = (kind: "badInput" | "repeat") =>
      outcomes.every((o) => o.kind === "answered" && o[kind]);
    repeats.step(all("repeat"));
    badSteps = all("badInput") ? badSteps + 1 : 0;
    if (badSteps > MAX_BAD_STEPS) {
      throw new ModelError(
        "upstream_malformed",
        "The model kept calling tools with arguments that cannot be read.",
        { retryable: true },
      );
    }
  }
}

/** Takes away what was said in the last step, and the results of its calls. */
function takeLastStep(messages: ModelMessage[]) {
  const at = messages.findLastIndex(({ role }) => role === "assistant");
  const [step, ...results] = messages.splice(at);
  return step?.role === "assistant" ? { ...step, results } : null;
}

/** Asks whether to go on; where nobody can be asked, that is the end (U40). */
function pause(
  reason: "steps" | "loop",
  steps: number,
  { trust, ask, emit }: AgentOptions,
): AgentResult {
  if (!trust.attended) throw outOfSteps(reason, steps);
  const question = ask({
    reason,
    toolCallId: null,
    hash: "",
    pin: "",
    chatWide: false,
  });
  emit({ type: "data-approval", data: question, transient: true });
  return { kind: "waiting", questions: [question] };
}

/** How a run ends that may not go on. */
export function outOfSteps(
  reason: "steps" | "loop",
  steps: number,
): ModelError {
  return new ModelError(
    "max_steps",
    reason === "loop"
      ? `The agent was stopped after ${steps} steps: it kept repeating the same calls.`
      : `The agent used all of its ${steps} steps without finishing.`,
    { retryable: true },
  );
}

function estimate(messages: ModelMessage[], heard: string): Usage {
  const input = messages.reduce((sum, message) => {
    const calls = message.role === "assistant" ? message.toolCalls : [];
    return calls.reduce(
      (part, call) => part + estimateTokens(call.name + call.arguments),
      sum + estimateTokens(message.text),
    );
  }, 0);
  const output = estimateTokens(heard);
  return { input, output, total: input + output, estimated: true };
}

function refuse(
  call: ToolCall,
  reason: FinishReason,
  emit: (event: AgentEvent) => void,
): void {
  emit({
    type: "tool-input-error",
    toolCallId: call.id,
    toolName: call.name,
    input: call.arguments.slice(0, 2_000),
    errorText: `Not run: the model's answer was cut off (${reason}).`,
    dynamic: true,
    providerExecuted: true,
  });
}
