/**
 * What a person does on the page, by test ids.
 */
import type { Page } from "puppeteer-core";
import { eventually } from "./browser.ts";

const id = (name: string) => `[data-testid="${name}"]`;

/** Opens a page and waits until its island listens. */
export async function visit(page: Page, url: string): Promise<void> {
  await page.goto(url, { waitUntil: "load" });
  await page.waitForSelector("[data-ready]", { timeout: 15_000 });
}

/** Types a question and presses Enter. */
export async function ask(page: Page, text: string): Promise<void> {
  await page.type(id("composer-input"), text);
  await page.keyboard.press("Enter");
}

/** The text of the last answer as it is drawn. */
export function answerOf(page: Page): Promise<string> {
  return page.evaluate(
    (selector) =>
      [...document.querySelectorAll(selector)].at(-1)?.textContent ?? "",
    id("answer-text"),
  );
}

/** Waits until the last answer's drawn text contains this. */
export function answerSays(page: Page, text: string): Promise<void> {
  return eventually(
    page,
    (selector: string, wanted: string) =>
      ([...document.querySelectorAll(selector)].at(-1)?.textContent ?? "")
        .includes(wanted),
    id("answer-text"),
    text,
  );
}

/** Waits until nothing is being answered: the send button is back. */
export function idle(page: Page): Promise<void> {
  return eventually(
    page,
    (stop: string, send: string) =>
      document.querySelector(stop) === null &&
      document.querySelector(send) !== null,
    id("stop"),
    id("send"),
  );
}

/** How many elements have this test id. */
export async function count(page: Page, name: string): Promise<number> {
  return (await page.$$(id(name))).length;
}

export function click(page: Page, name: string): Promise<void> {
  return page.click(id(name));
}

export function appears(page: Page, name: string): Promise<unknown> {
  return page.waitForSelector(id(name), { timeout: 15_000 });
}

/** What everything with this test id says, in the order of the page. */
export function texts(page: Page, name: string): Promise<string[]> {
  return page.$$eval(
    id(name),
    (all) => all.map((one) => one.querySelector("p")?.textContent ?? ""),
  );
}
