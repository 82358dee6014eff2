/**
 * The agent's loop: ask the model, run the tools it calls, give the results
 * back, until it has said all it wants to say. Knows no HTTP, no storage and no
 * screen; what happens is told to `emit`, in order.
 *
 * @module
 */
import type { AgentEvent, FinishReason, Usage } from "../chat/events.ts";
import {
  type Model,
  ModelError,
  type ModelEvent,
  type ModelMessage,
  type ToolCall,
} from "./contracts.ts";
import { argumentsOf } from "./history.ts";
import type { PreparedCall, Toolbox } from "./toolbox.ts";

export interface AgentOptions {
  model: Model;
  toolbox: Toolbox;
  /** System, history and the new question. Not changed. */
  messages: ModelMessage[];
  temperature: number;
  emit: (event: AgentEvent) => void;
  /** Stop: aborts the model's socket and every tool. */
  signal: AbortSignal;
  /** Model calls before the run gives up (protocol 2.5: 25). */
  maxSteps: number;
  /** Keeps a tool's answer that is too long for the log; says where it is. */
  keep: (text: string) => Promise<string>;
}

export interface AgentResult {
  finishReason: FinishReason;
  usage: Usage;
  steps: number;
}

/** Steps in a row whose calls all had unusable arguments (case U36). */
const MAX_BAD_STEPS = 2;

/**
 * Runs the agent to its end.
 *
 * Parts that are open when this rejects stay open; whoever keeps the log closes
 * them, because after a crash nobody else could.
 *
 * @throws ModelError when the model fails or will not stop calling tools.
 * @throws signal.reason when stopped.
 */
