/** The chat page, as a person uses it. */
import { assert, assertEquals } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import { ModelError } from "../../lib/agent/contracts.ts";
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
  visit,
} from "./page.ts";

browserTest(
  "a question is answered word by word, and the chat gets its own address and title",
  async ({ page, errors }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "How are you today?");
    const puppet = await model.next();
    await appears(page, "stop");
    puppet.say("I am ");
    await answerSays(page, "I am");
    puppet.say("**well**, thank you.");
    await answerSays(page, "I am well, thank you.");
    puppet.finish();
    await idle(page);
    assert(/\/c\/c_[0-9a-z]{26}$/.test(page.url()), page.url());
    assertEquals(await textOf(page, "chat-link"), "How are you today?");
    assert((await textOf(page, "question")).endsWith("How are you today?"));
    await page.reload();
    assertEquals(await answerOf(page), "I am well, thank you.");
    assertEquals(errors, []);
  },
);

browserTest(
  "a tool card shows the call while it works, its result and how long it took",
  async ({ page }) => {
    const model = new PuppetModel();
    const gate = Promise.withResolvers<void>();
    const { TEST_TOOLS } = await import("../helpers/app.ts");
    const slow = {
      ...TEST_TOOLS[0]!,
      name: "slow",
      run: async () => (await gate.promise, { text: "42" }),
    };
    await using app = await startApp({ model, tools: [slow] });
    await visit(page, app.url);
    await ask(page, "Ask the tool");
    (await model.next()).call("slow", { say: "x" });
    await page.waitForSelector(
      '[data-testid="tool-card"][data-state="running"]',
    );
    gate.resolve();
    await page.waitForSelector('[data-testid="tool-card"][data-state="done"]');
    (await model.next()).say("It is 42.").finish();
    await answerSays(page, "It is 42.");
  },
);

browserTest(
  "stop ends the answer, keeps its text, and the next question works",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "Tell me a long story");
    const puppet = await model.next();
    puppet.say("Once upon a time");
    await answerSays(page, "Once upon a time");
    await click(page, "stop");
    assertEquals(await puppet.aborted, "user");
    await appears(page, "stopped");
    await idle(page);
    assert((await answerOf(page)).includes("Once upon a time"));
    await ask(page, "And again");
    (await model.next()).say("Sure.").finish();
    await answerSays(page, "Sure.");
    assertEquals(await count(page, "turn"), 2);
  },
);

browserTest(
  "safety R09: a reload in the middle shows at once what was said, and goes on to the same text",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "Count");
    const puppet = await model.next();
    puppet.say("one ", "two ");
    await answerSays(page, "one two");
    await page.reload({ waitUntil: "load" });
    assert((await answerOf(page)).startsWith("one two"), "drawn by the server");
    puppet.say("three ");
    await answerSays(page, "one two three");
    await page.reload({ waitUntil: "load" });
    puppet.say("four").finish();
    await answerSays(page, "one two three four");
    await idle(page);
    assertEquals((await answerOf(page)).trim(), "one two three four");
    assertEquals(model.count, 1);
  },
);

browserTest(
  "streaming R07: a second tab follows the same answer, and a question asked in one shows in the other",
  async ({ page, browser }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "First");
    const first = await model.next();
    first.say("shared ");
    await answerSays(page, "shared");
    const other = await browser.newPage();
    await visit(other, page.url());
    await answerSays(other, "shared");
    first.say("words").finish();
    await answerSays(page, "shared words");
    await answerSays(other, "shared words");
    await idle(other);
    await ask(other, "Second");
    (await model.next()).say("for both").finish();
    await answerSays(other, "for both");
    await page.bringToFront();
    await answerSays(page, "for both");
    assertEquals(model.count, 2);
  },
);

for (
  const [code, retryable] of [
    ["upstream_auth", false],
    ["upstream_unavailable", true],
    ["upstream_rate_limited", true],
    ["upstream_truncated", true],
  ] as const
) {
  browserTest(
    `${code}: the page says what happened, keeps the text, and Retry asks again`,
    async ({ page }) => {
      const model = new PuppetModel();
      await using app = await startApp({ model });
      await visit(page, app.url);
      await ask(page, "Hello");
      const puppet = await model.next();
      puppet.say("A part of");
      puppet.fail(new ModelError(code, "raw words", { retryable }));
      await appears(page, "answer-error");
      assert((await answerOf(page)).includes("A part of"));
      assert((await textOf(page, "answer-error")).length > 20);
      await click(page, "retry");
      (await model.next()).say("A whole answer.").finish();
      await answerSays(page, "A whole answer.");
    },
  );
}

browserTest(
  "an empty message is not sent and nothing pops up",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    let dialogs = 0;
    page.on("dialog", () => dialogs++);
    await visit(page, app.url);
    await ask(page, "");
    await ask(page, "   ");
    await page.keyboard.down("Shift");
    await page.keyboard.press("Enter");
    await page.keyboard.up("Shift");
    assertEquals(await count(page, "turn"), 0);
    assertEquals(dialogs, 0);
    assertEquals(model.count, 0);
  },
);

browserTest(
  "a draft survives a reload, and Shift+Enter makes a new line",
  async ({ page }) => {
    await using app = await startApp({ model: new PuppetModel() });
    await visit(page, app.url);
    const input = '[data-testid="composer-input"]';
    await page.type(input, "first line");
    await page.keyboard.down("Shift");
    await page.keyboard.press("Enter");
    await page.keyboard.up("Shift");
    await page.type(input, "second line");
    await visit(page, app.url);
    await eventually(
      page,
      (selector: string) =>
        (document.querySelector(selector) as HTMLTextAreaElement).value ===
          "first line\nsecond line",
      input,
    );
  },
);

