/**
 * A run's tape as server-sent events: one frame per committed entry, pulled by
 * the reader's own pace.
 *
 * The stream is pulled, never pushed: at most one chunk waits per connection, so
 * a reader that stops reading costs nothing and slows nobody (DN4, case R19).
 *
 * @module
 */
import { frameId } from "../chat/ids.ts";
import { isTerminal, type RunEvent } from "../chat/events.ts";
import { mergeDeltas } from "../chat/merge.ts";
import type { Entry, TapeReader } from "../runs/mod.ts";

/** Characters handed to a connection at a time: about one frame (2.5). */
const CHUNK = 16 * 1024;
/** From this backlog on, neighbouring deltas are merged (protocol 2.4). */
const LAGGING = 32;
/** How long a reader may refuse to take anything before it is let go. */
const STALLED_MS = 60_000;

const encoder = new TextEncoder();

/** How entries become text. One instance per connection; may keep state. */
export interface FrameFormat {
  readonly headers: Record<string, string>;
  /** Sent before anything else. */
  readonly opening: string;
  /** The frame of one entry, or "" for nothing. */
  frame(run: string, entry: Entry): string;
  /** Sent after the terminal. */
  readonly closing: string;
  /** Sent when nothing happened for a while. */
  readonly beat: string;
}

/** The frames of protocol 2.2: JSON events with ids. */
export function eventFrames(
  options: { resync: boolean; dataBeat: boolean },
): FrameFormat {
  const resync =
    `data: {"type":"data-resync","data":{"reason":"cursor"},"transient":true}\n\n`;
  return {
    headers: { "x-vercel-ai-ui-message-stream": "v1" },
    opening: `retry: 1000\n\n${options.resync ? resync : ""}`,
    frame: (run, entry) =>
      `id: ${frameId(run, entry)}\ndata: ${entry.json}\n\n`,
    closing: "data: [DONE]\n\n",
    beat: options.dataBeat
      ? `data: {"type":"data-hb","data":{},"transient":true}\n\n`
      : ": hb\n\n",
  };
}

/** The headers every event stream carries (protocol 2.4). */
export const STREAM_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-store, no-transform",
  "x-accel-buffering": "no",
};

/**
 * The response that reads `reader` to its end. Closing the connection closes the
 * reader, never the run (decision 1).
 */
export function streamResponse(
  reader: TapeReader,
  format: FrameFormat,
): Response {
  let opened = false;
  let queue: Entry[] = [];
  let stalled: ReturnType<typeof setTimeout> | undefined;

  const stop = () => {
    clearTimeout(stalled);
    reader.close();
  };

  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      clearTimeout(stalled);
      let text = "";
      if (!opened) {
        opened = true;
        text = format.opening;
      }
      while (text === "" || queue.length > 0) {
        if (queue.length === 0) {
          const pulled = await reader.pull();
          if (pulled.kind === "over" || pulled.kind === "leave") {
            if (pulled.kind === "leave") {
              // Spread out, so that a restart is no stampede (case D03).
              controller.enqueue(
                encoder.encode(`retry: ${250 + jitter(750)}\n\n`),
              );
            }
            controller.close();
            return stop();
          }
          if (pulled.kind === "beat") text += format.beat;
          else queue = lighten(pulled.entries);
        }
        while (queue.length > 0 && text.length < CHUNK) {
          const entry = queue.shift()!;
          text += format.frame(reader.run, entry);
          if (isTerminal(entry.event)) text += format.closing;
        }
        if (text.length >= CHUNK) break;
      }
      controller.enqueue(encoder.encode(text));
      stalled = setTimeout(() => {
        controller.error(new Error("The reader takes nothing"));
        reader.close();
      }, STALLED_MS);
    },
    cancel: stop,
  }, { highWaterMark: 0 });

  return new Response(body, {
    headers: {
      ...STREAM_HEADERS,
      "x-run-id": reader.run,
      ...format.headers,
    },
  });
}

/** Merges the deltas of a long backlog; a short one passes as committed. */
function lighten(entries: Entry[]): Entry[] {
  if (entries.length <= LAGGING) return entries;
  const light: Entry[] = [];
  let event: RunEvent | null = null;
  for (const entry of entries) {
    const merged: RunEvent | null =
      event === null || light.at(-1)!.epoch !== entry.epoch
        ? null
        : mergeDeltas(event, entry.event);
    event = merged ?? entry.event;
    if (merged === null) light.push(entry);
    else {
      light[light.length - 1] = {
        epoch: entry.epoch,
        seq: entry.seq,
        event: merged,
        json: "",
      };
    }
  }
  for (const entry of light) entry.json ||= JSON.stringify(entry.event);
  return light;
}

function jitter(ms: number): number {
  return Math.floor(Math.random() * ms);
}
