/**
 * The tools an agent holds: described to the model, looked up by name, called
 * with validated arguments under a deadline. A wrong call is conversation, not a
 * crash (style 9): every failure is a sentence the model can act on.
 *
 * @module
 */
import * as z from "zod";
import type { Json, ToolOutput } from "../chat/events.ts";
import type { Tool, ToolCall, ToolSpec } from "./contracts.ts";

/** Most a tool may tell the model and the log in one answer (UTF-16 units). */
export const MAX_OUTPUT = 16_000;
/** Longest arguments accepted, in UTF-16 units (protocol 2.5). */
export const MAX_ARGUMENTS = 1 << 20;
const DEADLINE_MS = 30_000;

/** A call ready to run, or the reason it cannot. */
export type PreparedCall =
  | {
    kind: "ready";
    input: Json;
    run: (signal: AbortSignal) => Promise<BoundOutput>;
  }
  /** The arguments are no JSON object the tool takes (`tool-input-error`). */
  | { kind: "bad-input"; input: Json; errorText: string }
  /** No such tool (`tool-output-error`). */
  | { kind: "unknown"; input: Json; errorText: string };

export interface Toolbox {
  readonly specs: ToolSpec[];
  prepare(call: ToolCall): PreparedCall;
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
  const specs = tools.map((tool) => ({
    name: tool.name,
    description: tool.description,
    parameters: z.toJSONSchema(tool.input, {
      io: "input",
    }) as Record<string, unknown>,
  }));
  return {
    specs,
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
      const checked = tool.input.safeParse(parsed.value);
      if (!checked.success) {
        return {
          kind: "bad-input",
          input: parsed.value,
          errorText: `The arguments of ${call.name} are not valid:\n${
            z.prettifyError(checked.error)
          }`,
        };
      }
      return {
        kind: "ready",
        input: parsed.value,
        run: (signal) => runTool(tool, checked.data, now(), signal),
      };
    },
  };
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

async function runTool(
  tool: Tool,
  input: unknown,
  now: Date,
  signal: AbortSignal,
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
      tool.run(input, { signal: own.signal, now }),
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
  const cut = full.length > MAX_OUTPUT;
  const output: ToolOutput = {
    text: cut
      ? `${
        full.slice(0, MAX_OUTPUT)
      }\n[cut: the first ${MAX_OUTPUT} of ${full.length} characters]`
      : full,
  };
  const json = data === undefined ? undefined : plain(data);
  if (json !== undefined && json.length <= MAX_OUTPUT) {
    output.data = JSON.parse(json);
  }
  return { output, whole: cut ? full : null };
}

function plain(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch {
    return "null";
  }
}