export async function runAgent(options: AgentOptions): Promise<AgentResult> {
  const { model, toolbox, emit, signal } = options;
  const messages = [...options.messages];
  const voice = new Voice(emit);
  let usage: Usage = { input: 0, output: 0, total: 0 };
  let badSteps = 0;

  for (let steps = 1; steps <= options.maxSteps; steps++) {
    emit({ type: "start-step" });
    const turn = await model.stream(
      { messages, tools: toolbox.specs, temperature: options.temperature },
      voice.hear,
      signal,
    );
    signal.throwIfAborted();
    const text = voice.pause();
    if (turn.usage !== undefined) usage = add(usage, turn.usage);
    const end = () =>
      emit({
        type: "finish-step",
        usage: turn.usage,
        finishReason: turn.finishReason,
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
      return { finishReason, usage, steps };
    }

    const prepared = calls.map((call) => ({ call, ...toolbox.prepare(call) }));
    messages.push({
      role: "assistant",
      text,
      toolCalls: prepared.map(({ call, input }) => ({
        ...call,
        arguments: argumentsOf(input),
      })),
    });
    const answers = await runCalls(prepared, options);
    end();
    for (const [i, call] of calls.entries()) {
      messages.push({
        role: "tool",
        toolCallId: call.id,
        text: answers[i]!.text,
      });
    }
    badSteps = answers.every((a) => a.badInput) ? badSteps + 1 : 0;
    if (badSteps > MAX_BAD_STEPS) {
      throw new ModelError(
        "upstream_malformed",
        "The model kept calling tools with arguments that cannot be read.",
        { retryable: true },
      );
    }
  }
  throw new ModelError(
    "max_steps",
    `The agent used all of its ${options.maxSteps} steps without finishing.`,
    { retryable: true },
  );
}

/** Runs all calls at once; answers come back in call order (case U30). */
function runCalls(
  calls: (PreparedCall & { call: ToolCall })[],
  { emit, signal, keep }: AgentOptions,
): Promise<{ text: string; badInput: boolean }[]> {
  return Promise.all(calls.map(async (prepared) => {
    const server = { dynamic: true, providerExecuted: true } as const;
    const { id: toolCallId, name: toolName } = prepared.call;
    const { input } = prepared;
    if (prepared.kind === "bad-input") {
      const { errorText } = prepared;
      emit({
        type: "tool-input-error",
        toolCallId,
        toolName,
        input,
        errorText,
        ...server,
      });
      return { text: errorText, badInput: true };
    }
    emit({
      type: "tool-input-available",
      toolCallId,
      toolName,
      input,
      ...server,
    });
    const began = performance.now();
    const ms = () => Math.round(performance.now() - began);
    const fail = (errorText: string) => {
      emit({
        type: "tool-output-error",
        toolCallId,
        errorText,
        ms: ms(),
        ...server,
      });
      return { text: errorText, badInput: false };
    };
    if (prepared.kind === "unknown") return fail(prepared.errorText);
    try {
      const { output, whole } = await prepared.run(signal);
      signal.throwIfAborted();
      if (whole !== null) {
        output.ref = await keep(whole);
        output.bytes = new TextEncoder().encode(whole).length;
      }
      emit({
        type: "tool-output-available",
        toolCallId,
        output,
        ms: ms(),
        ...server,
      });
      return { text: output.text, badInput: false };
    } catch (error) {
      signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      return fail(`The tool failed: ${reason.slice(0, 2_000)}`);
    }
  }));
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

/**
 * Turns what the model says into parts: opens and closes them, counts offsets,
 * and keeps call ids unique in the run (providers repeat them between steps).
 */
class Voice {
  #emit: (event: AgentEvent) => void;
  #open: { kind: "text" | "reasoning"; id: string; length: number } | null =
    null;
  #count = 0;
  #stepText = "";
  #used = new Set<string>();
  /** This step's calls: the provider's id, ours, and how much was typed. */
  #calls = new Map<string, { id: string; length: number }>();

  constructor(emit: (event: AgentEvent) => void) {
    this.#emit = emit;
  }

  hear = (event: ModelEvent): void => {
    switch (event.type) {
      case "text":
      case "reasoning":
        return this.#say(event.type, event.delta);
      case "tool-call-start":
        this.#close();
        return this.#announce(event.id, event.name);
      case "tool-call-delta": {
        const call = this.#calls.get(event.id);
        if (call === undefined || event.delta === "") return;
        this.#emit({
          type: "tool-input-delta",
          toolCallId: call.id,
          off: call.length,
          inputTextDelta: event.delta,
        });
        call.length += event.delta.length;
        return;
      }
      case "retry":
        return this.#emit({
          type: "data-run",
          data: event.rateLimited
            ? {
              status: "waiting",
              attempt: event.attempt,
              retryAfterMs: event.afterMs,
            }
            : { status: "retrying", attempt: event.attempt },
          transient: true,
        });
    }
  };

  /** Ends the step's open part; returns the text said in this step. */
  pause(): string {
    this.#close();
    const text = this.#stepText;
    this.#stepText = "";
    return text;
  }

  /** The call under the id the log knows; announced now if it never was. */
  known(call: ToolCall): ToolCall {
    if (!this.#calls.has(call.id)) this.#announce(call.id, call.name);
    const { id } = this.#calls.get(call.id)!;
    this.#calls.delete(call.id);
    return { ...call, id };
  }

  #say(kind: "text" | "reasoning", delta: string): void {
    if (delta === "") return;
    if (this.#open?.kind !== kind) {
      this.#close();
      this.#open = { kind, id: `${kind[0]}${++this.#count}`, length: 0 };
      this.#emit({ type: `${kind}-start`, id: this.#open.id });
    }
    const { id, length } = this.#open;
    this.#emit({ type: `${kind}-delta`, id, off: length, delta });
    this.#open.length += delta.length;
    if (kind === "text") this.#stepText += delta;
  }

  #close(): void {
    if (this.#open === null) return;
    const { kind, id, length } = this.#open;
    this.#open = null;
    this.#emit({ type: `${kind}-end`, id, len: length });
  }

  #announce(providerId: string, toolName: string): void {
    let id = providerId;
    for (let n = 2; this.#used.has(id); n++) id = `${providerId}-${n}`;
    this.#used.add(id);
    this.#calls.set(providerId, { id, length: 0 });
    this.#emit({
      type: "tool-input-start",
      toolCallId: id,
      toolName,
      dynamic: true,
      providerExecuted: true,
    });
  }
}

function add(a: Usage, b: Usage): Usage {
  const sum: Usage = {
    input: a.input + b.input,
    output: a.output + b.output,
    total: a.total + b.total,
  };
  const reasoning = (a.reasoning ?? 0) + (b.reasoning ?? 0);
  const cached = (a.cached ?? 0) + (b.cached ?? 0);
  if (reasoning > 0) sum.reasoning = reasoning;
  if (cached > 0) sum.cached = cached;
  if (a.estimated || b.estimated) sum.estimated = true;
  return sum;
}
