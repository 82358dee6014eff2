/**
 * Runs an example as a reader would: by the command in the comment it begins
 * with, in a process of its own.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ROOT } from "../structure/imports.ts";

/** Every example by the file that is run. */
export const EXAMPLES = [
  "examples/01-ask.ts",
  "examples/02-tool.ts",
  "examples/03-mcp.ts",
  "examples/04-provider.ts",
  "examples/05-usechat/main.ts",
];

/** The one line that runs an example, from its own comment. */
export async function commandOf(example: string): Promise<string> {
  const text = await Deno.readTextFile(new URL(example, ROOT));
  const command = /^ \* (deno run .*)$/m.exec(text)?.[1];
  if (command === undefined) throw new Error(`${example} has no command`);
  return command;
}

export interface RunOptions {
  /** Put behind what the line says. */
  more?: string[];
  /** Settings; without any the demo model speaks. */
  env?: Record<string, string>;
}

/** For a program to end, or to begin to serve, ms; longer is a hang. */
const PATIENCE = 60_000;

/** What Deno says of packages it sees for the first time. */
const INSTALLING = /^(Download|Initialize) .*\n/gm;

const DENO = resolve(Deno.execPath());

async function wordsOf(example: string, more: string[] = []) {
  const line = (await commandOf(example)).replace(/^deno /, "");
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)]
    .map(([, quoted, plain]) => quoted ?? plain!);
  return [...words, ...more];
}

const surroundings = (env: Record<string, string> = {}) => ({
  cwd: ROOT,
  env: {
    // What the file of MCP servers calls `deno`.
    PATH: `${dirname(DENO)}:${Deno.env.get("PATH")}`,
    NO_COLOR: "1",
    OPENAI_API_KEY: "",
    OPENAI_BASE_URL: "",
    // Whoever runs the tests may have a model server of their own.
    OPENAI_MODEL: "tickertape-demo",
    ...env,
  },
  stdout: "piped",
  stderr: "piped",
} as const);

async function start(
  example: string,
  { more, env }: RunOptions,
): Promise<Deno.ChildProcess> {
  const args = await wordsOf(example, more);
  return new Deno.Command(DENO, {
    args,
    stdin: "null",
    ...surroundings(env),
  }).spawn();
}

/** What an example printed, piece by piece as it came. */
export interface Printed {
  text: string;
  pieces: number;
}

/** Runs an example to its end; fails if it does. */
export async function run(
  example: string,
  options: RunOptions = {},
): Promise<Printed> {
  await using child = await start(example, options);
  return await printed(child, example);
}

/** Runs another program on a terminal of its own. Elsewhere it has other flags. */
const SCRIPT = "/usr/bin/script";
export const HAS_TERMINAL = Deno.build.os === "linux" && existsSync(SCRIPT);

/** {@linkcode run} on a terminal, where a person answers what is asked. */
export async function runOnTerminal(
  example: string,
  answer: string,
): Promise<Printed> {
  const words = [DENO, ...await wordsOf(example)];
  const line = words.map((word) => `'${word}'`).join(" ");
  await using child = new Deno.Command(SCRIPT, {
    args: ["-qec", line, "/dev/null"],
    stdin: "piped",
    ...surroundings(),
  }).spawn();
  const stdin = child.stdin.getWriter();
  const result = await printed(child, example, async (text) => {
    if (text.includes("[y/N]") && answer !== "") {
      await stdin.write(new TextEncoder().encode(`${answer}\n`));
      answer = "";
    }
  });
  await stdin.close().catch(() => {});
  return result;
}

async function printed(
  child: Deno.ChildProcess,
  example: string,
  heard: (text: string) => void | Promise<void> = () => {},
): Promise<Printed> {
  const late = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  const errors = new Response(child.stderr).text();
  let text = "";
  let pieces = 0;
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += piece;
    pieces++;
    await heard(text);
  }
  const { code } = await child.status;
  clearTimeout(late);
  const complaints = await errors;
  if (code === 0) return { text, pieces };
  throw new Error(`${example} ended with ${code}: ${text}${complaints}`);
}

/** An example that goes on until it is ended. */
export interface Serving extends AsyncDisposable {
  /** The addresses it printed, by their names. */
  urls: Record<string, string>;
}

/** Starts an example that serves, and waits until it says where. */
export async function serve(
  example: string,
  options: RunOptions = {},
): Promise<Serving> {
  const env = { PORT: "0", ...options.env };
  const child = await start(example, { ...options, env });
  const late = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  const errors = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!/^Tickertape +http.*\n/m.test(text)) {
    const { value, done } = await reader.read();
    if (done) {
      clearTimeout(late);
      throw new Error(`${example} did not start: ${await errors}`);
    }
    text += value;
  }
  clearTimeout(late);
  const lines = text.matchAll(/^(\w+) +(http:\S+)$/gm);
  return {
    urls: Object.fromEntries([...lines].map(([, name, url]) => [name, url])),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await reader.cancel();
      await child.status;
      const complaints = (await errors).replace(INSTALLING, "");
      if (complaints !== "") throw new Error(`${example} said: ${complaints}`);
    },
  };
}
