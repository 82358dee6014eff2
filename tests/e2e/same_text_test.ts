/** What stands on the screen is what is stored, wherever one looks. */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "puppeteer-core";
import { answerText } from "../../lib/chat/answer.ts";
import type { ChatView } from "../../lib/chat/views.ts";
import { startApp } from "../helpers/app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { browserTest, eventually } from "./browser.ts";
import { answerOf, answerSays, ask, idle, visit } from "./page.ts";
import { started } from "../helpers/run_client.ts";

// No Markdown: what is drawn is what was said, character by character.
const WORDS = Array.from({ length: 12 }, (_, n) => `word${n} 火车站 é👩‍👩‍👧 `);

browserTest(
  "safety R09: reloaded in mid-stream, in a second browser and on a phone, the text on the screen is the text that is stored",
  async ({ page, browser, errors }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "Count");
    const puppet = await model.next();
    const said: string[] = [];
    const sayOne = () => {
      said.push(WORDS[said.length]!);
      puppet.say(said.at(-1)!);
    };
    sayOne();
    await answerSays(page, said.at(-1)!.trim());

    const other = await (await browser.createBrowserContext()).newPage();
    const phone = await (await browser.createBrowserContext()).newPage();
    await phone.setViewport({
      width: 375,
      height: 720,
      isMobile: true,
      hasTouch: true,
    });
    const screens: Page[] = [page, other, phone];
    await Promise.all([other, phone].map((one) => visit(one, page.url())));
    for (const screen of screens) {
      sayOne();
      await screen.reload({ waitUntil: "load" });
      // Drawn by the server: not less than was shown before the reload.
      const drawn = await answerOf(screen);
      assert(drawn.startsWith(said[0]!.trim()), drawn);
      assert(said.join("").startsWith(drawn.trim()), drawn);
      sayOne();
      await Promise.all(
        screens.map((one) => answerSays(one, said.at(-1)!.trim())),
      );
    }
    puppet.finish();
    await Promise.all(screens.map(idle));
    const [{ id }] = (await (await fetch(`${app.url}/api/chats`)).json()).chats;
    const chat: ChatView = await (await fetch(`${app.url}/api/chats/${id}`))
      .json();
    const stored = answerText(chat.turns[0]!.answer);
    assertEquals(stored, said.join(""));
    for (const screen of screens) {
      assertEquals((await answerOf(screen)).trim(), stored.trim());
      await screen.reload({ waitUntil: "load" });
      assertEquals((await answerOf(screen)).trim(), stored.trim());
    }
    assertEquals(model.count, 1);
    assertEquals(errors, []);
  },
);

browserTest(
  "streaming R07: a page that asks after another device has asked in the same chat shows that turn as well",
  async ({ page }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    await visit(page, app.url);
    await ask(page, "First");
    (await model.next()).say("Yes.").finish();
    await idle(page);
    const chat_id = new URL(page.url()).pathname.split("/").at(-1)!;
    const between = await started(app, { text: "From the phone", chat_id });
    (await model.next()).say("Seen there.").finish();
    await app.over(between.run_id);
    await ask(page, "From the desk");
    const puppet = await model.next();
    assertEquals(
      puppet.request.messages.filter(({ role }) => role === "user").length,
      3,
      "the model has heard all three",
    );
    puppet.say("Seen here.").finish();
    await answerSays(page, "Seen here.");
    await idle(page);
    await eventually(
      page,
      () => document.querySelectorAll('[data-testid="turn"]').length === 3,
    );
  },
);
