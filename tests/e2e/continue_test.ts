/** Going on with an answer, answering anew, and asking otherwise. */
import type { Page } from "puppeteer-core";
import { assert, assertEquals } from "@std/assert";
import { ModelError } from "../../lib/agent/contracts.ts";
import { openStore } from "../../lib/store/mod.ts";
import { startApp } from "../helpers/app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { browserTest, eventually, textOf } from "./browser.ts";
import {
  answerOf,
  answerSays,
  appears,
  ask,
  click,
  count,
  idle,
  texts,
  visit,
} from "./page.ts";

/** Remembers the last text of the last answer, as the browser draws it. */
const remember = (page: Page) =>
  page.evaluate(() => {
    const prose = [...document.querySelectorAll('[data-testid="answer-text"]')]
      .at(-1)!;
    const walker = document.createTreeWalker(prose, NodeFilter.SHOW_TEXT);
    let last = walker.nextNode();
    for (let node = last; node !== null; node = walker.nextNode()) last = node;
    const seen: string[] = [];
    Reflect.set(globalThis, "kept", last);
    Reflect.set(globalThis, "seen", seen);
    new MutationObserver(() => seen.push(prose.textContent!)).observe(prose, {
      subtree: true,
      childList: true,
      characterData: true,
    });
  });

/** What has the focus. */
const focused = (page: Page) =>
  page.evaluate(() => document.activeElement!.getAttribute("data-testid"));

/** That text, if it is still there, and all it was in between. */
const kept = (page: Page) =>
  page.evaluate(() => {
    const node: Text = Reflect.get(globalThis, "kept");
    const seen: string[] = Reflect.get(globalThis, "seen");
    return { text: node.isConnected ? node.data : null, seen };
  });

browserTest(
  "N5, safety R07: Continue after a stop goes on in the very same text, in both tabs, once",
  async ({ page, browser }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "Tell me a story");
    const first = await model.next();
    first.say("A **short** story.\n\nOnce upon a time there was");
    await answerSays(page, "there was");
    await click(page, "stop");
    await appears(page, "stopped");
    await idle(page);
    const other = await browser.newPage();
    await visit(other, page.url());
    await page.bringToFront();
    await remember(page);
    await remember(other);
    const shown = await answerOf(page);
    // Twice, as impatient people do.
    await page.evaluate(() => {
      const button = document.querySelector<HTMLElement>(
        '[data-testid="go-on"]',
      )!;
      button.click();
      button.click();
    });
    const second = await model.next();
    await appears(page, "stop");
    assertEquals(await count(page, "stopped"), 0);
    second.say(" a tape");
    await answerSays(page, "there was a tape");
    second.say(" that forgot nothing.").finish();
    for (const tab of [page, other]) {
      await tab.bringToFront();
      await answerSays(tab, "that forgot nothing.");
      await idle(tab);
      const { text, seen } = await kept(tab);
      assertEquals(
        text,
        "Once upon a time there was a tape that forgot nothing.",
      );
      assert(seen.length > 0);
      assertEquals(seen.filter((each) => !each.startsWith(shown)), []);
      assertEquals(await count(tab, "turn"), 1);
      assertEquals(await count(tab, "answer"), 1);
      assertEquals(await count(tab, "versions"), 0, "it is no other version");
    }
    assertEquals(model.count, 2);
    await page.reload({ waitUntil: "load" });
    assert((await answerOf(page)).startsWith(shown));
  },
);

browserTest(
  "safety R06 R07: an answer the server's end has cut off offers to go on, and does",
  async ({ page }) => {
    const dir = await Deno.makeTempDir();
    const open = () => openStore({ kind: "sqlite", path: `${dir}/chats.db` });
    try {
      const model = new PuppetModel();
      let chat = "";
      {
        await using app = await startApp({ model, store: open() });
        await visit(page, app.url);
        await ask(page, "Count");
        (await model.next()).say("one, two");
        await answerSays(page, "one, two");
        chat = new URL(page.url()).pathname;
      }
      await using app = await startApp({ model, store: open() });
      await visit(page, app.url + chat);
      await appears(page, "answer-error");
      assert(
        (await textOf(page, "answer-error")).includes("The server stopped"),
      );
      await remember(page);
      await click(page, "go-on");
      const puppet = await model.next();
      puppet.say(", three");
      puppet.finish();
      await answerSays(page, "one, two, three");
      await idle(page);
      const { text, seen } = await kept(page);
      assertEquals(text, "one, two, three");
      assertEquals(seen.filter((each) => !each.startsWith("one, two")), []);
      assertEquals(await count(page, "answer-error"), 0);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);

browserTest(
  "Continue stands beside Retry after an error; Retry makes another version, not another question",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "Hello");
    const first = await model.next();
    first.say("A part of");
    first.fail(
      new ModelError("upstream_truncated", "cut", { retryable: true }),
    );
    await appears(page, "answer-error");
    assertEquals(await count(page, "go-on"), 1);
    await click(page, "retry");
    (await model.next()).say("A whole answer.").finish();
    await answerSays(page, "A whole answer.");
    await idle(page);
    assertEquals(await texts(page, "question"), ["Hello"]);
    await appears(page, "versions");
    assertEquals(await textOf(page, "version"), "2 / 2");
    await click(page, "version-before");
    await answerSays(page, "A part of");
    await appears(page, "answer-error");
  },
);

