import { assertEquals } from "@std/assert";

const source = `
import { createLog } from ${
  JSON.stringify(new URL("../../lib/log.ts", import.meta.url).href)
};
import { guardProcess } from ${
  JSON.stringify(
    new URL("../../lib/web/process_guard.ts", import.meta.url).href,
  )
};
if (Deno.args[0] === "guarded") guardProcess(createLog({ human: false }));
const faults = {
  // A promise of a tool that nobody awaits any more.
  rejection: () => void Promise.reject(new Error("fault rejection")),
  timer: () => setTimeout(() => { throw new Error("fault timer"); }),
  microtask: () => queueMicrotask(() => { throw new Error("fault microtask"); }),
  stream: () => new ReadableStream({
    start() {},
    async cancel() { throw new Error("fault stream"); },
  }).cancel(),
};
const server = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) },
  (req) => {
    faults[new URL(req.url).pathname.slice(1)]?.();
    return new Response("up");
  },
);
await server.finished;
`;

const FAULTS = ["rejection", "timer", "microtask", "stream"];

interface Child {
  url: string;
  /** Lines of stderr, as they come. */
  lines: AsyncIterator<string>;
  ended: Promise<Deno.CommandStatus>;
}

async function* linesOf(stream: ReadableStream<Uint8Array>) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

async function withChild(
  mode: "guarded" | "bare",
  use: (child: Child) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const file = `${dir}/child.ts`;
    await Deno.writeTextFile(file, source);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--no-config", file, mode],
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    // Ends a child that neither logs nor dies, and with it the test.
    const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
    const printed = linesOf(child.stdout);
    const lines = linesOf(child.stderr);
    try {
      const url = `http://127.0.0.1:${(await printed.next()).value}`;
      await use({ url, lines, ended: child.status });
    } finally {
      clearTimeout(late);
      try {
        child.kill("SIGKILL");
      } catch {
        // It died by itself.
      }
      await child.status;
      for (const rest of [printed, lines]) while (!(await rest.next()).done);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("safety R26: four kinds of stray errors are logged and the process stays up (DN1)", async () => {
  await withChild("guarded", async ({ url, lines }) => {
    for (const fault of [...FAULTS, ...FAULTS]) {
      assertEquals(await (await fetch(`${url}/${fault}`)).text(), "up");
      const line = JSON.parse((await lines.next()).value!);
      assertEquals(
        [line.level, line.cause],
        ["error", `Error: fault ${fault}`],
      );
    }
    assertEquals(await (await fetch(url)).text(), "up");
  });
});

Deno.test("safety R26: without the process guard each of them ends the process", async () => {
  for (const fault of FAULTS) {
    await withChild("bare", async ({ url, ended }) => {
      await fetch(`${url}/${fault}`).then((res) => res.text(), () => {});
      assertEquals((await ended).code, 1, fault);
    });
  }
});
