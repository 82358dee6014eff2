/**
 * What the events of a Responses stream mean: `response.*` events in,
 * {@linkcode ModelEvent}s and a {@linkcode ModelTurn} out. Pure; knows no socket
 * and no clock.
 *
 * An answer is a row of items (message, reasoning, function call) that grow by
 * deltas. An item's last event holds it whole, and says what its deltas left out.
 *
 * @module
 */
import type { ModelTurn } from "../agent/contracts.ts";
import { answerReader, type Loose, readUsage } from "./answer.ts";
import { callAssembler } from "./assemble.ts";
import type { AnswerReader, Ended, ReaderOptions } from "./dialect.ts";
import { carryOf, type HeardItem } from "./responses_carry.ts";
import { reportedFailure } from "./upstream_errors.ts";

/** One item of the answer, as far as it got. */
interface Item extends HeardItem {
  /** Place in the answer; also names the call to the assembler. */
  slot: number;
  /** The kind of thoughts it tells, if it tells any. */
  thoughts?: "summary" | "text";
}

/** A reader of the events that `POST /responses` streams. */
export function responseReader(options: ReaderOptions): AnswerReader {
  const { emit, redact } = options;
  const calls = callAssembler(options);
  const items: Item[] = [];
  const byId = new Map<string, Item>();
  const byIndex = new Map<number, Item>();
  /** What was heard last, to tell where a new paragraph of thoughts begins. */
  let last = "";
  let ended: Ended = "no";
  let response: Loose;
  let cut: "length" | "content-filter" | undefined;
  let refused = false;

  function hear(event: Loose): boolean {
    const { type } = event;
    if (typeof type !== "string") return false;
    switch (type) {
      case "response.output_item.added":
        begin(event);
        break;
      case "response.output_text.delta":
        speak(itemOf(event, "message"), event.delta);
        break;
      case "response.refusal.delta":
        refused = true;
        speak(itemOf(event, "message"), event.delta);
        break;
      case "response.reasoning_summary_text.delta":
        think(itemOf(event, "reasoning"), "summary", event);
        break;
      case "response.reasoning_text.delta":
        think(itemOf(event, "reasoning"), "text", event);
        break;
      case "response.function_call_arguments.delta":
        grow(itemOf(event, "function_call"), event.delta);
        break;
      case "response.function_call_arguments.done":
        complete(itemOf(event, "function_call"), event.arguments, grow);
        break;
      case "response.output_item.done":
        end(event);
        break;
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        finish(type.slice("response.".length), event.response);
        break;
      case "error":
        throw reportedFailure("upstream_error", event, redact);
    }
    // `keepalive` is part of a numbered stream, a `ping` of some proxy is not.
    return type.startsWith("response.") ||
      typeof event.sequence_number === "number";
  }

  function open(kind: string, id: unknown, index: unknown): Item {
    const item: Item = { kind, slot: items.length, said: "" };
    items.push(item);
    if (typeof id === "string" && id !== "") byId.set(id, item);
    if (Number.isInteger(index)) byIndex.set(index as number, item);
    return item;
  }

  /**
   * An item heard of before. Proxies give an item a new id with each event, or
   * all items one index, or leave out both.
   */
  function find(id: Loose, index: Loose, kind: string): Item | undefined {
    const nameless = id === undefined && index === undefined;
    const known = byId.get(id) ?? byIndex.get(index) ??
      (nameless ? items.at(-1) : undefined);
    return known?.kind === kind ? known : undefined;
  }

  /** The item a delta belongs to, though nobody may have announced it. */
  function itemOf(event: Loose, kind: string): Item {
    const { item_id: id, output_index: index } = event;
    return find(id, index, kind) ?? open(kind, id, index);
  }

  function begin({ item, output_index: index }: Loose) {
    if (typeof item?.type !== "string") return;
    const made = byId.get(item.id) ?? open(item.type, item.id, index);
    if (made.kind === "function_call") announce(made, item);
  }

  /** The item is whole: what its deltas did not say is said now. */
  function end({ item, output_index: index }: Loose) {
    if (typeof item?.type !== "string") return;
    const known = find(item.id ?? item.call_id, index, item.type);
    const before = known?.whole;
    if (before !== undefined && before.id === item.id) return;
    const made = known === undefined || before !== undefined
      ? open(item.type, item.id, index)
      : known;
    made.whole = item;
    if (made.kind === "function_call") {
      announce(made, item);
      complete(made, item.arguments, grow);
    } else if (made.kind === "message") {
      const parts = listOf(item.content);
      if (parts.some((part) => part?.type === "refusal")) refused = true;
      complete(
        made,
        parts.map((part) => part?.text ?? part?.refusal ?? "").join(""),
        speak,
      );
    } else if (made.kind === "reasoning") {
      const of = made.thoughts ??
        (listOf(item.summary).length > 0 ? "summary" : "text");
      const parts = listOf(of === "summary" ? item.summary : item.content);
      complete(
        made,
        parts.map((part) => part?.text ?? "").join("\n\n"),
        (item, delta) => think(item, of, { delta }),
      );
    }
  }

  function announce(item: Item, { call_id, id, name }: Loose) {
    calls.add({ index: item.slot, id: call_id || id, function: { name } });
    if (call_id) byId.set(call_id, item);
    last = "";
  }

  /** Says the rest of `whole`, unless it is another text than was heard. */
  function complete(
    item: Item,
    whole: unknown,
    say: (item: Item, delta: string) => void,
  ) {
    if (typeof whole !== "string" || !whole.startsWith(item.said)) return;
    say(item, whole.slice(item.said.length));
  }

  function grow(item: Item, delta: unknown) {
    if (typeof delta !== "string" || delta === "") return;
    item.said += delta;
    calls.add({ index: item.slot, function: { arguments: delta } });
  }

  function speak(item: Item, delta: unknown) {
    if (typeof delta !== "string" || delta === "") return;
    item.said += delta;
    last = "text";
    emit({ type: "text", delta });
  }

  function think(item: Item, thoughts: "summary" | "text", event: Loose) {
    const { delta } = event;
    if (typeof delta !== "string" || delta === "") return;
    // Some servers tell one thought both ways.
    if ((item.thoughts ??= thoughts) !== thoughts) return;
    const part = event.summary_index ?? event.content_index ?? "rest";
    const place = `thought ${item.slot}/${part}`;
    const continues = last === place || (part === "rest" && item.said !== "");
    if (last.startsWith("thought") && !continues) {
      emit({ type: "reasoning", delta: "\n\n" });
      if (item.said !== "") item.said += "\n\n";
    }
    item.said += delta;
    last = place;
    emit({ type: "reasoning", delta });
  }

  function finish(how: string, given: Loose) {
    response = given;
    // Some servers complete what they cut, and say so only in the status.
    const status = typeof given?.status === "string" ? given.status : how;
    if (how === "failed" || status === "failed") {
      throw reportedFailure("upstream_error", given?.error ?? "", redact);
    }
    if (items.length === 0) {
      // Everything is said at once.
      listOf(given?.output).forEach((item, output_index) =>
        end({ item, output_index })
      );
    }
    if (how === "incomplete" || status === "incomplete") {
      cut = given?.incomplete_details?.reason === "content_filter"
        ? "content-filter"
        : "length";
    }
    ended = "done";
  }

  function turn(): ModelTurn {
    const { usage } = response ?? {};
    const reported = readUsage({
      input: usage?.input_tokens,
      output: usage?.output_tokens,
      reasoning: usage?.output_tokens_details?.reasoning_tokens,
      cached: usage?.input_tokens_details?.cached_tokens,
      total: usage?.total_tokens,
    });
    const rest = reported === undefined ? {} : { usage: reported };
    // Calls of an answer that was cut are not to be run (U39); whoever heard them
    // begin must hear of their end.
    if (cut) return { finishReason: cut, toolCalls: calls.cut(), ...rest };
    const toolCalls = calls.finish();
    const carry = carryOf(options.model, items);
    return {
      finishReason: toolCalls.length > 0
        ? "tool-calls"
        // Shown as text; this is how it is told from an answer (U24).
        : refused
        ? "content-filter"
        : "stop",
      toolCalls,
      ...rest,
      ...(carry === undefined ? {} : { carry }),
    };
  }

  return answerReader({
    speaks: (type) =>
      type.startsWith("response.") || type === "message" ||
      type === "keepalive",
    hear,
    late: () => false,
    get ended() {
      return ended;
    },
    endsWithDone: false,
    turn,
  }, options);
}

const listOf = (value: Loose): Loose[] => Array.isArray(value) ? value : [];
