/**
 * One person's dealings with one server: what it offers, what of that is still
 * what it was, and calls.
 *
 * @module
 */
import type { Tool, ToolContext } from "../../agent/contracts.ts";
import type { Json, ToolOutput } from "../../chat/events.ts";
import type { ToolServerView, ToolView } from "../../chat/views.ts";
import { argumentsOf } from "./arguments.ts";
import { Connection } from "./connection.ts";
import {
  type Definition,
  describedBy,
  MAX_DESCRIPTION,
  toldSchema,
  toolName,
  visible,
} from "./definition.ts";
import type { ServerSpec } from "./file.ts";
import { type Pin, type Pins, schemaText } from "./pin.ts";
import { readResult } from "./result.ts";
import { detailOf, isLost, ServerTrouble, troubleOf } from "./trouble.ts";

/** A tool the server offers, beside what it was pinned as. */
interface Offer {
  tool: Definition;
  pin: Pin;
}

export interface SessionOptions {
  pins: Pins;
  now: () => Date;
  warn: (message: string) => void;
}

/** More than the tool's deadline: that one is told in better words. */
const GRACE_MS = 5_000;
const MAX_ERROR = 2_000;
/** Below this many characters a secret is a placeholder, as for the log. */
const SHORTEST = 8;

const isChanged = ({ tool, pin }: Offer) => tool.hash !== pin.hash;

export class Session {
  readonly connection: Connection;
  #offers: Offer[] = [];
  #looking: Promise<Offer[]> | null = null;
  /** Hash of each changed tool as the person was shown it, by name. */
  #shown = new Map<string, string>();

  constructor(
    private readonly spec: ServerSpec,
    private readonly options: SessionOptions,
  ) {
    this.connection = new Connection(spec, {
      now: options.now,
      warn: options.warn,
      // For the status; a call looks for itself.
      onToolsChanged: () => void this.look().catch(() => {}),
    });
  }

  /** Whether anything is going on with the server. */
  get live(): boolean {
    return this.#looking !== null || this.connection.live;
  }

  /** The tools that may be called, as far as known by now. */
  tools(): Tool[] {
    if (this.connection.state !== "ready") return [];
    return this.#offers.filter((offer) => !isChanged(offer))
      .map(({ tool }) => this.#toolOf(tool));
  }

  view(): ToolServerView {
    this.#shown = new Map(
      this.#offers.map(({ tool }) => [tool.name, tool.hash]),
    );
    return {
      name: this.spec.name,
      state: this.connection.state,
      trouble: this.connection.trouble,
      tools: this.#offers.map((offer) => this.#viewOf(offer)),
    };
  }

  /**
   * Accepts a changed tool as the person was shown it last; false if there is no
   * such change, or it has changed again since.
   *
   * @param name the server's name for it, or ours.
   */
  async confirm(name: string): Promise<boolean> {
    // The server's own name first: a tool may be called what we call another.
    const named = (by: (tool: Definition) => string) =>
      this.#offers.find(({ tool }) => by(tool) === name);
    const offer = named((tool) => tool.name) ??
      named((tool) => toolName(this.spec.name, tool.name));
    if (offer === undefined || !isChanged(offer)) return false;
    const { tool } = offer;
    if (this.#shown.get(tool.name) !== tool.hash) return false;
    offer.pin = await this.options.pins.accept(this.spec.name, tool);
    return true;
  }

  /**
   * Asks the server for its tools and compares them with their pins. Callers at
   * the same time share one look; it goes on when they stop waiting.
   *
   * @throws {ServerTrouble}
   */
  look(): Promise<Offer[]> {
    if (this.#looking === null) {
      this.#looking = this.#look().finally(() => this.#looking = null);
      this.#looking.catch(() => {});
    }
    return this.#looking;
  }

  async #look(): Promise<Offer[]> {
    const { pins, warn } = this.options;
    const offers: Offer[] = [];
    const listed = await this.connection.list();
    try {
      for (const tool of listed) {
        const pin = await pins.pinned(this.spec.name, tool);
        if (pin !== null) offers.push({ tool, pin });
      }
    } catch (error) {
      // What cannot be compared is not offered.
      this.#offers = [];
      const trouble = "What its tools were before cannot be read.";
      warn(`MCP server "${this.spec.name}": ${trouble} ${detailOf(error)}`);
      throw new ServerTrouble(trouble, { cause: error });
    }
    const changed = (from: Offer[]) =>
      from.filter(isChanged).map(({ tool }) => tool.name);
    const before = changed(this.#offers);
    for (const name of changed(offers)) {
      if (before.includes(name)) continue;
      warn(
        `MCP server "${this.spec.name}": tool ${JSON.stringify(name)} is not ` +
          "what it was and stays off until somebody confirms it",
      );
    }
    return this.#offers = offers;
  }

  #viewOf(offer: Offer): ToolView {
    const { tool, pin } = offer;
    const changed = isChanged(offer);
    const schema = schemaText(tool);
    // A schema can carry orders for the model just as a description can. Both
    // are given as they are: the screen marks what nobody would see.
    const told = (description: string, args: string) =>
      (changed && schema !== pin.schema
        ? `${description.slice(0, MAX_DESCRIPTION)}\n\n${args}`
        : description.slice(0, MAX_DESCRIPTION)).toWellFormed();
    return {
      name: tool.name,
      description: told(tool.description, schema),
      effect: this.#effectOf(tool),
      state: changed ? "changed" : "ready",
      before: changed
        ? { description: told(pin.description, pin.schema) }
        : null,
    };
  }

