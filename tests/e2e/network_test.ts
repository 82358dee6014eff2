/** The chat page on a bad network. */
import { assert, assertEquals } from "@std/assert";
import { startApp } from "../helpers/app.ts";
import { startProxy } from "../helpers/cutting_proxy.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { started } from "../helpers/run_client.ts";
import { browserTest, eventually } from "./browser.ts";
import { answerOf, answerSays, appears, ask, idle, visit } from "./page.ts";

const WORDS = Array.from({ length: 12 }, (_, i) => `word${i} `);

browserTest(
  "streaming R01: the page whose connection dies after every single frame shows the same text",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await using proxy = startProxy(app.url);
    // Reconnecting waits up to seconds, spread at random; here it need not.
    await page.evaluateOnNewDocument(() => {
      Math.random = () => 0;
    });
    await visit(page, proxy.url);
    proxy.cutEveryFrame = true;
    await ask(page, "Say twelve words");
    const puppet = await model.next();
    for (const word of WORDS) {
      puppet.say(word);
      await answerSays(page, word.trim());
    }
    puppet.finish();
    await idle(page);
    assertEquals((await answerOf(page)).trim(), WORDS.join("").trim());
    assert(proxy.cuts > WORDS.length, `${proxy.cuts} cuts`);
    assertEquals(model.count, 1);
  },
);

browserTest(
  "streaming R16: offline and back: the answer goes on where it was",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await using proxy = startProxy(app.url);
    await visit(page, proxy.url);
    await ask(page, "Hello");
    const puppet = await model.next();
    puppet.say("before ");
    await answerSays(page, "before");
    proxy.down();
    await page.setOfflineMode(true);
    puppet.say("meanwhile ");
    await appears(page, "connection");
    proxy.up();
    await page.setOfflineMode(false);
    await answerSays(page, "before meanwhile");
    puppet.say("after").finish();
    await answerSays(page, "before meanwhile after");
    await idle(page);
    assertEquals(model.count, 1);
  },
);

browserTest(
  "N10: a message sent while the server is away is kept and sent once",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await using proxy = startProxy(app.url);
    await visit(page, proxy.url);
    proxy.down();
    await ask(page, "Do not lose me");
    await eventually(
      page,
      () => document.body.textContent!.includes("Do not lose me"),
    );
    proxy.up();
    const again = await page.$('[data-testid="resend"]');
    if (again !== null) await again.click();
    const puppet = await model.next();
    puppet.say("Here you are.").finish();
    await answerSays(page, "Here you are.");
    assertEquals(model.count, 1);
    const { chats } = await (await fetch(`${app.url}/api/chats`)).json();
    assertEquals(chats.length, 1);
  },
);

browserTest(
  "the tutorial's page shows the whole answer once, newlines and all",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    const html = await Deno.readTextFile(
      new URL("../fixtures/tutorial.html", import.meta.url),
    );
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      if (request.url() === `${app.url}/tutorial.html`) {
        request.respond({
          contentType: "text/html; charset=utf-8",
          body: html,
        });
      } else request.continue();
    });
    await page.goto(`${app.url}/tutorial.html`);
    await page.type("#question", "下一班公交几点？");
    await page.click("#send");
    const first = await model.next();
    first.say("Let me look.").call("echo", { say: "08:30" });
    const puppet = await model.next();
    for (
      const token of ["At", " 08:30", "\n", "\n\n", "- data: x", " 👍"]
    ) puppet.say(token);
    puppet.finish();
    await eventually(
      page,
      () => document.querySelector(".bot")?.textContent?.includes("👍"),
    );
    // The page's own onerror ends the EventSource; nothing is asked again.
    await app.until(() => app.readers() === 0);
    const bubbles = await page.$$eval(
      "#log div",
      (all) => all.map((e) => [e.className, e.textContent]),
    );
    assertEquals(bubbles, [
      ["user", "下一班公交几点？"],
      ["bot", "Let me look.\n\nAt 08:30\n\n\n- data: x 👍"],
    ]);
    assertEquals(model.count, 2);
  },
);

browserTest(
  "E08, streaming R02: a native EventSource reads plain text and events to the end, and is CLOSED by 204",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      if (request.url() === `${app.url}/blank.html`) {
        request.respond({ contentType: "text/html", body: "<!DOCTYPE html>" });
      } else request.continue();
    });
    await page.goto(`${app.url}/blank.html`);
    const read = (path: string) =>
      page.evaluate(async (path) => {
        const source = new EventSource(path);
        const heard: string[] = [];
        source.onmessage = (event) => void heard.push(event.data);
        await new Promise<void>((resolve) => {
          source.onerror = () => {
            if (source.readyState === EventSource.CLOSED) resolve();
          };
        });
        return heard;
      }, path);

    const plain = read("/print_stream?question=hi");
    (await model.next()).say("plain\n\n", "  text").finish();
    assertEquals((await plain).join(""), "plain\n\n  text");

    const { run_id } = await started(app, { text: "hi" });
    const events = read(`/api/runs/${run_id}/events`);
    (await model.next()).say("told ", "as events").finish();
    const heard = await events;
    assertEquals(heard.pop(), "[DONE]");
    const text = heard.map((data) => JSON.parse(data))
      .filter((event) => event.type === "text-delta")
      .map((event) => event.delta);
    assertEquals(text.join(""), "told as events");
    assertEquals(model.count, 2, "nothing was asked again");
  },
);
