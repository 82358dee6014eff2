/**
 * The fake provider, a process of its own: an OpenAI-compatible server on a bare
 * socket, so that it costs as little as possible beside what is measured. What it
 * says is scripted by the question ({@linkcode question}); every token carries its
 * number and the microsecond it was sent (`tokens.ts`).
 *
 * `GET /calls` answers how many completions were asked for.
 *
 * @module
 */
import { readScript } from "./script.ts";
import { TokenWriter } from "./tokens.ts";

/** How often streams at typing pace are looked at, ms. */
const TICK_MS = 2;

interface Typing {
  connection: Deno.Conn;
  words: TokenWriter;
  /** Time between two tokens, and when the next is due, ms. */
  everyMs: number;
  due: number;
  busy: boolean;
  done: () => void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const typing = new Set<Typing>();
let calls = 0;

const HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

const [BEFORE, AFTER] = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion.chunk",
  created: 1763800000,
  model: "bench",
  choices: [{ index: 0, delta: "|", finish_reason: null }],
}).split('"|"') as [string, string];

/** One HTTP chunk with one event, as providers send them. All is ASCII. */
function event(delta: unknown, finish?: string): string {
  const after = finish === undefined ? AFTER : AFTER.replace(
    "null",
    `"${finish}"`,
  );
  return chunk(`data: ${BEFORE}${JSON.stringify(delta)}${after}\n\n`);
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

const DONE = chunk("data: [DONE]\n\n") + "0\r\n\r\n";
const END = event({}, "stop") + DONE;

async function send(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) {
    at += await connection.write(bytes.subarray(at));
  }
}

/** The next token of an answer; after the last the seal and the end. */
function nextOf(words: TokenWriter): string {
  const last = words.ending;
  const piece = event({ content: words.next() });
  return last ? piece + END : piece;
}

async function callTool(connection: Deno.Conn): Promise<void> {
  const call = {
    index: 0,
    id: `call_${calls}`,
    type: "function",
    function: {
      name: "calculator",
      arguments: JSON.stringify({ expression: "6*7" }),
    },
  };
  await send(
    connection,
    event({ tool_calls: [call] }) + event({}, "tool_calls") + DONE,
  );
}

async function answer(connection: Deno.Conn, body: string): Promise<void> {
  calls++;
  const { messages } = JSON.parse(body) as {
    messages: { role: string; content: string }[];
  };
  const script = readScript(
    messages.findLast(({ role }) => role === "user")!.content,
  );
  const last = messages.at(-1)!;
  await send(connection, HEAD);
  await new Promise((resolve) => setTimeout(resolve, script.waitMs));
  if (script.tool && last.role === "user") return await callTool(connection);
  if (script.tool && !last.content.includes("42")) {
    return await send(connection, event({ content: "wrong result" }) + END);
  }
  const words = new TokenWriter(script.tokens);
  if (script.rate === 0) {
    for (let last = false; !last;) {
      last = words.ending;
      await send(connection, nextOf(words));
    }
    return;
  }
  await new Promise<void>((done) =>
    typing.add({
      connection,
      words,
      everyMs: 1000 / script.rate,
      due: performance.now(),
      busy: false,
      done,
    })
  );
}

function tick(): void {
  const now = performance.now();
  for (const stream of typing) {
    if (stream.due > now || stream.busy) continue;
    stream.due += stream.everyMs;
    stream.busy = true;
    const last = stream.words.ending;
    const over = () => {
      typing.delete(stream);
      stream.done();
    };
    send(stream.connection, nextOf(stream.words)).then(() => {
      stream.busy = false;
      if (last) over();
    }, over);
  }
}

/** Reads requests off a connection, one after the other, until it closes. */
async function serve(connection: Deno.TcpConn): Promise<void> {
  connection.setNoDelay(true);
  const buffer = new Uint8Array(64 * 1024);
  // One character per byte, so that lengths are bytes.
  const latin = new TextDecoder("latin1");
  let have = "";
  try {
    while (true) {
      const read = await connection.read(buffer);
      if (read === null) break;
      have += latin.decode(buffer.subarray(0, read));
      const head = have.indexOf("\r\n\r\n");
      if (head === -1) continue;
      const body = bodyOf(have.slice(0, head), have.slice(head + 4));
      if (body === null) continue;
      const isCall = have.startsWith("POST ");
      have = "";
      if (isCall) {
        const bytes = Uint8Array.from(body, (char) => char.charCodeAt(0));
        await answer(connection, decoder.decode(bytes));
      } else {
        const text = String(calls);
        await send(
          connection,
          `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
        );
      }
    }
  } catch {
    // The server under test went away; its own figures tell.
  }
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}

/** The request's body once it is complete, else null. */
function bodyOf(head: string, rest: string): string | null {
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  if (!/^transfer-encoding: *chunked/im.test(head)) {
    return rest.length < length ? null : rest.slice(0, length);
  }
  if (!rest.endsWith("0\r\n\r\n")) return null;
  let body = "";
  for (let at = 0;;) {
    const line = rest.indexOf("\r\n", at);
    const size = parseInt(rest.slice(at, line), 16);
    if (size === 0) return body;
    body += rest.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}

if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  setInterval(tick, TICK_MS);
  console.log(`http://127.0.0.1:${listener.addr.port}`);
  for await (const connection of listener) serve(connection);
}
