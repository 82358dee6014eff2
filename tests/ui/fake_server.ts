/**
 * The server's side of a page under test: runs with their logs, the API, and
 * faults on request.
 *
 * @module
 */
import type { LogEntry, RunEvent } from "../../lib/chat/events.ts";
import { frameId, parseFrameId } from "../../lib/chat/ids.ts";
import type {
  ChatSummary,
  ChatView,
  ModelsView,
} from "../../lib/chat/views.ts";
import { type Asked, FakeChats } from "./fake_chats.ts";
import { chatId, runId, startOf } from "./scripts.ts";

/** An answer the server gives, or the network's failure. */
export type Reply = Response | Promise<Response> | "network error";

export interface Heard {
  method: string;
  path: string;
  headers: Headers;
  body: Record<string, unknown> | null;
}

interface Reader {
  controller: ReadableStreamDefaultController<Uint8Array>;
  sent: number;
}

const encoder = new TextEncoder();

/** The server's side: runs with their logs, and faults on request. */
export class FakeServer {
  readonly heard: Heard[] = [];
  readonly logs = new Map<string, LogEntry[]>();
  /** Chats as a test wants them told; the others are told as they are. */
  readonly chats = new Map<string, ChatView>();
  readonly kept = new FakeChats();
  list: ChatSummary[] = [];
  models: ModelsView = { standard: "scripted", models: [] };
  /** Answers given instead of the usual ones, first come first served. */
  readonly replies: { path: RegExp; reply: Reply }[] = [];
  /** Turns the frames of one connection into others; faults live here. */
  twist: (frames: string[], connection: number) => string[] = (frames) =>
    frames;
  /** Runs to be begun, by idempotency key; made up as they are asked for. */
  readonly begun = new Map<string, { run: string; chat: string }>();
  /** How many connections to events were opened. */
  connections = 0;
  readonly #readers = new Map<string, Set<Reader>>();

  /** Requests to a path, in order. */
  to(path: RegExp): Heard[] {
    return this.heard.filter((request) => path.test(request.path));
  }

  async receive(path: string, init: RequestInit): Promise<Response> {
    await Promise.resolve();
    const request: Heard = {
      method: init.method ?? "GET",
      path,
      headers: new Headers(init.headers),
      body: typeof init.body === "string" ? JSON.parse(init.body) : null,
    };
    this.heard.push(request);
    const at = this.replies.findIndex((reply) => reply.path.test(path));
    if (at >= 0) {
      const { reply } = this.replies.splice(at, 1)[0]!;
      if (reply === "network error") throw new TypeError("Failed to fetch");
      return reply;
    }
    const run = /^\/api\/runs\/([^/]+)\/events$/.exec(path)?.[1];
    if (run !== undefined) return this.#events(run, request, init.signal);
    if (path === "/api/runs") return this.#ask(request);
    if (/^\/api\/runs\/[^/]+\/stop$/.test(path)) {
      return Response.json({ status: "stopping" }, { status: 202 });
    }
    if (/^\/api\/runs\/[^/]+\/approvals\/[^/]+$/.test(path)) {
      return Response.json({ status: "accepted" }, { status: 202 });
    }
    if (path === "/api/models") return Response.json(this.models);
    if (/^\/api\/chats\/[^/]+\/settings$/.test(path)) {
      return Response.json(request.body);
    }
    if (path === "/api/chats") return Response.json({ chats: this.list });
    return this.#chat(request);
  }

  /** Asks the next waiting message, as the server does after a complete answer. */
  next(chat: string): string {
    const { key, text } = this.kept.queue(chat).shift()!;
    return this.#begin(key ?? "", chat, { text });
  }

  /** Commits entries and tells the readers. */
  append(run: string, ...events: RunEvent[]): void {
    const log = this.logs.get(run) ?? [];
    this.logs.set(run, log);
    for (const event of events) {
      log.push({ epoch: 1, seq: log.length + 1, event });
    }
    for (const reader of this.#readers.get(run) ?? []) {
      for (; reader.sent < log.length; reader.sent++) {
        this.#send(reader.controller, frame(run, log[reader.sent]!));
      }
    }
  }

  /** Bytes of our own making to every reader of a run. */
  say(run: string, text: string): void {
    for (const { controller } of this.#readers.get(run) ?? []) {
      this.#send(controller, text);
    }
  }

  /** Ends the connections of a run: `error` breaks them, else a clean EOF. */
  drop(run: string, error = false): void {
    for (const reader of this.#readers.get(run) ?? []) {
      if (error) reader.controller.error(new TypeError("network"));
      else reader.controller.close();
    }
    this.#readers.get(run)?.clear();
  }

