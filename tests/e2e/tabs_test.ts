/** Many tabs of one browser over HTTP/1.1, which gives them six connections. */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "puppeteer-core";
import { startApp } from "../helpers/app.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { started } from "../helpers/run_client.ts";
import { browserTest, eventually } from "./browser.ts";

const shows = (page: Page, text: string) =>
  eventually(
    page,
    (text) => document.body.textContent!.includes(text),
    text,
  );

browserTest(
  "streaming R15, safety D10: twelve tabs show an answer as it is written, and Stop in the twelfth works at once",
  async ({ browser, page, errors }) => {
    const model = new PuppetModel();
    await using app = await startApp({ model });
    const { run_id, chat_id } = await started(app, { text: "Question?" });
    const puppet = await model.next();
    puppet.say("The first words. ");
    await app.shows(run_id, "words. ");
    const pages = [page];
    while (pages.length < 12) pages.push(await browser.newPage());
    for (const each of pages) {
      await each.setExtraHTTPHeaders({ "accept-language": "en" });
      await each.goto(`${app.url}/c/${chat_id}`);
      await shows(each, "The first words.");
    }
    // Every tab has looked for itself, and one of them reads on.
    await app.until(() => app.services.runs.readers === 1);
    puppet.say("The second words. ");
    for (const each of pages) await shows(each, "The second words.");
    await pages.shift()!.close();
    puppet.say("The third words. ");
    for (const each of pages) await shows(each, "The third words.");
    const last = pages.at(-1)!;
    await last.bringToFront();
    const began = performance.now();
    await last.click('[data-testid="stop"]');
    await puppet.aborted;
    const ms = performance.now() - began;
    assert(ms < 1_000, `${ms} ms`);
    for (const each of pages) {
      await each.waitForSelector('[data-testid="stopped"]');
    }
    assertEquals(errors, []);
  },
);
