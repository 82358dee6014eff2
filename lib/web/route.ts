/**
 * What a route sees of the world. Shaped like Fresh's context, so that the same
 * files run under Fresh and under our npm host; imports no framework (decision 6).
 *
 * @module
 */
import type { Language, ModelsView, ToolServerView } from "../chat/views.ts";
import type { Runs } from "../runs/mod.ts";

/** Set on every request by the host, before any route runs. */
export interface Visit {
  runs: Runs;
  models: ModelList;
  toolServers: ToolServers;
  /** Who can reach this server at all. */
  access: "loopback" | "public";
  /** Whose chats these are. */
  owner: string;
  /** How that is known: from this computer, by a cookie, by a bearer token. */
  by: "place" | "cookie" | "token";
  lang: Language;
  theme: "system" | "light" | "dark";
  /** The model's name, and whether it is the built-in demo. */
  model: { id: string; demo: boolean };
  /** The page's title; routes may set it, `_app` prints it. */
  title?: string;
}

/** The models people can choose from. */
export interface ModelList {
  view(): Promise<ModelsView>;
}

/** Servers that bring tools (MCP), as their people see and confirm them. */
export interface ToolServers {
  status(owner: string): ToolServerView[];
  /** Takes a changed tool as it is now; false if there is nothing to confirm. */
  confirm(owner: string, server: string, tool: string): Promise<boolean>;
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
