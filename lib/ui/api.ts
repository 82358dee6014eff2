/**
 * The calls the screen makes. Each answers with a result that must be looked at;
 * nothing throws across the network.
 *
 * @module
 */
import type { ChatSettings } from "../chat/settings.ts";
import type {
  ChatSummary,
  ChatView,
  ModelsView,
  Problem,
  QueuedMessage,
  QueuedRun,
  Say,
  StartedRun,
} from "../chat/views.ts";
import type { Environment } from "./environment.ts";

/** What did not work, and why. `status` 0: the network failed. */
export interface Failure {
  ok: false;
  status: number;
  /** The server's stable word for it; "" without one. */
  code: string;
  /** Plain words from the server, safe to show; "" without any. */
  detail: string;
  retryAfterMs: number | null;
}

export type Result<T> = { ok: true; value: T } | Failure;

export interface Api {
  /**
   * `settings` count for a new chat only. In a chat there is already, a message
   * waits for the end of the answer before it.
   */
  start(
    message: {
      key: string;
      chat: string | null;
      text: string;
      settings?: ChatSettings;
      replaces?: string;
      continues?: string;
    },
  ): Promise<Result<StartedRun | QueuedRun>>;
  stop(run: string): Promise<Result<unknown>>;
  /** Answers a question of a run. */
  decide(run: string, question: string, say: Say): Promise<Result<unknown>>;
  /** Sets all of a chat's settings anew. */
  setChat(id: string, settings: ChatSettings): Promise<Result<unknown>>;
  models(): Promise<Result<ModelsView>>;
  chats(): Promise<Result<ChatSummary[]>>;
  chat(id: string): Promise<Result<ChatView>>;
  /** Deletes a chat with everything in it. */
  removeChat(id: string): Promise<Result<unknown>>;
  /** Shows the branch a version is on; answers with the chat as it is then. */
  show(chat: string, run: string): Promise<Result<ChatView>>;
  /** Puts the waiting messages into another order. */
  reorder(chat: string, order: string[]): Promise<Result<unknown>>;
  /** Takes a waiting message back. */
  withdraw(chat: string, id: string): Promise<Result<QueuedMessage>>;
  /** Sends a waiting message at once; an answer under way is stopped. */
  sendNow(chat: string, id: string): Promise<Result<unknown>>;
}

/** The server's API over `env.fetch`. */
export function createApi(env: Pick<Environment, "fetch">): Api {
  async function call<T>(
    path: string,
    body?: unknown,
    method = body === undefined ? "GET" : "POST",
  ): Promise<Result<T>> {
    try {
      const response = await env.fetch(path, {
        method,
        headers: body === undefined
          ? { accept: "application/json" }
          : { accept: "application/json", "content-type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      if (response.ok) {
        const empty = response.status === 204;
        return {
          ok: true,
          value: empty ? null as T : await response.json(),
        };
      }
      return failure(response, await response.json().catch(() => null));
    } catch {
      return failed(0);
    }
  }
  return {
    start: ({ key, chat, text, settings, replaces, continues }) =>
      call("/api/runs", {
        ...(chat === null ? {} : { chat_id: chat }),
        ...(text === "" ? {} : { text }),
        settings,
        idempotency_key: key,
        replaces,
        continues,
        // Also when it looks idle here: another tab may have asked just now.
        ...(chat === null || replaces !== undefined || continues !== undefined
          ? {}
          : { queue: true }),
      }),
    stop: (run) => call(`/api/runs/${run}/stop`, {}),
    decide: (run, question, decision) =>
      call(`/api/runs/${run}/approvals/${question}`, { decision }),
    setChat: (id, settings) =>
      call(`/api/chats/${id}/settings`, settings, "PUT"),
    models: () => call("/api/models"),
    chats: async () => {
      const result = await call<{ chats: ChatSummary[] }>("/api/chats");
      return result.ok ? { ok: true, value: result.value.chats } : result;
    },
    chat: (id) => call(`/api/chats/${id}`),
    removeChat: (id) => call(`/api/chats/${id}`, undefined, "DELETE"),
    show: (chat, run) => call(`/api/chats/${chat}/shown`, { run }, "PUT"),
    reorder: (chat, order) =>
      call(`/api/chats/${chat}/queue`, { order }, "PUT"),
    withdraw: (chat, id) =>
      call(`/api/chats/${chat}/queue/${id}`, undefined, "DELETE"),
    sendNow: (chat, id) => call(`/api/chats/${chat}/queue/${id}/now`, {}),
  };
}

function failure(
  response: Response,
  problem: Partial<Problem> | null,
): Failure {
  const seconds = Number(response.headers.get("retry-after") ?? NaN);
  return {
    ...failed(response.status),
    code: typeof problem?.code === "string" ? problem.code : "",
    detail: typeof problem?.detail === "string" ? problem.detail : "",
    retryAfterMs: seconds > 0 ? seconds * 1_000 : null,
  };
}

function failed(status: number): Failure {
  return { ok: false, status, code: "", detail: "", retryAfterMs: null };
}
