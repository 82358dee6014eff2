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
  Say,
  StartedRun,
} from "../chat/views.ts";
import type { Environment } from "./environment.ts";

/** `status` 0: the network failed. */
export type Result<T> =
  | { ok: true; value: T }
  | {
    ok: false;
    status: number;
    /** The server's stable word for it; "" without one. */
    code: string;
    /** Plain words from the server, safe to show; "" without any. */
    detail: string;
    /** The run in progress, with `run_active`. */
    run: string | null;
    retryAfterMs: number | null;
  };

export interface Api {
  /** `settings` count for a new chat only. */
  start(
    message: {
      key: string;
      chat: string | null;
      text: string;
      settings?: ChatSettings;
    },
  ): Promise<Result<StartedRun>>;
  stop(run: string): Promise<Result<unknown>>;
  /** Answers a question of a run. */
  decide(run: string, question: string, say: Say): Promise<Result<unknown>>;
  /** Sets all of a chat's settings anew. */
  setChat(id: string, settings: ChatSettings): Promise<Result<unknown>>;
  models(): Promise<Result<ModelsView>>;
  chats(): Promise<Result<ChatSummary[]>>;
  chat(id: string): Promise<Result<ChatView>>;
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
      if (response.ok) return { ok: true, value: await response.json() };
      return failure(response, await response.json().catch(() => null));
    } catch {
      return failed(0);
    }
  }
  return {
    start: ({ key, chat, text, settings }) =>
      call("/api/runs", {
        ...(chat === null ? {} : { chat_id: chat }),
        text,
        settings,
        idempotency_key: key,
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
  };
}

function failure(
  response: Response,
  problem: (Partial<Problem> & { run_id?: string }) | null,
): Result<never> {
  const seconds = Number(response.headers.get("retry-after") ?? NaN);
  return {
    ...failed(response.status),
    code: typeof problem?.code === "string" ? problem.code : "",
    detail: typeof problem?.detail === "string" ? problem.detail : "",
    run: typeof problem?.run_id === "string" ? problem.run_id : null,
    retryAfterMs: seconds > 0 ? seconds * 1_000 : null,
  };
}

function failed(status: number) {
  return {
    ok: false as const,
    status,
    code: "",
    detail: "",
    run: null,
    retryAfterMs: null,
  };
}