  #effectOf(tool: Definition): "read" | "external" {
    return this.spec.read.includes(tool.name) ? "read" : "external";
  }

  #toolOf(tool: Definition): Tool {
    const { name: server, deadlineMs } = this.spec;
    return {
      name: toolName(server, tool.name),
      description: describedBy(server, tool.description),
      input: argumentsOf(tool.schema),
      parameters: toldSchema(tool.schema),
      effect: this.#effectOf(tool),
      ...(this.spec.local ? {} : { outbound: true }),
      untrusted: true,
      source: `MCP: ${server}`,
      deadlineMs,
      run: (input, context) => this.#run(tool, input, context),
    };
  }

  async #run(
    tool: Definition,
    input: unknown,
    context: ToolContext,
  ): Promise<ToolOutput> {
    const { signal } = context;
    await this.#check(tool, signal);
    const timeout = this.spec.deadlineMs + GRACE_MS;
    try {
      const result = await this.connection.use((client) =>
        client.callTool({
          name: tool.name,
          arguments: input as Record<string, Json>,
        }, {
          signal,
          timeout,
          maxTotalTimeout: timeout,
          onprogress: ({ progress, total, message }) =>
            context.progress({
              done: progress,
              ...(total === undefined ? {} : { total }),
              ...(message === undefined
                ? {}
                : { message: visible(message).slice(0, 200) }),
            }),
          // Without an output schema: one of a stranger is not compiled here.
          toolDefinition: {
            name: tool.name,
            inputSchema: { ...tool.schema, type: "object" },
          },
        })
      );
      const answer = readResult(result);
      if (!answer.ok) throw new ToolFailure(this.#discreet(answer.errorText));
      return answer.output;
    } catch (error) {
      signal.throwIfAborted();
      throw this.#said(error);
    }
  }

  /** Whether the tool still is what the model was told and a person approved. */
  async #check(tool: Definition, signal: AbortSignal): Promise<void> {
    const { name: server } = this.spec;
    const offers = await unless(signal, this.look()).catch((error) => {
      signal.throwIfAborted();
      throw new Error(
        `The MCP server "${server}" cannot be used now: ${
          (error as Error).message
        }`,
        { cause: error },
      );
    });
    const offer = offers.find((other) => other.tool.name === tool.name);
    if (offer === undefined) {
      throw new Error(
        `The MCP server "${server}" no longer offers "${tool.name}".`,
      );
    }
    if (isChanged(offer) || offer.tool.hash !== tool.hash) {
      throw new Error(
        `The tool "${tool.name}" of the MCP server "${server}" is no longer ` +
          "what it was, so it is off until a person has looked at the change. " +
          "Do not call it again in this answer; say that it was switched off.",
      );
    }
  }

  /** A failed call in words for the model. */
  #said(error: unknown): Error {
    if (error instanceof ToolFailure) return error;
    const { name: server } = this.spec;
    const { code, message } = error as { code?: unknown; message?: string };
    if (isLost(error)) {
      return new Error(
        `The MCP server "${server}" went away during the call. Whether it ` +
          "did anything is not known.",
        { cause: error },
      );
    }
    if (code === "UNSUPPORTED_RESULT_TYPE" || code === "REQUEST_TIMEOUT") {
      const what = code === "REQUEST_TIMEOUT"
        ? "did not answer in time"
        : "asked for something in return, which is not given here";
      return new Error(`The MCP server "${server}" ${what}.`, { cause: error });
    }
    // A JSON-RPC error: the server's own words about this call.
    const words = typeof code === "number"
      ? this.#discreet(message ?? "").slice(0, MAX_ERROR).toWellFormed()
      : troubleOf(error);
    this.options.warn(`MCP server "${server}" failed: ${detailOf(error)}`);
    return new Error(`The MCP server "${server}" failed: ${words}`, {
      cause: error,
    });
  }

  /** Servers quote the token they refuse (P02). */
  #discreet(text: string): string {
    return this.spec.secrets.filter(({ length }) => length >= SHORTEST)
      .reduce((said, secret) => said.replaceAll(secret, "[redacted]"), text);
  }
}

/** The server says that the call failed; its words. */
class ToolFailure extends Error {}

/** Waits for the promise until the signal aborts. */
async function unless<T>(
  signal: AbortSignal,
  promise: Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