browserTest(
  "an answer made anew is a version; the keyboard goes from one to the other, and the choice lasts",
  async ({ page, browser, errors }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "Heads or tails?");
    (await model.next()).say("Heads.").finish();
    await answerSays(page, "Heads.");
    await idle(page);
    await page.focus('[data-testid="anew"]');
    await page.keyboard.press("Enter");
    const second = await model.next();
    assertEquals(second.request.messages.at(-1)!.text, "Heads or tails?");
    assertEquals(await focused(page), "composer-input");
    second.say("Tails.").finish();
    await answerSays(page, "Tails.");
    await idle(page);
    await appears(page, "versions");
    const other = await browser.newPage();
    await visit(other, page.url());
    await page.bringToFront();
    await page.focus('[data-testid="version-before"]');
    await page.keyboard.press("Enter");
    await answerSays(page, "Heads.");
    assertEquals(await textOf(page, "version"), "1 / 2");
    assertEquals(await focused(page), "version-before", "the focus stays");
    await other.bringToFront();
    await answerSays(other, "Heads.");
    await page.bringToFront();
    await page.reload({ waitUntil: "load" });
    assertEquals((await answerOf(page)).trim(), "Heads.");
    await page.waitForSelector("[data-ready]");
    await click(page, "version-after");
    await answerSays(page, "Tails.");
    assertEquals(model.count, 2);
    assertEquals(errors, []);
  },
);

browserTest(
  "a version is shown where its question stands, however long it goes on below",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "Short?");
    (await model.next()).say("Short.").finish();
    await answerSays(page, "Short.");
    await idle(page);
    await ask(page, "And long?");
    (await model.next()).say("Long.\n\n".repeat(60)).say("The end.").finish();
    await answerSays(page, "The end.");
    await idle(page);
    await page.focus('[data-testid="edit-question"]');
    await page.keyboard.press("Enter");
    await appears(page, "question-input");
    await page.keyboard.type(" Really?");
    await page.keyboard.press("Enter");
    (await model.next()).say("Yes.").finish();
    await answerSays(page, "Yes.");
    await idle(page);
    await appears(page, "versions");
    const top = () =>
      page.$eval(
        '[data-testid="question"]',
        (question) => Math.round(question.getBoundingClientRect().top),
      );
    const before = await top();
    await click(page, "version-before");
    await answerSays(page, "The end.");
    await appears(page, "to-end");
    assertEquals(await top(), before);
    await click(page, "version-after");
    await answerSays(page, "Yes.");
    assertEquals(await top(), before);
    await eventually(
      page,
      () => document.querySelector('[data-testid="to-end"]') === null,
    );
  },
);

browserTest(
  "a question is edited in its place: another branch, and the way back",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "What is one plus one?");
    (await model.next()).say("Two.").finish();
    await answerSays(page, "Two.");
    await idle(page);
    await ask(page, "And doubled?");
    (await model.next()).say("Four.").finish();
    await answerSays(page, "Four.");
    await idle(page);

    await click(page, "edit-question");
    await appears(page, "question-input");
    await page.keyboard.type(" Quickly");
    await page.keyboard.press("Escape");
    await eventually(
      page,
      () => document.querySelector('[data-testid="question-input"]') === null,
    );
    assertEquals(await texts(page, "question"), [
      "What is one plus one?",
      "And doubled?",
    ]);
    await eventually(
      page,
      () =>
        document.activeElement!.getAttribute("data-testid") === "edit-question",
    );

    await page.keyboard.press("Enter");
    await appears(page, "question-input");
    await page.$eval(
      '[data-testid="question-input"]',
      (input) => (input as HTMLTextAreaElement).select(),
    );
    await page.keyboard.type("What is two plus two?");
    await page.keyboard.press("Enter");
    const puppet = await model.next();
    assertEquals(puppet.request.messages.at(-1)!.text, "What is two plus two?");
    assertEquals(
      puppet.request.messages.some(({ text }) => text === "Two."),
      false,
      "the other branch is not told",
    );
    puppet.say("Four, too.").finish();
    await answerSays(page, "Four, too.");
    await idle(page);
    assertEquals(await texts(page, "question"), ["What is two plus two?"]);
    await appears(page, "versions");
    await click(page, "version-before");
    await answerSays(page, "Four.");
    assertEquals(await texts(page, "question"), [
      "What is one plus one?",
      "And doubled?",
    ]);
    assertEquals(model.count, 3);
  },
);

browserTest(
  "a chat is deleted after a question that names it, and everything can be taken along before",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "A secret");
    (await model.next()).say("Nobody will know.").finish();
    await idle(page);
    const address = page.url();
    const href = await page.$eval(
      '[data-testid="export"]',
      (link) => (link as HTMLAnchorElement).href,
    );
    const everything = await (await fetch(href)).text();
    assert(everything.includes("Nobody will know."));
    await page.focus('[data-testid="delete-chat"]');
    await page.keyboard.press("Enter");
    await appears(page, "delete-dialog");
    assert((await textOf(page, "delete-dialog")).includes("A secret"));
    await page.keyboard.press("Escape");
    await eventually(
      page,
      () => document.querySelector('[data-testid="delete-dialog"]') === null,
    );
    assertEquals(await count(page, "chat-link"), 1);
    await page.focus('[data-testid="delete-chat"]');
    await page.keyboard.press("Enter");
    await appears(page, "delete-dialog");
    await click(page, "delete-confirm");
    await eventually(
      page,
      () => document.querySelector('[data-testid="chat-link"]') === null,
    );
    assertEquals(new URL(page.url()).pathname, "/");
    const gone = await fetch(address);
    await gone.body?.cancel();
    assertEquals(gone.status, 404);
  },
);