browserTest(
  "Chinese IME: Enter that confirms a candidate does not send, the next one does",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await page.focus('[data-testid="composer-input"]');
    const cdp = await page.createCDPSession();
    await cdp.send("Input.imeSetComposition", {
      text: "nihao",
      selectionStart: 5,
      selectionEnd: 5,
    });
    await cdp.send("Input.dispatchKeyEvent", {
      type: "rawKeyDown",
      windowsVirtualKeyCode: 229,
      key: "Process",
      code: "Enter",
    });
    await cdp.send("Input.insertText", { text: "你好" });
    assertEquals(await count(page, "turn"), 0);
    const value = () =>
      page.$eval(
        '[data-testid="composer-input"]',
        (e) => (e as HTMLTextAreaElement).value,
      );
    assertEquals(await value(), "你好");
    await page.keyboard.press("Enter");
    const puppet = await model.next();
    assertEquals(puppet.request.messages.at(-1)!.text, "你好");
    puppet.say("你好！").finish();
    await answerSays(page, "你好！");
  },
);

browserTest(
  "the interface changes language and colours at once and keeps them",
  async ({ page }) => {
    await using app = await startApp({ model: new PuppetModel() });
    await visit(page, app.url);
    assertEquals(await page.$eval("html", (e) => e.lang), "en");
    await click(page, "lang-zh");
    await eventually(
      page,
      () => document.documentElement.lang.startsWith("zh"),
    );
    await click(page, "theme-dark");
    await visit(page, app.url);
    assert((await page.$eval("html", (e) => e.lang)).startsWith("zh"));
    assertEquals(await page.$eval("html", (e) => e.dataset.theme), "dark");
  },
);

browserTest(
  "on a phone nothing is wider than the screen and the composer is in sight",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await page.setViewport({
      width: 360,
      height: 740,
      isMobile: true,
      hasTouch: true,
    });
    await visit(page, app.url);
    await ask(page, "Show me a wide table and a long word");
    (await model.next()).say(
      "| a | b | c | d | e | f | g | h |\n|---|---|---|---|---|---|---|---|\n",
      `| ${Array(8).fill("wide cell").join(" | ")} |\n\n`,
      `${"x".repeat(300)}\n\n\`\`\`ts\n${"const a = 1; ".repeat(30)}\n\`\`\`\n`,
    ).finish();
    await idle(page);
    const { scroll, width, bottom, height } = await page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      width: innerWidth,
      bottom: document.querySelector('[data-testid="composer-input"]')!
        .getBoundingClientRect().bottom,
      height: innerHeight,
    }));
    assertEquals(scroll, width);
    assert(bottom <= height);
  },
);

browserTest(
  "without scripts a chat can be read and a question asked",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await page.setJavaScriptEnabled(false);
    await page.goto(app.url);
    await page.type('[data-testid="composer-input"]', "No scripts here");
    const puppet = model.next().then((p) =>
      p.say("Works **anyway**.").finish()
    );
    await Promise.all([
      page.waitForNavigation(),
      page.click('[data-testid="send"]'),
    ]);
    await puppet;
    const { chats } = await (await fetch(`${app.url}/api/chats`)).json();
    await app.until(async () =>
      (await (await fetch(`${app.url}/api/chats`)).json()).chats[0]
        .activeRun === null
    );
    await page.goto(`${app.url}/c/${chats[0].id}`);
    assertEquals((await answerOf(page)).trim(), "Works anyway.");
  },
);

browserTest(
  "safety X03 X04: what a model says is never run, and no picture is fetched",
  async ({ page, errors }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await visit(page, app.url);
    await ask(page, "Attack me");
    (await model.next()).say(
      "<img src=x onerror=\"document.title='pwned'\">\n\n",
      "<script>document.title='pwned'</script>\n\n",
      "![a](https://canary.test/?q=1) [b](javascript:alert(1)) [c](data:text/html,x)\n\n",
      "![d][r]\n\n[r]: https://canary.test/ref\n\nthe end",
    ).finish();
    await answerSays(page, "the end");
    await idle(page);
    assert(!(await page.title()).includes("pwned"));
    assertEquals(
      await page.$$eval(
        '[data-testid="answer-text"] img, [data-testid="answer-text"] script',
        (e) => e.length,
      ),
      0,
    );
    const links = await page.$$eval(
      '[data-testid="answer-text"] a',
      (all) => all.map((a) => (a as HTMLAnchorElement).protocol),
    );
    assert(
      links.every((protocol) =>
        ["http:", "https:", "mailto:"].includes(protocol)
      ),
    );
    assert(!requests.some((url) => url.includes("canary")));
    assertEquals(errors, []);
    const chat = (await (await fetch(`${app.url}/api/chats`)).json()).chats[0];
    const view = await (await fetch(`${app.url}/api/chats/${chat.id}`)).json();
    assert(
      answerText(view.turns[0].answer).includes("<script>"),
      "kept as it was said",
    );
  },
);

browserTest(
  "a phone's page is no wider than the phone, however long the title",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await page.setViewport({ width: 360, height: 640 });
    await visit(page, app.url);
    const welcome = await page.$eval(
      '[data-testid="transcript"]',
      (element) => element.scrollTop,
    );
    assertEquals(welcome, 0, "an empty chat is read from its top");
    await ask(page, "Question ".repeat(12));
    (await model.next()).say("`" + "wide ".repeat(40) + "`").finish();
    await idle(page);
    const width = await page.$eval("main", (element) => element.scrollWidth);
    assertEquals(width, 360);
  },
);
