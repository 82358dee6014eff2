/**
 * The mock provider: an OpenAI-compatible server in the test's own process, so
 * that a test sees every call at the moment it comes and goes. What it says is
 * scripted by the question ({@linkcode question}): numbered words, each with the
 * number of the call that said it. Asked to go on with an answer it goes on with
 * the next number.
 *
 * @module
 */
import { readScript, readWords, type Script, wordText } from "./script.ts";

export { question } from "./script.ts";

/** One completion that was asked for. */
export interface Call {
  /** From 1, in the order they came. */
  number: number;
  /** The API key: which instance asked. */
  instance: string;
  script: Script;
  /** Index of its first word: what the model is shown of the answer so far. */
  from: number;
  /** Words said so far. */
  said: number;
  /** `performance.now()` of its arrival. */
  at: number;
  /** How it ended, and when; null while it goes on. */
  end: { how: "done" | "aborted" | "cut"; at: number } | null;
}

export interface UpstreamOptions {
  /** Waited for before anything is answered: look at the store here (R01). */
  onCall?: (call: Call) => unknown;
}

export interface Upstream extends AsyncDisposable {
  /** `http://127.0.0.1:<port>/v1` */
  baseUrl: string;
  calls: Call[];
  /** The calls for one question, in order. */
  callsOf(key: string): Call[];
  /** Resolves once the model was asked so often for this question. */
  asked(key: string, times: number): Promise<void>;
  /** Resolves once a call for this question has said `words` words. */
  said(key: string, words: number): Promise<Call>;
  /** Resolves once the call has ended. */
  ended(call: Call): Promise<void>;
  /** Lets what is held go on. */
  release(): void;
}

interface Message {
  role: string;
  content?: string | null;
  tool_calls?: unknown[];
}

const encoder = new TextEncoder();

/** Starts an upstream on a free port. */
export function startUpstream(options: UpstreamOptions = {}): Upstream {
  const calls: Call[] = [];
  const closing = new AbortController();
  const cuts = new Set<string>();
  let released = Promise.withResolvers<void>();
  let watchers: { met: () => boolean; tell: () => void }[] = [];
  const changed = () => {
    watchers = watchers.filter(({ met, tell }) => {
      if (!met()) return true;
      tell();
      return false;
    });
  };
  const when = (met: () => boolean) =>
    met()
      ? Promise.resolve()
      : new Promise<void>((tell) => watchers.push({ met, tell }));

  const callsOf = (key: string) =>
    calls.filter(({ script }) => script.key === key);

  function begin(req: Request, messages: Message[]): Call {
    const at = messages.findLastIndex(({ role, content }) =>
      role === "user" && readScript(content ?? "") !== null
    );
    const script = readScript(messages[at]?.content ?? "");
    if (script === null) throw new Error("Cannot answer: no script was asked");
    const shown = messages.slice(at + 1)
      .filter(({ role }) => role === "assistant")
      .map(({ content }) => content ?? "").join("");
    const call: Call = {
      number: calls.length + 1,
      instance: req.headers.get("authorization")?.slice("Bearer ".length) ?? "",
      script,
      from: readWords(shown).length,
      said: 0,
      at: performance.now(),
      end: null,
    };
    calls.push(call);
    return call;
  }

  async function* answer(call: Call, called: boolean): AsyncGenerator<string> {
    const { script, from, number } = call;
    await pause(script.wait, closing.signal);
    if (script.tool !== "" && !called) {
      yield chunk({
        tool_calls: [{
          index: 0,
          id: `call_${number}`,
          type: "function",
          function: {
            name: script.tool,
            arguments: JSON.stringify({ key: script.key }),
          },
        }],
      }) + finish("tool_calls");
      return;
    }
    for (let index = from; index < script.words;) {
      let text = "";
      const end = Math.min(index + script.burst, script.words);
      for (; index < end; index++) {
        const word = wordText({ index, call: number });
        if (script.weave) text += chunk({ reasoning_content: "hm " });
        text += chunk({ content: word });
        call.said++;
      }
      yield text;
      changed();
      if (script.hold > 0 && index >= script.hold && from < script.hold) {
        await Promise.race([released.promise, aborted(closing.signal)]);
      }
      if (script.cut > 0 && index >= script.cut && !cuts.has(script.key)) {
        cuts.add(script.key);
        throw new Error("cut");
      }
      await pause(script.pace, closing.signal);
    }
    yield finish("stop");
  }

  async function complete(req: Request): Promise<Response> {
    const { messages } = await req.json() as { messages: Message[] };
    const call = begin(req, messages);
    await options.onCall?.(call);
    changed();
    const words = answer(call, messages.at(-1)?.role === "tool");
    const end = (how: "done" | "aborted" | "cut") => {
      call.end ??= { how, at: performance.now() };
      changed();
    };
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { value, done } = await words.next();
          if (call.end !== null) return;
          if (!done) return controller.enqueue(encoder.encode(value));
          end("done");
          controller.close();
        } catch (error) {
          if (call.end !== null) return;
          end("cut");
          controller.error(error);
        }
      },
      cancel() {
        end("aborted");
        words.return(undefined);
      },
    }, { highWaterMark: 0 });
    return new Response(body, {
      headers: { "content-type": "text/event-stream" },
    });
  }

  const server = Deno.serve({
    port: 0,
    hostname: "127.0.0.1",
    onListen() {},
    // A cut connection is no failure of this server.
    onError: () => new Response(null, { status: 500 }),
  }, (req) => {
    if (new URL(req.url).pathname.endsWith("/chat/completions")) {
      return complete(req);
    }
    return Response.json({ object: "list", data: [{ id: "scripted" }] });
  });

  return {
    baseUrl: `http://127.0.0.1:${server.addr.port}/v1`,
    calls,
    callsOf,
    asked: (key, times) => when(() => callsOf(key).length >= times),
    async said(key, words) {
      const find = () =>
        calls.find((call) => call.script.key === key && call.said >= words);
      await when(() => find() !== undefined);
      return find()!;
    },
    ended: (call) => when(() => call.end !== null),
    release() {
      released.resolve();
      released = Promise.withResolvers();
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await server.shutdown();
    },
  };
}

const [HEAD, TAIL] = JSON.stringify({
  id: "chatcmpl-faults",
  object: "chat.completion.chunk",
  created: 1763800000,
  model: "scripted",
  choices: [{ index: 0, delta: "|", finish_reason: null }],
}).split('"|"') as [string, string];

function chunk(delta: unknown): string {
  return `data: ${HEAD}${JSON.stringify(delta)}${TAIL}\n\n`;
}

function finish(reason: string): string {
  const tail = TAIL.replace("null", `"${reason}"`);
  return `data: ${HEAD}{}${tail}\n\ndata: [DONE]\n\n`;
}

/** Resolves after `ms`, and at once when aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}
