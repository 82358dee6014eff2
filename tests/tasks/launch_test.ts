import { assert, assertEquals, assertMatch } from "@std/assert";
import { findHost } from "../../tasks/launch.ts";

/** Runs with some variables set or taken away, then puts them back. */
async function withEnv(
  values: Record<string, string | undefined>,
  fn: () => Promise<void>,
): Promise<void> {
  const before = Object.keys(values).map((name) =>
    [name, Deno.env.get(name)] as const
  );
  const put = (name: string, value: string | undefined) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  for (const [name, value] of Object.entries(values)) put(name, value);
  try {
    await fn();
  } finally {
    for (const [name, value] of before) put(name, value);
  }
}

/** A package registry that answers as it is told. */
function registry(answer: () => Response | Promise<Response>) {
  return Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    answer,
  );
}

Deno.test("findHost() takes Fresh where JSR answers, npm where it does not, and says why", async (t) => {
  await t.step("it answers", async () => {
    await using server = registry(() => new Response("{}"));
    const JSR_URL = `http://127.0.0.1:${server.addr.port}/`;
    await withEnv({ JSR_URL, TICKERTAPE_SERVE_WITH: undefined }, async () => {
      const { host, why } = await findHost();
      assertEquals([host, why], ["fresh", "JSR can be reached"]);
    });
  });
  await t.step("it answers with an error", async () => {
    await using server = registry(() => new Response(null, { status: 403 }));
    const JSR_URL = `http://127.0.0.1:${server.addr.port}/`;
    await withEnv({ JSR_URL, TICKERTAPE_SERVE_WITH: undefined }, async () => {
      const { host, why } = await findHost();
      assertEquals([host, why], ["npm", "JSR cannot be reached: status 403"]);
    });
  });
  await t.step("nobody is there", async () => {
    const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const JSR_URL = `http://127.0.0.1:${listener.addr.port}/`;
    listener.close();
    await withEnv({ JSR_URL, TICKERTAPE_SERVE_WITH: undefined }, async () => {
      const { host, why } = await findHost();
      assertEquals([host, why], [
        "npm",
        "JSR cannot be reached: no connection",
      ]);
    });
  });
  await t.step("it never answers", async () => {
    const hold = Promise.withResolvers<Response>();
    await using server = registry(() => hold.promise);
    const JSR_URL = `http://127.0.0.1:${server.addr.port}/`;
    await withEnv({ JSR_URL, TICKERTAPE_SERVE_WITH: undefined }, async () => {
      const started = performance.now();
      const { host, why } = await findHost();
      const took = performance.now() - started;
      assertEquals(host, "npm");
      assertMatch(why, /no answer in 1500 ms/);
      assert(took < 2_500, `waited ${took} ms`);
    });
    hold.resolve(new Response());
  });
});

Deno.test("TICKERTAPE_SERVE_WITH decides without asking anybody", async () => {
  for (const wish of ["fresh", "npm"]) {
    const env = { JSR_URL: "http://127.0.0.1:9/", TICKERTAPE_SERVE_WITH: wish };
    await withEnv(env, async () => {
      const { host, why } = await findHost();
      assertEquals([host, why], [wish, "TICKERTAPE_SERVE_WITH says so"]);
    });
  }
});
