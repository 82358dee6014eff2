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
import type { Entry, Pulled, TapeReader } from "../runs/mod.ts";

/** Characters handed to a connection at a time: about one frame (2.5). */
const CHUNK = 16 * 1024;
/** From this backlog on, neighbouring deltas are merged (protocol 2.4). */
const LAGGING = 32;

const encoder = new TextEncoder();

/** How entries become text. One instance per connection; may keep state. */
export interface FrameFormat {
  readonly headers: Record<string, string>;
  /** Sent before anything else. */
  readonly opening: string;
  /** The frame of one entry, or "" for nothing. */
  frame(run: string, entry: Entry): string;
  /**
   * Frames depend on nothing but the entry: readers may share their bytes, and
   * those of neighbours may be merged.
   */
  readonly shared: boolean;
  /** Sent after the terminal. */
  readonly closing: string;
  /** Sent when nothing happened for a while. */
  readonly beat: string;
  /**
   * Sent when this process lets its readers go, to clients that would take the
   * end of the stream for the end of the answer. Others are told to come back.
   */
  readonly leaving?: string;
}

/** The frames of protocol 2.2: JSON events with ids. */
export function eventFrames(
  options: { resync: boolean; dataBeat: boolean },
): FrameFormat {
  const resync =
    `data: {"type":"data-resync","data":{"reason":"cursor"},"transient":true}\n\n`;
  return {
    headers: { "x-vercel-ai-ui-message-stream": "v1" },
    shared: true,
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
 *
 * @param onLeft Told when the client is gone, or reads no more, before the end.
 */
export function streamResponse(
  reader: TapeReader,
  format: FrameFormat,
  onLeft: () => void = () => {},
): Response {
  let opened = false;
  let queue: Entry[] = [];
  type Controller = ReadableStreamDefaultController<Uint8Array>;

  /** Sends what was pulled, or pulls on where there is nothing to say of it. */
  function send(controller: Controller, pulled: Pulled): void | Promise<void> {
    switch (pulled.kind) {
      case "over":
        controller.close();
        return reader.close();
      case "leave":
        // Spread out, so that a restart is no stampede (case D03).
        controller.enqueue(
          encoder.encode(
            format.leaving ?? `retry: ${250 + jitter(750)}\n\n`,
          ),
        );
        controller.close();
        return reader.close();
      case "beat":
        return controller.enqueue(encoder.encode(format.beat));
      case "entries":
        queue = format.shared ? lighten(pulled.entries) : pulled.entries;
        return flush(controller);
    }
  }

  function textOf(entry: Entry): string {
    const text = format.frame(reader.run, entry);
    return isTerminal(entry.event) ? text + format.closing : text;
  }

  function flush(controller: Controller): void | Promise<void> {
    if (queue.length === 1 && format.shared) {
      const entry = queue.pop()!;
      entry.frame ??= encoder.encode(textOf(entry));
      return controller.enqueue(entry.frame);
    }
    let text = "";
    let taken = 0;
    while (taken < queue.length && text.length < CHUNK) {
      text += textOf(queue[taken++]!);
    }
    queue = queue.slice(taken);
    if (text !== "") return controller.enqueue(encoder.encode(text));
    return next(controller);
  }

  function next(controller: Controller): void | Promise<void> {
    if (queue.length > 0) return flush(controller);
    const pulled = reader.pull();
    return pulled instanceof Promise
      ? pulled.then((later) => send(controller, later))
      : send(controller, pulled);
  }

  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      reader.onStalled = () => {
        // Deno keeps the stream until the socket can be written again.
        queue = [];
        controller.error(new Error("Reader stalled"));
        onLeft();
      };
    },
    pull(controller) {
      if (opened) return next(controller);
      opened = true;
      controller.enqueue(encoder.encode(format.opening));
    },
    cancel() {
      reader.close();
      onLeft();
    },
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
