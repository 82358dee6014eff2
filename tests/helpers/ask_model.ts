/**
 * Puts one question to a model and keeps all it says.
 *
 * @module
 */
import type {
  Model,
  ModelEvent,
  ModelRequest,
  ModelTurn,
} from "../../lib/agent/contracts.ts";
import { ModelError } from "../../lib/agent/contracts.ts";

/** What came of a question. */
export interface Said {
  events: ModelEvent[];
  text: string;
  reasoning: string;
  /** The arguments of each call as its deltas add up, by call id. */
  streamed: Record<string, string>;
  retries: (ModelEvent & { type: "retry" })[];
  /** Present if the step succeeded. */
  turn?: ModelTurn;
  /** Present if it failed. */
  error?: ModelError;
}

/** Options of {@linkcode ask}. */
export interface Asking extends Partial<ModelRequest> {
  signal?: AbortSignal;
  /** Hears every event as it comes. */
  heard?: (event: ModelEvent, soFar: ModelEvent[]) => void;
}

/**
 * One step.
 *
 * @throws what the model threw, unless it was a {@linkcode ModelError}, which
 * is returned.
 */
export async function ask(model: Model, asking: Asking = {}): Promise<Said> {
  const events: ModelEvent[] = [];
  const outcome: Pick<Said, "turn" | "error"> = {};
  try {
    outcome.turn = await model.stream(
      {
        messages: asking.messages ?? [{ role: "user", text: "Hello" }],
        tools: asking.tools ?? [],
        temperature: asking.temperature ?? 0,
      },
      (event) => {
        events.push(event);
        asking.heard?.(event, events);
      },
      asking.signal ?? new AbortController().signal,
    );
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    outcome.error = error;
  }
  const streamed: Record<string, string> = {};
  for (const event of events) {
    if (event.type === "tool-call-start") streamed[event.id] = "";
    if (event.type === "tool-call-delta") streamed[event.id] += event.delta;
  }
  const joined = (type: "text" | "reasoning") =>
    events.map((event) => event.type === type ? event.delta : "").join("");
  return {
    events,
    text: joined("text"),
    reasoning: joined("reasoning"),
    streamed,
    retries: events.filter((event) => event.type === "retry"),
    ...outcome,
  };
}
