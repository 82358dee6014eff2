/**
 * Merging neighbouring deltas: what the writer does before an entry is
 * committed, and what a reader that lags behind gets instead of many small
 * frames (protocol 2.4: the first `off`, the last id).
 *
 * @module
 */
import { isDelta, type RunEvent } from "./events.ts";

/**
 * Longest delta in UTF-16 units. One unit takes at most six bytes as JSON, so a
 * frame stays below 32 KiB whatever the text (protocol 2.2).
 */
export const MAX_DELTA = 5_000;

/** Both deltas as one event, or null where they cannot be one. */
export function mergeDeltas(a: RunEvent, b: RunEvent): RunEvent | null {
  if (a.type !== b.type || !isDelta(a) || !isDelta(b)) return null;
  if (a.type === "tool-input-delta") {
    if (b.type !== "tool-input-delta" || a.toolCallId !== b.toolCallId) {
      return null;
    }
    const inputTextDelta = a.inputTextDelta + b.inputTextDelta;
    if (inputTextDelta.length > MAX_DELTA) return null;
    return { ...a, inputTextDelta };
  }
  if (b.type === "tool-input-delta" || a.id !== b.id) return null;
  const delta = a.delta + b.delta;
  return delta.length > MAX_DELTA ? null : { ...a, delta };
}

/** Cuts a delta that is too long for one frame into several; others pass. */
export function splitDelta(event: RunEvent): RunEvent[] {
  if (!isDelta(event)) return [event];
  const text = event.type === "tool-input-delta"
    ? event.inputTextDelta
    : event.delta;
  if (text.length <= MAX_DELTA) return [event];
  const pieces: RunEvent[] = [];
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + MAX_DELTA, text.length);
    // A surrogate pair must not be split between two frames (protocol 2.2).
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end--;
    pieces.push(withText(event, text.slice(at, end), event.off + at));
    at = end;
  }
  return pieces;
}

/**
 * Holds back a trailing high surrogate: `[what may go now, what must wait]`.
 * The other half comes with the next delta (protocol 2.2, case P15).
 */
export function holdSurrogate(event: RunEvent): [RunEvent, RunEvent | null] {
  if (!isDelta(event)) return [event, null];
  const text = event.type === "tool-input-delta"
    ? event.inputTextDelta
    : event.delta;
  const last = text.length - 1;
  if (last < 0 || !isHighSurrogate(text.charCodeAt(last))) return [event, null];
  return [
    withText(event, text.slice(0, last), event.off),
    withText(event, text.slice(last), event.off + last),
  ];
}

function withText(
  event: Extract<RunEvent, { off: number }>,
  text: string,
  off: number,
): RunEvent {
  return event.type === "tool-input-delta"
    ? { ...event, inputTextDelta: text, off }
    : { ...event, delta: text, off };
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
