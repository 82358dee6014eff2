/**
 * The typewriter: how much of an arrived text is shown. Apart from the fold, so
 * that what is known and what is shown never get mixed up.
 *
 * Text arrives in lumps (one per group commit) and is typed out evenly; every
 * character is shown at the latest {@linkcode LAG_MS} after it arrived, whatever
 * the pace. Replayed text is not typed, it is there.
 *
 * @module
 */
import { type Signal, signal } from "@preact/signals";
import type { Environment } from "./environment.ts";

/** The longest a character waits. Below the 300 ms of the goal by one slow frame. */
export const LAG_MS = 240;

/** One text being typed. */
export interface Typed {
  /** UTF-16 units to show, never between the halves of a surrogate pair. */
  readonly shown: Signal<number>;
  /** The text has grown (or, after a resync, shrunk) to `text`. */
  arrive(text: string, live: boolean): void;
}

export interface Typewriter {
  /** A text of which `text` is shown from the start. */
  type(text: string): Typed;
  /** Shows everything that has arrived. */
  flush(): void;
}

interface Line {
  text: string;
  /** Fractional, so that slow text moves evenly too. */
  at: number;
  shown: Signal<number>;
  /** What arrived and is not shown yet: lengths and deadlines, oldest first. */
  due: { length: number; by: number }[];
}

/** A typewriter over `env`'s frames. It asks for frames only while it types. */
export function createTypewriter(
  env: Pick<Environment, "now" | "frame" | "still">,
): Typewriter {
  const busy = new Set<Line>();
  let cancel: (() => void) | null = null;
  let last = 0;

  const show = (line: Line, at: number) => {
    line.at = at;
    line.shown.value = whole(line.text, Math.floor(at));
    if (line.shown.peek() >= line.text.length) {
      line.at = line.text.length;
      line.due.length = 0;
      busy.delete(line);
    }
  };

  const tick = () => {
    cancel = null;
    const now = env.now();
    const still = env.still();
    // A frame promises only that the next one comes about as late.
    const step = Math.min(Math.max(now - last, 4), 100);
    last = now;
    for (const line of [...busy]) {
      show(line, still ? line.text.length : advance(line, now, step));
    }
    if (busy.size > 0) cancel = env.frame(tick);
  };

  return {
    type(text) {
      const line: Line = {
        text,
        at: text.length,
        shown: signal(text.length),
        due: [],
      };
      return {
        shown: line.shown,
        arrive(text, live) {
          line.text = text;
          if (!live || env.still() || text.length <= line.at) {
            // After a resync the text may be shorter for a moment; what was
            // shown stays shown as soon as it is known again.
            if (!live || env.still()) line.at = Math.max(line.at, text.length);
            line.due.length = 0;
            busy.delete(line);
            line.shown.value = Math.min(Math.floor(line.at), text.length);
            return;
          }
          const now = env.now();
          line.due.push({ length: text.length, by: now + LAG_MS });
          busy.add(line);
          if (cancel === null) {
            last = now;
            cancel = env.frame(tick);
          }
        },
      };
    },
    flush() {
      cancel?.();
      cancel = null;
      for (const line of [...busy]) show(line, line.text.length);
    },
  };
}

/** Where `line` should be after a step: fast enough for its tightest deadline. */
function advance(line: Line, now: number, step: number): number {
  let pace = 0;
  while (line.due.length > 0 && line.due[0]!.length <= line.at) {
    line.due.shift();
  }
  for (const { length, by } of line.due) {
    // One frame early: what is set now is painted with the next frame.
    const left = by - now - step;
    if (left <= 0) return Math.max(length, line.at);
    pace = Math.max(pace, (length - line.at) / left);
  }
  return Math.min(line.text.length, line.at + pace * step);
}

/** `at`, or one more when it would cut a surrogate pair. */
function whole(text: string, at: number): number {
  const before = text.charCodeAt(at - 1);
  const after = text.charCodeAt(at);
  const cuts = before >= 0xd800 && before < 0xdc00 && after >= 0xdc00 &&
    after < 0xe000;
  return cuts ? at + 1 : at;
}
