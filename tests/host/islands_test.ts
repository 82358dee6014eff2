import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { jsonForHtml } from "../../host/islands.ts";
import { openSite } from "./site.ts";

interface Block {
  islands: Record<string, { url: string; exportName: string }>;
  props: Record<string, unknown>[];
}

function blockOf(html: string): Block {
  const [, json] =
    /<script type="application\/json" id="islands">(.*?)<\/script>/s.exec(
      html,
    )!;
  return JSON.parse(json!);
}

Deno.test("an island is marked where it stands and its properties travel as data", async () => {
  await using site = await openSite();
  const html = await (await site.visit("/")).text();
  assertStringIncludes(
    html,
    '<!--island:Counter:1--><div class="counter"><button type="button">10</button>',
  );
  const { islands, props } = blockOf(html);
  assertEquals(Object.keys(islands).sort(), ["Counter", "Theme"]);
  assertEquals(props, [{ start: 3 }, { start: 10 }, { name: "dark" }]);
  assertEquals(
    html.match(/<!--island:/g)!.length,
    3,
    "no marks inside islands",
  );
  assert(!html.includes("<script>"), "nothing inline runs");
});

Deno.test("the modules a page needs are announced in a Link header", async () => {
  await using site = await openSite();
  const response = await site.visit("/");
  const { islands } = blockOf(await response.text());
  const link = response.headers.get("link")!;
  for (const { url } of Object.values(islands)) {
    assertStringIncludes(link, `<${url}>; rel="modulepreload"`);
  }
});

Deno.test("safety X08: island properties with markup and line separators arrive intact", async () => {
  await using site = await openSite();
  const note = "</script><!--<script> \u2028\u2029 & 中 👍";
  const response = await site.visit(`/?note=${encodeURIComponent(note)}`);
  const html = await response.text();
  assertEquals(blockOf(html).props[0], { start: 3, note });
  assertEquals(html.match(/<\/script>/g)!.length, 2);
  const json = jsonForHtml({ note });
  assert(!/[<>&\u2028\u2029]/.test(json), json);
  assertEquals(JSON.parse(json), { note });
});

Deno.test("a property that is not plain JSON fails by name, on the server", async () => {
  await using site = await openSite();
  const response = await site.visit("/unplain");
  assertEquals(response.status, 500);
  await response.body?.cancel();
  const [error] = site.failures as Error[];
  assertStringIncludes(error!.message, '"the island Counter.note"');
});
