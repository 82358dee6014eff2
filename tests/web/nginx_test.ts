/**
 * The stream behind a proxy as most people set one up. Skipped with a printed
 * reason where there is no nginx, unless `TICKERTAPE_E2E=require`.
 */
import { assert, assertEquals } from "@std/assert";
import { startApp } from "../helpers/app.ts";
import { foldFrames, type Frame, frames } from "../helpers/frames.ts";
import { noNginx, startNginx } from "../helpers/nginx.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { started } from "../helpers/run_client.ts";

const required = Deno.env.get("TICKERTAPE_E2E") === "require";
if (noNginx !== null && !required) {
  console.log(`The nginx test is skipped: ${noNginx}.`);
}

Deno.test({
  name:
    "E05: nginx with its defaults passes each frame as it comes, and heartbeats outlive its read timeout",
  ignore: noNginx !== null && !required,
  async fn() {
    const model = new PuppetModel();
    // Fifteen seconds and sixty, made smaller by the same factor.
    await using app = await startApp({ model, limits: { beatMs: 300 } });
    await using proxy = await startNginx(
      [app.url],
      "proxy_read_timeout 1200ms;",
    );
    const { run_id } = await started(app, { text: "hello" });
    const puppet = await model.next();
    const response = await fetch(`${proxy.url}/api/runs/${run_id}/events`);
    const list: Frame[] = [];
    const words = ["one ", "two ", "three ", "four "];
    puppet.say(words.shift()!);
    for await (const frame of frames(response)) {
      list.push(frame);
      if (!frame.data.includes("text-delta")) continue;
      // The next word is said only when the last one has come through: a proxy
      // that holds frames back would hold this test up for ever.
      const word = words.shift();
      if (word !== undefined) {
        puppet.say(word);
        continue;
      }
      // Twice the read timeout without a word.
      await new Promise((resolve) => setTimeout(resolve, 2_400));
      puppet.finish();
    }
    const answer = foldFrames(run_id, list);
    assertEquals(answer.status, "complete");
    assertEquals(list.at(-1)?.data, "[DONE]");
    assert(
      list.filter((frame) => frame.data.includes("text-delta")).length >= 4,
    );
  },
});
