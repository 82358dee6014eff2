/** A message from the first press on: never lost, never asked twice. */
import { assert, assertEquals } from "@std/assert";
import { startApp } from "../helpers/app.ts";
import { startProxy } from "../helpers/cutting_proxy.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { browserTest, eventually, textOf } from "./browser.ts";
import {
  answerSays,
  appears,
  ask,
  click,
  count,
  idle,
  texts,
  visit,
} from "./page.ts";

const chats = async (url: string) =>
  (await (await fetch(`${url}/api/chats`)).json()).chats;

browserTest(
  "safety R29: what is sent without a network is there, and goes out once it is back",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await page.setOfflineMode(true);
    await ask(page, "Do not lose me");
    await ask(page, "Nor me");
    assertEquals(await texts(page, "question"), ["Do not lose me"]);
    await appears(page, "queue-item");
    assertEquals(model.count, 0);
    await page.setOfflineMode(false);
    const puppet = await model.next();
    assertEquals(puppet.request.messages.at(-1)!.text, "Do not lose me");
    puppet.say("Here.").finish();
    (await model.next()).say("Both here.").finish();
    await answerSays(page, "Both here.");
    await idle(page);
    assertEquals(await texts(page, "question"), ["Do not lose me", "Nor me"]);
    assertEquals((await chats(app.url)).length, 1);
    assertEquals(model.count, 2);
  },
);

browserTest(
  "safety R29: a session that ends while typing: the words stay, and go out after the next login",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    let ended = true;
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      if (ended && new URL(request.url()).pathname.startsWith("/api/")) {
        request.respond({
          status: 401,
          contentType: "application/json",
          body: "{}",
        });
      } else request.continue();
    });
    await ask(page, "Written too late");
    await appears(page, "unsent");
    const words = await textOf(page, "unsent");
    assert(words.includes("sign in"), words);
    assert(words.includes("kept on this device"), words);
    ended = false;
    // The login brings the page anew.
    await visit(page, app.url);
    (await model.next()).say("In time.").finish();
    await answerSays(page, "In time.");
    assertEquals(await texts(page, "question"), ["Written too late"]);
    assertEquals(model.count, 1);
  },
);

browserTest(
  "safety R23, N9: a server whose disk is full says so, keeps the words on the page, and takes them later",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    let full = true;
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      if (full && request.method() === "POST") {
        request.respond({
          status: 507,
          contentType: "application/problem+json",
          body: JSON.stringify({ code: "store_full" }),
        });
      } else request.continue();
    });
    await ask(page, "No room for me");
    // A network that comes back ends the pauses between the tries.
    await eventually(page, () => {
      dispatchEvent(new Event("online"));
      return document.querySelector('[data-testid="unsent"]') !== null;
    });
    assert((await textOf(page, "unsent")).includes("no room left"));
    full = false;
    await click(page, "resend");
    (await model.next()).say("There is.").finish();
    await answerSays(page, "There is.");
    assertEquals(model.count, 1);
  },
);

browserTest(
  "safety R11, N10: two tabs with the same unsent message ask it once, and each shows it once",
  async ({ page, browser }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "First");
    (await model.next()).say("Yes.").finish();
    await idle(page);
    const chat = page.url();
    // As a page leaves it that was closed before the server had answered.
    await page.evaluate((chat) => {
      const message = { key: "one-key", chat, text: "Second", order: 1 };
      localStorage.setItem("tt_outbox:one-key", JSON.stringify(message));
    }, new URL(chat).pathname.split("/").at(-1)!);
    const other = await browser.newPage();
    await Promise.all([visit(page, chat), visit(other, chat)]);
    (await model.next()).say("Once.").finish();
    for (const tab of [page, other]) {
      await tab.bringToFront();
      await answerSays(tab, "Once.");
      await idle(tab);
      assertEquals(await texts(tab, "question"), ["First", "Second"]);
      assertEquals(await count(tab, "queue"), 0);
    }
    assertEquals(model.count, 2);
  },
);

browserTest(
  "safety R12: two tabs ask at the same moment: one is answered, the other waits for it, nothing is lost",
  async ({ page, browser }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "First");
    (await model.next()).say("Yes.").finish();
    await idle(page);
    const other = await browser.newPage();
    await visit(other, page.url());
    await page.bringToFront();
    await page.type("#composer", "from one");
    await other.bringToFront();
    await other.type("#composer", "from two");
    const press = () =>
      document.querySelector<HTMLElement>('[data-testid="send"]')!.click();
    await Promise.all([page.evaluate(press), other.evaluate(press)]);
    const heard: string[] = [];
    for (let i = 0; i < 2; i++) {
      const puppet = await model.next();
      heard.push(puppet.request.messages.at(-1)!.text ?? "");
      puppet.say(`Answer ${i}.`).finish();
    }
    assertEquals([...heard].sort(), ["from one", "from two"]);
    for (const tab of [page, other]) {
      await tab.bringToFront();
      await answerSays(tab, "Answer 1.");
      await idle(tab);
      assertEquals(await texts(tab, "question"), ["First", ...heard]);
    }
    assertEquals(model.count, 3);
  },
);

browserTest(
  "safety R11: a double press asks once, with scripts and without",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await page.click('[data-testid="suggestion"]', { count: 2 });
    (await model.next()).say("Soon.").finish();
    await idle(page);
    assertEquals(await count(page, "turn"), 1);
    await page.type("#composer", "Twice");
    await page.click('[data-testid="send"]', { count: 2 });
    (await model.next()).say("Once.").finish();
    await answerSays(page, "Once.");
    await idle(page);
    assertEquals(await count(page, "turn"), 2);

    await page.setJavaScriptEnabled(false);
    await page.goto(app.url);
    await page.type("#composer", "No scripts");
    await Promise.all([
      page.waitForNavigation(),
      page.click('[data-testid="send"]', { count: 2 }),
    ]);
    (await model.next()).say("Nor twice.").finish();
    const form = await (await fetch(app.url)).text();
    const [, key] = /name="idempotency_key" value="(\w+)"/.exec(form)!;
    const post = () =>
      fetch(`${app.url}/ask`, {
        method: "POST",
        redirect: "manual",
        headers: { origin: app.url },
        body: new URLSearchParams({ text: "By hand", idempotency_key: key! }),
      });
    const [one, two] = await Promise.all([post(), post()]);
    assertEquals([one.status, two.status], [303, 303]);
    assertEquals(one.headers.get("location"), two.headers.get("location"));
    (await model.next()).say("By hand, once.").finish();
    await Promise.all([one.body?.cancel(), two.body?.cancel()]);
    assertEquals((await chats(app.url)).length, 3);
    assertEquals(model.count, 4);
  },
);

browserTest(
  "N10: a page that is reloaded before its message has arrived shows it and sends it, once",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await using proxy = startProxy(app.url);
    await visit(page, proxy.url);
    let hold = true;
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      // Its answer never comes: nobody knows whether it has arrived.
      if (hold && request.method() === "POST") return;
      request.continue();
    });
    await ask(page, "Am I there?");
    await appears(page, "sending");
    hold = false;
    await page.reload({ waitUntil: "load" });
    (await model.next()).say("You are.").finish();
    await answerSays(page, "You are.");
    assertEquals(await texts(page, "question"), ["Am I there?"]);
    await idle(page);
    assertEquals(model.count, 1);
    assertEquals(
      await page.evaluate(() => Object.keys(localStorage).join()),
      "",
      "nothing is left behind",
    );
    await eventually(page, () => location.pathname.startsWith("/c/"));
    await click(page, "new-chat");
    assertEquals(await count(page, "turn"), 0);
  },
);
