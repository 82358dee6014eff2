/**
 * What the person says to the agent's questions: on its way, or why it did not
 * count. The decision itself comes back over the tape, in every tab (T04).
 *
 * @module
 */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Say } from "../chat/views.ts";
import type { Api } from "./api.ts";

/** Why an answer did not count. */
export type LateAnswer =
  | "already_answered"
  | "run_over"
  | "expired"
  | "gone"
  | "signIn"
  | "failed";

/** Null until the person says something. */
export type Saying =
  | { kind: "sending"; say: Say }
  | { kind: "late"; why: LateAnswer }
  | null;

export interface Questions {
  /** How the answer to this question is doing. */
  saying(id: string): ReadonlySignal<Saying>;
  /** Answers a question; does nothing while an answer is on its way. */
  say(run: string, id: string, what: Say): Promise<void>;
}

const CONFLICTS: string[] = [
  "already_answered",
  "run_over",
  "expired",
] satisfies LateAnswer[];

export function createQuestions(api: Api): Questions {
  const sayings = new Map<string, Signal<Saying>>();
  const of = (id: string) => {
    const saying = sayings.get(id) ?? signal<Saying>(null);
    sayings.set(id, saying);
    return saying;
  };
  return {
    saying: of,
    async say(run, id, say) {
      const saying = of(id);
      if (saying.peek()?.kind === "sending") return;
      saying.value = { kind: "sending", say };
      const result = await api.decide(run, id, say);
      // Accepted: it stays on its way until the tape brings the decision.
      if (result.ok) return;
      saying.value = { kind: "late", why: reason(result.status, result.code) };
    },
  };
}

function reason(status: number, code: string): LateAnswer {
  if (status === 401) return "signIn";
  if (status === 404) return "gone";
  return status === 409 && CONFLICTS.includes(code)
    ? code as LateAnswer
    : "failed";
}
