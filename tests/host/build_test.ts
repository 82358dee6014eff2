import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { build } from "../../host/build.ts";
import { copySite } from "./site.ts";

Deno.test("build() reuses what is still good and rebuilds what is not", async (t) => {
  const root = await copySite();
  try {
    const first = await build({ root });
    assertEquals(first.reused, false);
    assertEquals([...first.islands.keys()], ["Counter", "Theme"]);

    await t.step("nothing changed", async () => {
      const again = await build({ root });
      assertEquals(again.reused, true);
      assertEquals(again.client, first.client);
      assertEquals([...again.files.keys()], [...first.files.keys()]);
    });

    await t.step("an island changed", async () => {
      const file = new URL("islands/Theme.tsx", root);
      const code = await Deno.readTextFile(file);
      await Deno.writeTextFile(file, code.replace("theme ", "colour "));
      const changed = await build({ root });
      assertEquals(changed.reused, false);
      assertNotEquals(changed.islands.get("Theme"), first.islands.get("Theme"));
      const old = first.islands.get("Theme")!.slice("/_npm/".length);
      const names = await Array.fromAsync(
        Deno.readDir(new URL("_npm/", root)),
        (entry) => entry.name,
      );
      assert(!names.includes(old), "what is out of date is removed");
    });

    await t.step("a file is missing, or the manifest is torn", async () => {
      const { client } = await build({ root });
      await Deno.remove(new URL(`.${client}`, root));
      assertEquals((await build({ root })).reused, false);
      await Deno.writeTextFile(new URL("_npm/manifest.json", root), "{");
      assertEquals((await build({ root })).reused, false);
    });

    await t.step(
      "development output differs and carries its maps",
      async () => {
        const dev = await build({ root, dev: true });
        assertEquals(dev.reused, false);
        const code = new TextDecoder().decode(dev.files.get(dev.client));
        assert(code.includes("sourceMappingURL=data:"));
      },
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
