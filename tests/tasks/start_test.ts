/**
 * `deno task start` as a person runs it: a process of its own.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { ROOT } from "../structure/imports.ts";

/** The one these tests run with. */
const HOST = Deno.env.get("TICKERTAPE_SERVE_WITH") === "fresh"
  ? "fresh"
  : "npm";

interface Started extends AsyncDisposable {
  url: string;
  /** What was printed up to the model's line. */
  text: string;
  /** Ends it as a service manager does; answers the exit code. */
  stop(): Promise<number>;
}

function command(task: string, env: Record<string, string>): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", `tasks/${task}.ts`],
    cwd: ROOT,
    env: {
      TICKERTAPE_SERVE_WITH: HOST,
      TICKERTAPE_LOG: "error",
      OPENAI_API_KEY: "",
      OPENAI_BASE_URL: "",
      OPENAI_MODEL: "tickertape-demo",
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function start(env: Record<string, string>): Promise<Started> {
  const child = command("start", env).spawn();
  const errors = new Response(child.stderr).text();
  let text = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!/^model.*\n/m.test(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`It did not start: ${await errors}`);
    text += value;
  }
  let ended: Promise<number> | undefined;
  const stop = () =>
    ended ??= (async () => {
      child.kill("SIGTERM");
      await reader.cancel();
      await errors;
      return (await child.status).code;
    })();
  return {
    url: /^Tickertape +(http:\S+)$/m.exec(text)![1]!,
    text,
    stop,
    [Symbol.asyncDispose]: async () => void await stop(),
  };
}

Deno.test("deno task start prints address, host and model, serves, and ends in order", async () => {
  const data = await Deno.makeTempDir();
  try {
    const began = performance.now();
    await using app = await start({ PORT: "0", TICKERTAPE_DATA: data });
    const response = await fetch(`${app.url}/healthz`);
    assertEquals([response.status, await response.text()], [200, "ok\n"]);
    const took = performance.now() - began;
    assert(took < 10_000, `first byte after ${Math.round(took)} ms`);
    assertMatch(app.text, new RegExp(`^host +${HOST}$`, "m"));
    assertMatch(app.text, /^model +tickertape-demo \(built-in demo;/m);
    // An open stream must not keep it from ending.
    const stream = await fetch(`${app.url}/print_stream?question=hello`);
    const reader = stream.body!.getReader();
    await reader.read();
    assertEquals(await app.stop(), 0);
    await reader.cancel().catch(() => {});
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});

Deno.test("a port that is taken is said in words, with another to try", async () => {
  const data = await Deno.makeTempDir();
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  try {
    const { port } = listener.addr;
    const output = await command("start", {
      PORT: String(port),
      TICKERTAPE_DATA: data,
    }).output();
    const said = new TextDecoder().decode(output.stderr);
    assertEquals(output.code, 1);
    assertStringIncludes(said, `Cannot listen on port ${port}`);
    assertStringIncludes(said, `PORT=${port + 1} deno task start`);
    assert(!said.includes("    at "), said);
  } finally {
    listener.close();
    await Deno.remove(data, { recursive: true });
  }
});

Deno.test("wrong settings are said together, before anything is opened", async () => {
  const output = await command("start", {
    PORT: "eighty",
    TICKERTAPE_LANG: "fr",
  }).output();
  const said = new TextDecoder().decode(output.stderr);
  assertEquals(output.code, 1);
  assertStringIncludes(said, "Cannot start. 2 settings are wrong");
  assertStringIncludes(said, "PORT");
  assertStringIncludes(said, "TICKERTAPE_LANG");
});

Deno.test("deno task doctor tells what is well and what is not, without secrets", async () => {
  const data = await Deno.makeTempDir();
  try {
    const key = "sk-canary-5f1c9a";
    await Deno.writeTextFile(`${data}/tickertape.db`, "no database at all");
    const output = await command("doctor", {
      TICKERTAPE_DATA: data,
      PORT: "0",
      OPENAI_API_KEY: key,
      OPENAI_BASE_URL: "http://127.0.0.1:9/v1",
      OPENAI_MODEL: "any",
    }).output();
    const text = new TextDecoder().decode(output.stdout);
    assertEquals(output.code, 1);
    assertMatch(text, /^ok +deno +2\./m);
    assertMatch(text, /^ok +sqlite +3\./m);
    assertMatch(text, /^ok +data +.* can be written$/m);
    assertMatch(text, /^fail +database +.*tickertape\.db/m);
    assertMatch(text, /^fail +model +.*cannot be reached/m);
    assert(!text.includes(key), text);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});
