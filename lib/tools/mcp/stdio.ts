/**
 * A server that is a program on this computer, spoken to over its stdin and
 * stdout (MCP, "stdio"): one JSON-RPC message per line.
 *
 * Not the SDK's own transport, because a program named in the file is often a
 * launcher (`npx`, `uvx`, a shell script): it runs in a process group of its
 * own, so that what it started ends with it, and its environment is exactly what
 * the file gave it.
 *
 * @module
 */
import {
  deserializeMessage,
  type JSONRPCMessage,
  serializeMessage,
  type Transport,
} from "@modelcontextprotocol/client";
import { FloodGate, MESSAGE_BYTES } from "./flood.ts";
import type { StdioLink } from "./file.ts";

/** How long a program may take to end by itself, then when asked to. */
const ENDS_ALONE_MS = 500;
const ENDS_ASKED_MS = 1_500;
/** Of what it complains about, the end is kept. */
const COMPLAINT = 2_000;

const GROUPS = Deno.build.os !== "windows";

export class ProgramTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport["onmessage"];
  /** With `pid`: how the SDK knows a program's pipe from a network. */
  readonly stderr = null;

  #child: Deno.ChildProcess | null = null;
  #input: WritableStreamDefaultWriter<Uint8Array> | null = null;
  #complaint = "";
  #readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
  #over: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | null = null;

  constructor(private readonly link: StdioLink) {}

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** The end of what the program wrote to stderr; for the log. */
  get complaint(): string {
    return this.#complaint.trim();
  }

  // deno-lint-ignore require-await
  async start(): Promise<void> {
    const { command, args, env, cwd } = this.link;
    const child = new Deno.Command(command, {
      args,
      env,
      clearEnv: true,
      ...(cwd === null ? {} : { cwd }),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: GROUPS,
    }).spawn();
    this.#child = child;
    this.#input = child.stdin.getWriter();
    // A pipe that breaks is noticed where it is read.
    this.#input.closed.catch(() => {});
    const [output, complaints] = [child.stdout, child.stderr]
      .map((stream) => stream.getReader());
    this.#readers = [output!, complaints!];
    const reading = this.#read(output!)
      .catch((error) => this.onerror?.(error))
      // It says no more, or it is gone: either is the end of it.
      .finally(() => void this.close());
    this.#over = Promise.all([reading, this.#listen(complaints!)]);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#input === null || this.#closing !== null) {
      throw new Error("The program has ended");
    }
    const bytes = new TextEncoder().encode(serializeMessage(message));
    await this.#input.write(bytes);
  }

  /** Ends the program and whatever it started. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    const child = this.#child;
    if (child !== null) {
      this.#input?.close().catch(() => {});
      if (!await within(ENDS_ALONE_MS, child.status)) {
        this.#kill(child, "SIGTERM");
        await within(ENDS_ASKED_MS, child.status);
      }
      // Also when it ended by itself: what it started may be left.
      this.#kill(child, "SIGKILL");
      await child.status;
      // What left the group may still hold the pipes.
      for (const reader of this.#readers) await reader.cancel().catch(() => {});
      await this.#over;
    }
    this.onclose?.();
  }

  #kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
    try {
      if (GROUPS) Deno.kill(-child.pid, signal);
      else child.kill(signal);
    } catch {
      // Gone already.
    }
  }

  async #read(output: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const gate = new FloodGate();
    const decoder = new TextDecoder();
    let pieces: string[] = [];
    let held = 0;
    while (true) {
      const { value, done } = await output.read();
      if (done) return;
      const lines = decoder.decode(value, { stream: true }).split("\n");
      for (const [i, line] of lines.entries()) {
        pieces.push(line);
        held += line.length;
        if (held > MESSAGE_BYTES) {
          throw new Error("The program sent a message that is too long");
        }
        if (i === lines.length - 1) break;
        const text = pieces.join("");
        pieces = [];
        held = 0;
        gate.take();
        this.#hear(text);
      }
    }
  }

  #hear(line: string): void {
    // Programs do print other things to stdout; the SDK passes over them too.
    if (!line.startsWith("{")) return;
    let message: JSONRPCMessage;
    try {
      message = deserializeMessage(line);
    } catch {
      this.onerror?.(new Error("The program sent a line that is no message"));
      return;
    }
    this.onmessage?.(message);
  }

  async #listen(
    complaints: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<void> {
    const decoder = new TextDecoder();
    while (true) {
      const { value, done } = await complaints.read();
      if (done) return;
      const text = decoder.decode(value, { stream: true });
      this.#complaint = (this.#complaint + text).slice(-COMPLAINT);
    }
  }
}

/** Whether `promise` settled in time. */
async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
