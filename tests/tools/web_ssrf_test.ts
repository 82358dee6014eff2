import { assert, assertEquals } from "@std/assert";
import { WebError } from "../../lib/tools/web/errors.ts";
import { PUBLIC, Stage } from "./web_stage.ts";
import { attempt, host, random } from "./web_spellings.ts";

/** CI size of goal G9; a release tries 5,000. */
const ATTEMPTS = Deno.env.get("TICKERTAPE_FULL") === "1" ? 5_000 : 1_000;
const AT_ONCE = 20;

Deno.test("the canary sings when somebody comes", async () => {
  await using stage = await Stage.open();
  const socket = stage.network.dial("10.0.0.1", 80);
  await new Promise((resolve) => socket.once("data", resolve));
  assertEquals(stage.accepts, 1);
  socket.destroy();
  await stage.quiet();
});

Deno.test("G9: no spelling, redirect or resolver leads the web reader inside", async () => {
  const seed = Number(Deno.env.get("SEED") ?? 20_261_122);
  await using stage = await Stage.open();
  host(stage);
  const next = random(seed);
  const tally = new Map<string, number>();
  const start = performance.now();
  let refused = 0, byAddress = 0, harmless = 0;
  for (let n = 0; n < ATTEMPTS; n += AT_ONCE) {
    const asked = Array.from({ length: AT_ONCE }, async (_, i) => {
      const { url, way } = attempt(stage, n + i, next);
      tally.set(way, (tally.get(way) ?? 0) + 1);
      try {
        await stage.fetch(url);
      } catch (error) {
        assert(error instanceof WebError, `${url}: ${error}`);
        refused++;
        if (error.message.includes("public address")) byAddress++;
        if (error.message.includes("that is not public")) byAddress++;
        return;
      }
      assert(false, `seed ${seed}: ${JSON.stringify(url)} was read`);
    });
    // What is allowed must go on working between the attempts.
    const fine = stage.fetch(`http://public.test/${n}`);
    await Promise.all([...asked, fine.then(() => harmless++)]);
  }
  const ms = Math.round(performance.now() - start);
  const strange = stage.dialled.filter((to) =>
    !PUBLIC.some((address) => [`${address} 80`, `${address} 443`].includes(to))
  );
  console.log(
    `G9: ${ATTEMPTS} attempts (${
      [...tally].map(([way, n]) => `${n} ${way}`).join(", ")
    }), ${refused} refused (${byAddress} for the address), ${stage.accepts} accepts on the canary, ` +
      `${harmless} of ${ATTEMPTS / AT_ONCE} harmless pages read, ` +
      `${ms} ms, seed ${seed}`,
  );
  assertEquals([stage.accepts, strange], [0, []]);
  assertEquals(refused, ATTEMPTS);
  assertEquals(harmless, ATTEMPTS / AT_ONCE);
});
