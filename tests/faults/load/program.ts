/**
 * Programs of this folder as processes of their own, spoken to by lines.
 *
 * @module
 */

const STOP_MS = 5_000;
/** What is kept of a program's complaints. */
const KEPT = 4_000;

export interface Program {
  readonly pid: number;
  /** What it prints; ends with the process. */
  readonly lines: AsyncIterable<string>;
  /** The last it complained of. */
  readonly complaints: string;
  write(line: string): void;
  kill(signal: Deno.Signal): void;
  /** Closes its input, waits for its end, and kills what does not end. */
  stop(): Promise<void>;
}

/**
 * Starts a program of this folder.
 *
 * @param wrap Words before the command, as in `ip netns exec <name>`.
 */
export function openProgram(
  name: string,
  args: string[] = [],
  wrap: string[] = [],
): Program {
  const command = [
    ...wrap,
    Deno.execPath(),
    "run",
    "-A",
    "--config",
    new URL("../../../deno.npm.json", import.meta.url).pathname,
    new URL(name, import.meta.url).pathname,
    ...args,
  ];
  const child = new Deno.Command(command[0]!, {
    args: command.slice(1),
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  const encoder = new TextEncoder();
  let complaints = "";
  const heard = (async () => {
    for await (
      const text of child.stderr.pipeThrough(new TextDecoderStream())
    ) {
      complaints = (complaints + text).slice(-KEPT);
    }
  })();
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch {
      // It has ended already.
    }
  };
  return {
    pid: child.pid,
    lines: linesOf(child.stdout),
    kill,
    get complaints() {
      return complaints;
    },
    write(line) {
      // Who is gone says so by the end of its lines.
      input.write(encoder.encode(`${line}\n`)).catch(() => {});
    },
    async stop() {
      const killer = setTimeout(() => kill("SIGKILL"), STOP_MS);
      await input.close().catch(() => {});
      const { success, signal } = await child.status;
      clearTimeout(killer);
      await heard;
      if (!success && signal === null) {
        throw new Error(`"${name}" failed: ${complaints}`);
      }
    },
  };
}

async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
