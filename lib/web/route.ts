/**
 * What a route sees of the world. Shaped like Fresh's context, so that the same
 * files run under Fresh and under our npm host; imports no framework (decision 6).
 *
 * @module
 */
import type { Language } from "../chat/views.ts";
import type { Runs } from "../runs/mod.ts";

/** Set on every request by the host, before any route runs. */
export interface Visit {
  runs: Runs;
  /** Whose chats these are. */
  owner: string;
  lang: Language;
  theme: "system" | "light" | "dark";
  /** The model's name, and whether it is the built-in demo. */
  model: { id: string; demo: boolean };
  /** The page's title; routes may set it, `_app` prints it. */
  title?: string;
}

export interface RouteContext {
  readonly req: Request;
  readonly url: URL;
  readonly params: Record<string, string>;
  readonly state: Visit;
}

/** A handler's answer when the route also has a page component. */
export interface PageResult<Data> {
  data: Data;
  status?: number;
  headers?: HeadersInit;
}

export type Handler<Data = never> = (
  ctx: RouteContext,
) => Response | PageResult<Data> | Promise<Response | PageResult<Data>>;

/** Handlers by method, as `export const handler = { GET(ctx) {} }`. */
export type Handlers<Data = never> = Partial<
  Record<"GET" | "POST" | "DELETE" | "PUT" | "PATCH", Handler<Data>>
>;

/** What a page component gets (the part of Fresh's props we use). */
export interface PageProps<Data = unknown> {
  data: Data;
  url: URL;
  params: Record<string, string>;
  state: Visit;
  error?: unknown;
}
