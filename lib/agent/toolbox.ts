/**
 * The tools an agent holds: described to the model, looked up by name, called
 * with validated arguments under a deadline. A wrong call is conversation, not a
 * crash (style 9): every failure is a sentence the model can act on.
 *
 * @module
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import type { Json, ToolOutput } from "../chat/events.ts";
import type {
  Tool,
  ToolCall,
  ToolContext,
  ToolProgress,
  ToolSpec,
} from "./contracts.ts";
import { parseInput, strangers, toolSchema } from "./schema.ts";
import { strangerOf } from "./trust.ts";

/**
 * Most a tool may tell the model in one answer, in bytes of JSON; the data for the
 * screen has as much again. Together they fit a frame (32 KiB, protocol 2.2).
 */
export const MAX_OUTPUT = 16_000;
/** What the rest of a frame may need. */
const FRAME_REST = 1_000;
/** Longest arguments accepted, in UTF-16 units (protocol 2.5). */
export const MAX_ARGUMENTS = 1 << 20;
const DEADLINE_MS = 30_000;

/** A call ready to run, or the reason it cannot. */
export type PreparedCall =
  | {
    kind: "ready";
    input: Json;
    tool: Tool;
    /** SHA-256 of what the tool says it is (case T06). */
    pin: string;
    /** SHA-256 of the pin and the arguments (case T02). */
    hash: string;
    run: (
      signal: AbortSignal,
      progress: (progress: ToolProgress) => void,
    ) => Promise<BoundOutput>;
  }
  /** The arguments are no JSON object the tool takes (`tool-input-error`). */
  | { kind: "bad-input"; input: Json; errorText: string }
  /** No such tool (`tool-output-error`). */
  | { kind: "unknown"; input: Json; errorText: string };

export interface Toolbox {
  readonly specs: ToolSpec[];
  prepare(call: ToolCall): PreparedCall;
  /**
   * Whose text a tool of this name brings into the conversation, if strangers
   * wrote it. One that is not here any more may have been anybody's.
   */
  stranger(name: string): string | null;
}

/**
 * Puts tools into a box.
 *
 * @param now The moment tools are told a call began.
 * @throws TypeError if two tools share a name (case T07).
 */
export function createToolbox(tools: Tool[], now: () => Date): Toolbox {
  // A Map, so that `__proto__` and `constructor` are names like any other (T10).
  const byName = new Map<string, Tool>();
  for (const tool of tools) {
    if (byName.has(tool.name)) {
      throw new TypeError(`Cannot add tool "${tool.name}": the name is taken`);
    }
    byName.set(tool.name, tool);
  }
  const known = new Map(tools.map((tool) => [tool.name, describe(tool)]));
  return {
    specs: [...known.values()].map(({ spec }) => spec),
    stranger(name) {
      const tool = byName.get(name);
      return tool === undefined ? `a tool "${name}"` : strangerOf(tool);
    },
    prepare(call) {
      const parsed = parseArguments(call.arguments);
      if (!parsed.ok) {
        return {
          kind: "bad-input",
          input: call.arguments.slice(0, MAX_OUTPUT),
          errorText: parsed.errorText,
        };
      }
      const tool = byName.get(call.name);
      if (tool === undefined) {
        const names = [...byName.keys()].join(", ") || "none";
        return {
          kind: "unknown",
          input: parsed.value,
          errorText:
            `There is no tool "${call.name}". Tools that exist: ${names}.`,
        };
      }
      const { spec, pin } = known.get(tool.name)!;
      const checked = parseInput(tool.input, parsed.value);
      const unknown = spec.strict
        ? strangers(spec.parameters, parsed.value)
        : [];
      if (!checked.success || unknown.length > 0) {
        return {
          kind: "bad-input",
          input: parsed.value,
          errorText: complaint(spec, unknown, checked.error),
        };
      }
      return {
        kind: "ready",
        input: parsed.value,
        tool,
        pin,
        hash: sha256([pin, parsed.value]),
        run: (signal, progress) =>
          runTool(tool, checked.data, { now: now(), signal, progress }),
      };
    },
  };
}

interface Described {
  spec: ToolSpec;
  pin: string;
}

/** Tools do not change: a box is made for every question, a schema once. */
const described = new WeakMap<Tool, Described>();

