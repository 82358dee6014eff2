/**
 * What the model says, as parts of an answer.
 *
 * @module
 */
import type { AgentEvent } from "../chat/events.ts";
import type { ModelEvent, ToolCall } from "./contracts.ts";
import { Seam } from "./seam.ts";

/** A text part that broke off and is gone on with. */
export interface Saying {
  id: string;
  text: string;
}

interface OpenPart {
  kind: "text" | "reasoning";
  id: string;
  length: number;
}

/**
 * Turns what the model says into parts: opens and closes them, counts offsets,
 * and keeps call ids unique in the run (providers repeat them between steps).
 */
export class Voice {
  #emit: (event: AgentEvent) => void;
  #open: OpenPart | null = null;
  /** The text that is gone on with, while the model still thinks. */
  #held: OpenPart | null = null;
  #seam: Seam | null = null;
  #count: number;
  #stepText = "";
  #heard = "";
  #used: Set<string>;
  /** This step's calls: the provider's id, ours, and how much was typed. */
  #calls = new Map<string, { id: string; length: number }>();

  /**
   * @param before How many parts the run has already, and the ids of its calls:
   * a run that goes on after a pause must not use one twice. `saying`: the open
   * part that the next words belong to.
   */
  constructor(
    emit: (event: AgentEvent) => void,
    { parts, calls, saying }: {
      parts: number;
      calls: string[];
      saying: Saying | null;
    },
  ) {
    this.#emit = emit;
    this.#count = parts;
    this.#used = new Set(calls);
    if (saying === null) return;
    const { id, text } = saying;
    this.#held = { kind: "text", id, length: text.length };
    this.#seam = new Seam(text);
  }

  hear = (event: ModelEvent): void => {
    switch (event.type) {
      case "text":
      case "reasoning":
        return this.#say(event.type, event.delta);
      case "tool-call-start":
        this.#closeAll();
        return this.#announce(event.id, event.name);
      case "tool-call-delta": {
        const call = this.#calls.get(event.id);
        if (call === undefined || event.delta === "") return;
        this.#heard += event.delta;
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

  /** Ends the step's open part; returns the text said in it here. */
  pause(): string {
    this.#closeAll();
    const text = this.#stepText;
    this.#stepText = "";
    return text;
  }

  /** Everything heard since the last call of this, for an estimate of tokens. */
  heard(): string {
    const heard = this.#heard;
    this.#heard = "";
    return heard;
  }

  /** The step will not go on: closes its part and the calls it had begun. */
  abandon(): void {
    this.#closeAll();
    for (const { id } of this.#calls.values()) {
      this.#emit({
        type: "tool-output-error",
        toolCallId: id,
        errorText: "aborted",
        ms: 0,
        dynamic: true,
        providerExecuted: true,
      });
    }
    this.#calls.clear();
  }

  /** The call under the id the log knows; announced now if it never was. */
  known(call: ToolCall): ToolCall {
    if (!this.#calls.has(call.id)) this.#announce(call.id, call.name);
    const { id } = this.#calls.get(call.id)!;
    this.#calls.delete(call.id);
    return { ...call, id };
  }

  #say(kind: "text" | "reasoning", words: string): void {
    this.#heard += words;
    const held = kind === "text" && this.#seam !== null;
    this.#show(kind, held ? this.#seam!.hear(words) : words);
  }

  #show(kind: OpenPart["kind"], delta: string): void {
    if (delta === "") return;
    if (this.#open?.kind !== kind) {
      this.#close();
      this.#open = this.#opened(kind);
    }
    const { id, length } = this.#open;
    this.#emit({ type: `${kind}-delta`, id, off: length, delta });
    this.#open.length += delta.length;
    if (kind === "text") this.#stepText += delta;
  }

  #opened(kind: OpenPart["kind"]): OpenPart {
    if (kind === "text" && this.#held !== null) {
      const held = this.#held;
      this.#held = null;
      return held;
    }
    const id = `${kind[0]}${++this.#count}`;
    this.#emit({ type: `${kind}-start`, id });
    return { kind, id, length: 0 };
  }

  /** Also what was gone on with, to which perhaps nothing was added. */
  #closeAll(): void {
    this.#show("text", this.#seam?.rest() ?? "");
    this.#seam = null;
    this.#close();
    this.#open = this.#held;
    this.#held = null;
    this.#close();
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
