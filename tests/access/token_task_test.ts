import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { Tokens } from "../../lib/access/mod.ts";
import { openStore } from "../../lib/store/mod.ts";
import { ROOT } from "../structure/imports.ts";

Deno.test("deno task token adds, lists and revokes beside a server that has the database open", async () => {
  const data = await Deno.makeTempDir();
  const store = openStore({
    kind: "sqlite",
    path: join(data, "tickertape.db"),
  });
  const token = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", "tasks/token.ts", ...args],
      cwd: ROOT,
      env: { TICKERTAPE_DATA: data },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    return { code, out: text(stdout), err: text(stderr) };
  };
  try {
    const server = new Tokens(store);
    const added = await token("add", "my", "laptop");
    assertEquals(added.code, 0, added.err);
    assertMatch(added.out, /^tt_[0-9A-Za-z]{43}$/);
    assert(await server.find(added.out) !== null);

    const again = await token("add", "my laptop");
    assertEquals([again.code, again.out], [1, ""]);
    const list = await token("list");
    assertMatch(list.out, /^my laptop {2}made \S+Z {2}last used \S+Z$/);
    assert(!list.out.includes(added.out));

    assertEquals((await token("revoke", "my laptop")).code, 0);
    assertEquals(await server.find(added.out), null);
    assertEquals((await token("revoke", "my laptop")).code, 1);
    assertEquals((await token("remove", "x")).code, 2);
  } finally {
    await store.close();
    await Deno.remove(data, { recursive: true });
  }
});
