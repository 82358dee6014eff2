/**
 * A model that plays a script: one list of events per step. It records what it
 * was asked and complains about steps that were never played.
 */
import type {
  Model,
  ModelEvent,
  ModelRequest,
  ModelTurn,
} from "../../lib/agent/contracts.ts";

export interface Step {
  say?: ModelEvent[];
  turn?: Partial<ModelTurn>;
  /** Thrown after what was said. */
  fail?: unknown;
  /** Waits here, after what was said, until it resolves or the run is stopped. */
  hold?: Promise<void>;
}

export class ScriptedModel implements Model {
  readonly id = "scripted";
  readonly requests: ModelRequest[] = [];
  #steps: Step[];

  constructor(...steps: Step[]) {
    this.#steps = steps;
  }

  async stream(
    request: ModelRequest,
    emit: (event: ModelEvent) => void,
    signal: AbortSignal,
  ): Promise<ModelTurn> {
    this.requests.push(structuredClone(request));
    const step = this.#steps.shift();
    if (step === undefined) throw new Error("The script has no more steps");
    for (const event of step.say ?? []) emit(event);
    if (step.hold !== undefined) {
      const stopped = Promise.withResolvers<never>();
      const onAbort = () => stopped.reject(signal.reason);
      signal.addEventListener("abort", onAbort);
      try {
        if (signal.aborted) onAbort();
        await Promise.race([step.hold, stopped.promise]);
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    }
    await Promise.resolve();
    if (step.fail !== undefined) throw step.fail;
    return { finishReason: "stop", toolCalls: [], ...step.turn };
  }

  /** Throws if steps are left over. */
  assertPlayed(): void {
    if (this.#steps.length > 0) {
      throw new Error(`${this.#steps.length} steps were never played`);
    }
  }
}

/** A step that says text, cut into the given pieces. */
export function says(...deltas: string[]): Step {
  return { say: deltas.map((delta) => ({ type: "text", delta })) };
}

/** A step that calls tools. */
export function calls(
  ...toolCalls: { id: string; name: string; arguments: string }[]
): Step {
  return {
    say: toolCalls.flatMap(({ id, name, arguments: delta }) => [
      { type: "tool-call-start" as const, id, name },
      { type: "tool-call-delta" as const, id, delta },
    ]),
    turn: { finishReason: "tool-calls", toolCalls },
  };
}
