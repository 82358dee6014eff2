/**
 * The demo upstream: an OpenAI-compatible server inside the process, so that
 * without a key the same adapter walks the same path as in production
 * (decision 9).
 *
 * @module
 */
import { answer } from "./brain.ts";
import { limitTokens, type Refusal } from "./plan.ts";
import { chosenScenario } from "./scenarios.ts";
import { goingOn, restOf } from "./go_on.ts";
import { createPlayer } from "./stage.ts";
import { createPace } from "./typing.ts";
import { typed } from "./typed.ts";
import {
  type ChatRequest,
  completion,
  frames,
  MODEL,
  parseRequest,
  wholeFrames,
  WireError,
} from "./wire.ts";

export interface DemoOptions {
  /** Typing speed; 40 unless given. Infinity types without any waiting. */
  tokensPerSecond?: number;
  /** Wait before the first token, in ms; 250, or 0 where typing does not wait. */
  firstTokenMs?: number;
  /** The clock that "tomorrow" and "in ten minutes" are counted from. */
  now?: () => Date;
  /** The key requests must carry; random unless given. */
  apiKey?: string;
}

export interface DemoUpstream {
  /** `http://127.0.0.1:<port>/v1` */
  baseUrl: string;
  apiKey: string;
  model: typeof MODEL;
  /** Stops listening and drops every open answer. */
  close(): Promise<void>;
}

/** Starts the demo upstream on a free loopback port. */
export function startDemoUpstream(
  options: DemoOptions = {},
): Promise<DemoUpstream> {
  const apiKey = options.apiKey ?? randomKey();
  const closing = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: closing.signal,
    onListen() {},
    // Also reached when a scenario drops its socket: nothing to print.
    onError: () =>
      respond(
        new WireError(500, "The demo model failed.", { type: "server_error" })
          .refusal(),
      ),
  }, createDesk(options, apiKey));
  return Promise.resolve({
    baseUrl: `http://127.0.0.1:${server.addr.port}/v1`,
    apiKey,
    model: MODEL,
    async close() {
      closing.abort();
      await server.finished;
    },
  });
}

function randomKey(): string {
  return `demo-${crypto.getRandomValues(new Uint8Array(24)).toHex()}`;
}

type Desk = (request: Request) => Promise<Response>;

function createDesk(options: DemoOptions, apiKey: string): Desk {
  const { tokensPerSecond = 40, now = () => new Date() } = options;
  const firstTokenMs = options.firstTokenMs ??
    (tokensPerSecond === Infinity ? 0 : 250);
  const play = createPlayer();

  async function complete(request: Request): Promise<Response> {
    const asked = parseRequest(await readJson(request));
    if (asked.model !== MODEL && !asked.model.startsWith(`${MODEL}:`)) {
      throw unknownModel(asked.model);
    }
    const broken = goingOn(asked.messages);
    const { messages } = broken ?? asked;
    const conversation = { messages, tools: offeredTools(asked), now: now() };
    const chosen = chosenScenario(asked.model, messages);
    const reply = chosen === null
      ? answer(conversation)
      : play(chosen, conversation);
    if ("status" in reply) return respond(reply);

    const limit = asked.max_completion_tokens ?? asked.max_tokens ?? Infinity;
    const whole = broken === null ? reply : restOf(reply, broken.said);
    const plan = limitTokens(whole, limit);
    const pace = createPace(tokensPerSecond * plan.speed, firstTokenMs);
    const [type, source] = asked.stream === true
      ? ["text/event-stream", frames(asked, plan, now())]
      : [
        "application/json",
        wholeFrames(plan, completion(asked, plan, now())),
      ];
    return new Response(typed(source, pace), {
      headers: { "content-type": type, "cache-control": "no-cache" },
    });
  }

  return async (request) => {
    try {
      if (request.headers.get("authorization") !== `Bearer ${apiKey}`) {
        throw new WireError(401, "Incorrect API key provided.", {
          code: "invalid_api_key",
        });
      }
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/chat/completions") {
        allow(request, "POST");
        return await complete(request);
      }
      if (pathname === "/v1/models") {
        allow(request, "GET");
        return Response.json({ object: "list", data: [modelCard()] });
      }
      if (pathname.startsWith("/v1/models/")) {
        allow(request, "GET");
        const name = pathname.slice("/v1/models/".length);
        if (name !== MODEL) throw unknownModel(name);
        return Response.json(modelCard());
      }
      throw new WireError(
        404,
        `Unknown request URL: ${request.method} ${pathname}.`,
        { code: "unknown_url" },
      );
    } catch (error) {
      if (error instanceof WireError) return respond(error.refusal());
      throw error;
    }
  };
}

/** The names of the tools the model may call in this request. */
function offeredTools(request: ChatRequest): Set<string> {
  const names = (request.tools ?? []).map((tool) => tool.function.name);
  const choice = request.tool_choice ?? "auto";
  if (choice === "none") return new Set();
  if (typeof choice === "string") return new Set(names);
  return new Set(names.filter((name) => name === choice.function.name));
}

function allow(request: Request, method: string): void {
  if (request.method === method) return;
  throw new WireError(
    405,
    `Not allowed to ${request.method} on ${new URL(request.url).pathname}.`,
    { code: "method_not_supported", headers: { allow: method } },
  );
}

async function readJson(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    throw new WireError(400, "We could not parse the JSON body.");
  }
}

function modelCard() {
  return { id: MODEL, object: "model", created: 0, owned_by: "tickertape" };
}

function unknownModel(name: string): WireError {
  return new WireError(404, `The model '${name}' does not exist.`, {
    code: "model_not_found",
    param: "model",
  });
}

function respond(refusal: Refusal): Response {
  return new Response(refusal.body, refusal);
}
