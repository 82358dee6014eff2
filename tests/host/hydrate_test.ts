import { assertEquals } from "@std/assert";
import { pagePolicy } from "../../lib/web/headers.ts";
import { browserTest, eventually } from "../e2e/browser.ts";
import { openSite, type Site } from "./site.ts";

/** The fixture site on a socket, under the policy of a rendered page. */
function listen(site: Site): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (req) => {
      const response = await site.handler(req);
      response.headers.set("Content-Security-Policy", pagePolicy(undefined));
      return response;
    },
  );
}

browserTest(
  "islands come to life in place: same nodes, own state, no inline script",
  async ({ page, errors }) => {
    await using site = await openSite();
    await using server = listen(site);
    // Runs before the page's own module: remembers the nodes the server sent.
    await page.evaluateOnNewDocument(() => {
      document.addEventListener("readystatechange", () => {
        const nodes = [...document.querySelectorAll("body *")];
        Reflect.set(globalThis, "sent", nodes);
      }, { once: true });
    });
    await page.goto(`http://127.0.0.1:${server.addr.port}/?note=hi`);
    await eventually(page, () => {
      const button = document.querySelector<HTMLElement>("button")!;
      button.click();
      return button.textContent !== "3";
    });
    const seen = await page.evaluate(() => {
      const text = (selector: string) =>
        [...document.querySelectorAll(selector)].map((node) =>
          node.textContent
        );
      const sent: Element[] = Reflect.get(globalThis, "sent");
      return {
        counters: text(".counter button").slice(1),
        note: text(".counter span"),
        themes: text(".theme"),
        kept: sent.filter((node) => node.isConnected).length === sent.length,
        order: [...document.body.children].map((node) => node.localName),
      };
    });
    assertEquals(seen, {
      counters: ["10"],
      note: ["hi", ""],
      themes: ["dark 0", "inner 0", "inner 0"],
      kept: true,
      order: ["a", "main", "script", "script"],
    });
    await page.click(".theme.dark");
    await eventually(
      page,
      () => document.querySelector(".theme.dark")!.textContent === "dark 1",
    );
    assertEquals(errors, []);
  },
);

browserTest(
  "safety X08: a hostile island property neither breaks the page nor runs",
  async ({ page, errors }) => {
    await using site = await openSite();
    await using server = listen(site);
    const note = "</script><!--<script>document.title='owned'</script>\u2028";
    await page.goto(
      `http://127.0.0.1:${server.addr.port}/?note=${encodeURIComponent(note)}`,
    );
    await eventually(page, () => {
      const button = document.querySelector<HTMLElement>("button")!;
      button.click();
      return button.textContent !== "3";
    });
    assertEquals(
      await page.$eval(".counter span", (node) => node.textContent),
      note,
    );
    assertEquals(await page.title(), "Home");
    assertEquals(errors, []);
  },
);
