/**
 * Catalogs over servers of a test's own, with a clock that the test moves.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Model } from "../../lib/agent/contracts.ts";
import {
  type Catalog,
  type CatalogOptions,
  createCatalog,
} from "../../lib/models/catalog.ts";
import { startDemoUpstream } from "../../lib/models/demo/mod.ts";
import { loadOpenAI } from "../../lib/models/openai.ts";
import { ask } from "../helpers/ask_model.ts";
import type { ModelServer } from "./local_servers.ts";

// The SDK's first import must not count as a leak.
await loadOpenAI();

export const KEY = "sk-test-4f9a77c0ffee";
/** The demo, as it is offered. */
export const DEMO = { id: "tickertape-demo", from: "demo" };

export interface Stage extends AsyncDisposable {
  catalog: Catalog;
  warnings: string[];
  /** How often the demo was started, and ended. */
  demo: { started: number; ended: number };
  /** Moves the clock that lists grow old by. */
  pass(ms: number): void;
}

/** A catalog over these ports; what it opens is closed. */
export function stage(
  config: Partial<CatalogOptions["config"]>,
  ports: Record<string, number> = {},
): Stage {
  let clock = 0;
  const warnings: string[] = [];
  const demo = { started: 0, ended: 0 };
  const catalog = createCatalog({
    config: {
      port: 1,
      model: null,
      localModel: null,
      responsesModels: [],
      ...config,
    },
    async demo() {
      demo.started++;
      const upstream = await startDemoUpstream({ tokensPerSecond: Infinity });
      return {
        ...upstream,
        close: () => (demo.ended++, upstream.close()),
      };
    },
    warn: (message) => warnings.push(message),
    ports: Object.entries(ports).map(([name, port]) => ({ name, port })),
    now: () => clock,
  });
  return {
    catalog,
    warnings,
    demo,
    pass: (ms) => clock += ms,
    [Symbol.asyncDispose]: () => catalog.close(),
  };
}

/** A catalog of the server of the settings. */
export const configured = (
  server: { baseUrl: string },
  name: string | null = null,
  responsesModels: string[] = [],
) =>
  stage({
    model: { apiKey: KEY, baseUrl: server.baseUrl, name },
    responsesModels,
  });

/** The same object, not only an equal one. */
export const assertSame = (actual: unknown, expected: unknown) =>
  assert(actual === expected, "another object");

/** How often the list was asked for. */
export const lists = ({ requests }: ModelServer) =>
  requests.filter((request) => request === "GET /v1/models").length;

/** What this model answers. */
export const saidBy = async (model: Model) => (await ask(model)).text;
