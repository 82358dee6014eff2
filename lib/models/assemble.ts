/**
 * Joins the fragments of streamed tool calls (protocol 2.8). Providers disagree
 * on everything but the order of the bytes, so the rules say to which call a
 * fragment belongs; cases U29-U35 and U41 are the disagreements seen in the wild.
 *
 * @module
 */
import {
  ModelError,
  type ModelEvent,
  type ToolCall,
} from "../agent/contracts.ts";
import type { Json } from "../chat/events.ts";

/** Protocol 2.5: all arguments of one step, in UTF-16 units. */
const MAX_ARGUMENTS = 1024 * 1024;
/** No model asks for this much at once; a broken stream would. */
const MAX_CALLS = 128;
/** A longer id or name is noise, and would not fit a frame. */
const MAX_ID = 256, MAX_NAME = 128;

/** A fragment with everything absent, null or empty made undefined or "". */
interface Fragment {
  index?: number;
  id?: string;
  name?: string;
  arguments: string;
  extra?: Json;
}

interface Call {
  id: string;
  name: string;
  arguments: string;
  started: boolean;
  /** Its `extra_content`, which some providers want back. */
  extra?: Json;
  /** Where in the JSON `arguments` has got to. */
  json: { depth: number; inString: boolean; escaped: boolean; closed: boolean };
}

export interface CallAssembler {
  /** One element of `delta.tool_calls`, or `{function: delta.function_call}`. */
  add(raw: unknown): void;
  /** The calls in the order they began, each with complete arguments. */
  finish(): ToolCall[];
  /** What came along with each call of `finish`. */
  extras(): (Json | undefined)[];
  /** The calls that were heard of, as far as they got. */
  cut(): ToolCall[];
}

/**
 * An assembler for one step.
 *
 * @param options.emit hears each call begin and its arguments grow; the deltas
 * of a call joined are its arguments, exactly.
 * @param options.taken ids of earlier steps: a provider that numbers its calls
 * anew each time gets fresh ids, so that every result finds its one call.
 */
export function callAssembler(options: {
  emit: (event: ModelEvent) => void;
  taken: ReadonlySet<string>;
}): CallAssembler {
  const { emit } = options;
  const calls: Call[] = [];
  const used = new Set(options.taken);
  const byId = new Map<string, Call>();
  const byIndex = new Map<number, Call>();
  let current: Call | undefined;
  let size = 0;

  function open(fragment: Fragment): Call {
    if (calls.length === MAX_CALLS) {
      throw tooMuch(`more than ${MAX_CALLS} tool calls at once`);
    }
    const { id } = fragment;
    const call: Call = {
      id: id === undefined || id.length > MAX_ID || used.has(id)
        ? `call_${crypto.randomUUID().replaceAll("-", "")}`
        : id,
      name: "",
      arguments: "",
      started: false,
      json: { depth: 0, inString: false, escaped: false, closed: false },
    };
    used.add(call.id);
    calls.push(call);
    return call;
  }

  /** The call a fragment belongs to; null for a repetition of a whole call. */
  function callFor(fragment: Fragment): Call | null {
    const { id, index, name } = fragment;
    const known = id === undefined ? undefined : byId.get(id);
    if (id !== undefined && known === undefined && name !== undefined) {
      return open(fragment);
    }
    const call = known ??
      (index === undefined ? current : byIndex.get(index));
    if (call === undefined) return open(fragment);
    if (name === undefined) return call;
    const placed = known !== undefined || index !== undefined;
    if (!placed && call.name !== "" && call.name !== name) {
      return open(fragment);
    }
    if (!call.json.closed) return call;
    // From here on more arguments could only spoil the call, so a fragment that
    // names itself is another one - or the same said twice, which runs once.
    if (!placed) return open(fragment);
    if (fragment.arguments.trim() === "") return call;
    const again = name === call.name && fragment.arguments === call.arguments;
    return again ? null : open(fragment);
  }

  function grow(call: Call, text: string) {
    size += text.length;
    if (size > MAX_ARGUMENTS) throw tooMuch("more than 1 MiB of arguments");
    call.arguments += text;
    follow(call.json, text);
    if (call.started && text !== "") {
      emit({ type: "tool-call-delta", id: call.id, delta: text });
    }
  }

  function start(call: Call, name: string) {
    call.name = name;
    call.started = true;
    emit({ type: "tool-call-start", id: call.id, name });
    if (call.arguments !== "") {
      emit({ type: "tool-call-delta", id: call.id, delta: call.arguments });
    }
  }

  function add(raw: unknown) {
    const fragment = read(raw);
    if (fragment === null) return;
    const call = callFor(fragment);
    if (call === null) return;
    current = call;
    if (fragment.id !== undefined) byId.set(fragment.id, call);
    if (fragment.index !== undefined) byIndex.set(fragment.index, call);
    if (!call.started && fragment.name !== undefined) {
      start(call, fragment.name);
    }
    if (fragment.extra !== undefined) call.extra = fragment.extra;
    grow(call, fragment.arguments);
  }

  const whole = () =>
    calls.filter((call) => call.name !== "" || call.arguments.trim() !== "");

  function finish(): ToolCall[] {
    const found = whole();
    for (const call of found) {
      // Goes back to the model as a tool that does not exist.
      if (!call.started) start(call, "unknown");
      if (call.arguments.trim() === "") grow(call, "{}");
    }
    return found.map(plain);
  }

  return {
    add,
    finish,
    extras: () => whole().map(({ extra }) => extra),
    cut: () => calls.filter((call) => call.started).map(plain),
  };
}

const plain = ({ id, name, arguments: text }: Call): ToolCall => ({
  id,
  name,
  arguments: text,
});

function read(raw: unknown): Fragment | null {
  if (typeof raw !== "object" || raw === null) return null;
  const { index, id, function: called, extra_content } = raw as Record<
    string,
    unknown
  >;
  const { name, arguments: given } =
    (typeof called === "object" && called !== null ? called : {}) as Record<
      string,
      unknown
    >;
  return {
    index: Number.isInteger(index) ? index as number : undefined,
    id: typeof id === "string" && id !== "" ? id : undefined,
    name: typeof name === "string" && name !== ""
      ? name.slice(0, MAX_NAME)
      : undefined,
    arguments: typeof given === "string"
      ? given
      : typeof given === "object" && given !== null
      ? JSON.stringify(given)
      : "",
    extra: extra_content === null ? undefined : extra_content as Json,
  };
}

/**
 * Notices when the object closes. Follows the pieces, never the whole: a
 * provider that repeats the name on every byte must not make this quadratic.
 */
function follow(json: Call["json"], piece: string) {
  for (let at = 0; at < piece.length && !json.closed; at++) {
    const char = piece[at];
    if (json.escaped) json.escaped = false;
    else if (char === "\\") json.escaped = json.inString;
    else if (char === '"') json.inString = !json.inString;
    else if (json.inString) continue;
    else if (char === "{" || char === "[") json.depth++;
    else if (char === "}" || char === "]") json.closed = --json.depth === 0;
  }
}

function tooMuch(what: string): ModelError {
  return new ModelError("limit_exceeded", `The model asked for ${what}.`, {
    retryable: true,
  });
}