  readers(run: string): number {
    return this.#readers.get(run)?.size ?? 0;
  }

  #send(
    controller: ReadableStreamDefaultController<Uint8Array>,
    text: string,
  ) {
    controller.enqueue(encoder.encode(text));
  }

  #chat({ method, path, body }: Heard): Response {
    const [, chat, what, message, now] =
      /^\/api\/chats\/([^/]+)(?:\/(\w+))?(?:\/([^/]+))?(\/now)?$/.exec(path) ??
        [];
    const told = this.chats.get(chat!);
    if (told === undefined && !this.kept.has(chat!)) {
      return new Response("{}", { status: 404 });
    }
    const done = (yes: boolean, no: number) =>
      yes
        ? Response.json({}, { status: 202 })
        : Response.json({}, { status: no });
    if (now) return done(this.kept.hurry(chat!, message!), 404);
    if (what === "queue" && method === "PUT") {
      return done(this.kept.reorder(chat!, body!.order as string[]), 409);
    }
    if (what === "queue") {
      const taken = this.kept.withdraw(chat!, message!);
      return Response.json(taken, { status: taken === null ? 404 : 200 });
    }
    // A copy, as JSON over the wire would be.
    return Response.json(
      structuredClone(told ?? this.kept.view(chat!, this.logs)),
    );
  }

  /** The same key begins the same run, however often it comes (N10). */
  #ask({ body }: Heard): Response {
    const key = String(body!.idempotency_key);
    const asked = body as Asked & { chat_id?: string; queue?: boolean };
    const known = this.begun.get(key);
    const chat = asked.chat_id ?? known?.chat ??
      chatId(LETTERS[this.begun.size]!);
    if (this.kept.withdrawn.has(key)) {
      return Response.json({ code: "withdrawn" }, { status: 410 });
    }
    if (known === undefined && asked.queue && this.#busy(chat)) {
      const queued = this.kept.enqueue(chat, asked.text!, key);
      return Response.json({ chat_id: chat, queued }, { status: 202 });
    }
    const run = known?.run ?? this.#begin(key, chat, asked);
    return Response.json({
      run_id: run,
      chat_id: chat,
      events: `/api/runs/${run}/events`,
      stop: `/api/runs/${run}/stop`,
    }, { status: 202 });
  }

  #busy(chat: string): boolean {
    return [...this.begun.values()].some((begun) =>
      begun.chat === chat && !isOver(this.logs.get(begun.run) ?? [])
    );
  }

  #begin(key: string, chat: string, asked: Asked): string {
    const run = runId(LETTERS[this.begun.size]!);
    this.begun.set(key, { run, chat });
    this.kept.begin(chat, run, asked);
    this.append(run, startOf(run));
    return run;
  }

  #events(
    run: string,
    request: Heard,
    signal: AbortSignal | null | undefined,
  ): Response {
    const log = this.logs.get(run);
    if (log === undefined) return new Response("{}", { status: 404 });
    const connection = ++this.connections;
    const cursor = parseFrameId(request.headers.get("last-event-id") ?? "");
    const after = cursor?.run === run ? cursor.cursor.seq : 0;
    const ended = isOver(log);
    if (ended && after === log.length) {
      return new Response(null, { status: 204 });
    }
    const frames = this.twist(
      log.filter(({ seq }) => seq > after).map((entry) => frame(run, entry)),
      connection,
    );
    const readers = this.#readers.get(run) ?? new Set<Reader>();
    this.#readers.set(run, readers);
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const reader = { controller, sent: log.length };
        readers.add(reader);
        signal?.addEventListener("abort", () => {
          if (!readers.delete(reader)) return;
          controller.error(signal.reason);
        });
        this.#send(controller, "retry: 1000\n\n");
        for (const text of frames) {
          if (text === CUT) {
            readers.delete(reader);
            return controller.close();
          }
          this.#send(controller, text);
        }
        if (!ended) return;
        this.#send(controller, "data: [DONE]\n\n");
        readers.delete(reader);
        controller.close();
      },
      cancel: () => readers.clear(),
    });
    return new Response(body, {
      headers: { "content-type": "text/event-stream" },
    });
  }
}

const LETTERS = "abcdefghjkmnpqrst";

/** In a twisted list of frames: here the connection ends. */
export const CUT = "cut";

/** An entry as it goes over the wire. */
export function frame(run: string, entry: LogEntry): string {
  return `id: ${frameId(run, entry)}\ndata: ${JSON.stringify(entry.event)}\n\n`;
}

function isOver(log: LogEntry[]): boolean {
  const last = log.at(-1)?.event.type;
  return last === "finish" || last === "abort" || last === "error";
}
