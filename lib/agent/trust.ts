/**
 * Which calls wait for a person, and whether what a person allowed is what is
 * about to be run.
 *
 * @module
 */
import type { Answer } from "../chat/answer.ts";
import type { Approval } from "../chat/events.ts";
import { hasSpoken } from "./history.ts";
import type { PreparedCall, Toolbox } from "./toolbox.ts";

/** What a run knows about whom it may believe. */
export interface Trust {
  /** Somebody can be asked. Programs that use the agent as an API cannot. */
  readonly attended: boolean;
  /** Pins of tools a person allowed for the whole chat. */
  readonly allowed: ReadonlySet<string>;
  /**
   * Where text of strangers came from that the model has read, this turn or
   * earlier in the chat. Grows while the run goes on.
   */
  readonly strangers: Set<string>;
}

type Ready = Extract<PreparedCall, { kind: "ready" }>;

/**
 * Why a call must wait for a person; null if it need not.
 *
 * Anything but a read asks (T01), unless the tool was allowed for the chat and
 * nobody but itself can have talked the model into the call. A read that carries
 * text out asks as soon as any stranger was heard (T08).
 */
export function reasonToAsk(
  { tool, pin }: Ready,
  trust: Trust,
): Approval["reason"] | null {
  if (tool.effect === "read") {
    return tool.outbound && trust.strangers.size > 0 ? "taint" : null;
  }
  if (!trust.allowed.has(pin)) return "effect";
  return heardOthers(tool, trust) ? "taint" : null;
}

/**
 * Whether "always in this chat" is worth offering: not where it would not hold
 * for the very next call, nor where what carries text out is asked every time.
 */
export function mayAllowChat({ tool }: Ready, trust: Trust): boolean {
  return !heardOthers(tool, trust);
}

function heardOthers(tool: Ready["tool"], trust: Trust): boolean {
  return [...trust.strangers].some((who) => who !== sourceOf(tool));
}

/** Whom the text of a tool is from, if strangers wrote it. */
export function strangerOf(tool: Ready["tool"]): string | null {
  return tool.untrusted ? sourceOf(tool) : null;
}

/** Whose text the model has read in an answer, beside people's and our own. */
export function strangersIn(answer: Answer, toolbox: Toolbox): string[] {
  return answer.parts.flatMap((part) => {
    if (part.kind !== "tool" || !hasSpoken(part)) return [];
    return toolbox.stranger(part.name) ?? [];
  });
}

/** Pins of the tools allowed "always in this chat" in an answer. */
export function allowedIn(answer: Answer): string[] {
  return answer.parts.flatMap((part) =>
    part.kind === "tool" && part.approval?.decision === "chat"
      ? part.approval.pin
      : []
  );
}

function sourceOf(tool: Ready["tool"]): string {
  return tool.source ?? tool.name;
}