function describe(tool: Tool): Described {
  let known = described.get(tool);
  if (known === undefined) {
    const { name, description, effect } = tool;
    const { parameters, strict } = tool.parameters === undefined
      ? toolSchema(tool.input)
      : { parameters: tool.parameters, strict: false };
    known = {
      spec: { name, description, parameters, strict },
      pin: sha256([name, description, parameters as Json, effect]),
    };
    described.set(tool, known);
  }
  return known;
}

/** What is wrong, and what the tool takes: a model does better the next time. */
function complaint(
  { name, parameters }: ToolSpec,
  unknown: string[],
  error: z.ZodError | undefined,
): string {
  const names = Object.keys(parameters.properties ?? {}).join(", ") ||
    "nothing";
  return [
    `The arguments of ${name} are not valid:`,
    ...unknown.slice(0, 8).map((key) =>
      `✖ ${JSON.stringify(key.slice(0, 80))} is no argument of it`
    ),
    ...(error === undefined ? [] : [z.prettifyError(error)]),
    `It takes: ${names}.`,
  ].join("\n").slice(0, 4_000);
}

/** Missing, empty and null arguments mean `{}` (protocol 2.8, case U35). */
function parseArguments(
  text: string,
): { ok: true; value: Json } | { ok: false; errorText: string } {
  if (text.length > MAX_ARGUMENTS) {
    return {
      ok: false,
      errorText:
        `The arguments are too long: ${text.length} characters, at most ${MAX_ARGUMENTS}.`,
    };
  }
  if (text.trim() === "" || text.trim() === "null") {
    return { ok: true, value: {} };
  }
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return {
      ok: false,
      errorText: `The arguments are not valid JSON: ${
        (error as Error).message
      }. Send one JSON object.`,
    };
  }
}

/** Of the JSON text: the same value with its keys in another order is another. */
function sha256(value: Json): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url");
}

async function runTool(
  tool: Tool,
  input: unknown,
  { now, signal, progress }: ToolContext,
): Promise<BoundOutput> {
  const ms = tool.deadlineMs ?? DEADLINE_MS;
  const own = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const onAbort = () => {
    own.abort(signal.reason);
    reject(signal.reason);
  };
  const timer = setTimeout(() => {
    const late = new Error(`The tool took longer than ${ms / 1000} s`);
    own.abort(late);
    reject(late);
  }, ms);
  signal.addEventListener("abort", onAbort, { once: true });
  // A tool that ignores its signal may settle after the deadline; nobody waits
  // for it then, and its late failure must not end the process (DN1).
  over.catch(() => {});
  try {
    signal.throwIfAborted();
    const running = Promise.resolve(
      tool.run(input, { signal: own.signal, now, progress }),
    );
    running.catch(() => {});
    return bound(await Promise.race([running, over]));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** An answer fit for the log, and the whole of it where that was cut. */
export interface BoundOutput {
  output: ToolOutput;
  whole: string | null;
}

/**
 * Makes whatever a tool returned loggable: a tool that returns nothing said
 * `null`, data that is no JSON is dropped, and of long text the beginning is
 * taken, with a note (cases U38, T10).
 */
export function bound(returned: unknown): BoundOutput {
  if (returned === undefined || returned === null) {
    return { output: { text: "null" }, whole: null };
  }
  const { text, data } = returned as Partial<ToolOutput>;
  const full = typeof text === "string" ? text : plain(returned);
  const fits = beginning(full, MAX_OUTPUT);
  const cut = fits < full.length;
  const output: ToolOutput = {
    text: cut
      ? `${
        full.slice(0, fits)
      }\n[cut: the first ${fits} of ${full.length} characters]`
      : full,
  };
  const json = data === undefined ? undefined : plain(data);
  if (json !== undefined && bytesOf(json) <= MAX_OUTPUT - FRAME_REST) {
    output.data = JSON.parse(json);
  }
  return { output, whole: cut ? full : null };
}

/** How many UTF-16 units of a text fit into so many bytes of JSON. */
function beginning(text: string, bytes: number): number {
  // A unit is at least one byte and at most six (`\u0000`).
  let units = Math.min(text.length, bytes);
  while (units > 0) {
    const over = bytesOf(JSON.stringify(text.slice(0, units))) - 2 - bytes;
    if (over <= 0) return units;
    units -= Math.ceil(over / 6);
  }
  return 0;
}

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

function plain(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch {
    return "null";
  }
}
