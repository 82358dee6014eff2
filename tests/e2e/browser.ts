/**
 * A real Chromium for the page tests. Where there is none the tests are skipped
 * with a printed reason, unless `TICKERTAPE_E2E=require` says they must run.
 */
import puppeteer, { type Browser, type Page } from "puppeteer-core";

const CANDIDATES = [
  Deno.env.get("CHROMIUM_PATH"),
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

function findChromium(): string | null {
  for (const path of CANDIDATES) {
    try {
      if (path !== undefined && Deno.statSync(path).isFile) return path;
    } catch {
      // Not there.
    }
  }
  return null;
}

const chromium = findChromium();
const required = Deno.env.get("TICKERTAPE_E2E") === "require";
if (chromium === null && !required) {
  console.log(
    "Page tests skipped: no Chromium found. Install one, or set CHROMIUM_PATH.",
  );
}

export interface Screen {
  browser: Browser;
  page: Page;
  /** Errors the page threw or was refused by its policy. */
  errors: string[];
}

/** A test with a fresh browser. */
export function browserTest(
  name: string,
  fn: (screen: Screen) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: chromium === null && !required,
    async fn() {
      if (chromium === null) throw new Error("No Chromium was found");
      await using browser = await puppeteer.launch({
        executablePath: chromium,
        // A pipe, so that Chromium ends with the test however that ends.
        pipe: true,
        args: [
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
          "--lang=en",
        ],
      });
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(String(error)));
      page.on("console", (message) => {
        // A lost connection is told by Chromium itself; it is no page's error.
        if (
          message.type() === "error" && !message.text().includes("net::ERR")
        ) {
          errors.push(message.text());
        }
      });
      page.on("dialog", (dialog) => dialog.dismiss());
      await page.setViewport({ width: 1280, height: 800 });
      await page.setExtraHTTPHeaders({ "accept-language": "en" });
      await fn({ browser, page, errors });
    },
  });
}

/** The text of an element by its test id. */
export function textOf(page: Page, id: string): Promise<string> {
  return page.$eval(
    `[data-testid="${id}"]`,
    (element) => element.textContent ?? "",
  );
}

/** Waits until a page's expression is true. */
export async function eventually(
  page: Page,
  // deno-lint-ignore no-explicit-any
  condition: (...args: any[]) => unknown,
  ...args: unknown[]
): Promise<void> {
  // By the clock: a tab in the background draws no frames to wait for.
  await page.waitForFunction(
    condition,
    { timeout: 15_000, polling: 50 },
    ...args,
  );
}
