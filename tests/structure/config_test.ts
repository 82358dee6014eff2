import { assert, assertEquals, assertThrows } from "@std/assert";
import { npmConfig, STAND_INS } from "../../tasks/npm_config.ts";
import { importsOf, ROOT, sources } from "./imports.ts";

const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));

Deno.test("deno.npm.json is what deno.json makes of it (deno task npm-config)", async () => {
  assertEquals(await read("deno.npm.json"), npmConfig(await read("deno.json")));
});

Deno.test("npmConfig() keeps JSR out and refuses a stand-in for nothing", async () => {
  const text = npmConfig(await read("deno.json"));
  assert(!text.includes("jsr:"), text);
  assertThrows(() => npmConfig('{ "imports": {} }'), Error, "@std/assert");
});

Deno.test("every package is named with one exact version", async () => {
  const { imports } = JSON.parse(await read("deno.json")) as {
    imports: Record<string, string>;
  };
  const exact = /^(npm|jsr):(@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+$/;
  const loose = Object.values(imports).filter((to) => !exact.test(to));
  assertEquals(loose, []);
});

Deno.test("the npm lock knows exactly the packages of deno.npm.json", async () => {
  const { imports } = JSON.parse(await read("deno.npm.json")) as {
    imports: Record<string, string>;
  };
  const lock = JSON.parse(await read("deno.npm.lock"));
  const wanted = Object.values(imports).filter((to) => to.startsWith("npm:"));
  assertEquals(Object.keys(lock.specifiers).sort(), wanted.sort());
});

Deno.test("every import by name is in the import map", async () => {
  const { imports } = JSON.parse(await read("deno.npm.json")) as {
    imports: Record<string, string>;
  };
  const names = Object.keys(imports);
  const known = (to: string) =>
    to.startsWith("node:") || /^[^@].*\.tsx?$/.test(to) ||
    names.some((name) => to === name || to.startsWith(`${name}/`));
  const files = await sources(
    "examples",
    "host",
    "islands",
    "lib",
    "routes",
    "tests",
  );
  const unknown = (await Promise.all(files.map(importsOf))).flat()
    .filter(({ to }) => !known(to))
    .map(({ from, to }) => `${from} → ${to}`);
  assertEquals(unknown, []);
});

Deno.test("the stand-ins for the standard library have every name that is used", async () => {
  const files = await sources(
    "examples",
    "host",
    "islands",
    "lib",
    "routes",
    "tests",
  );
  const used = (await Promise.all(files.map(importsOf))).flat()
    .filter(({ to }) => to.startsWith("@std/"));
  const missing: string[] = [];
  for (const { from, to, names } of used) {
    const stand = STAND_INS[to];
    assert(stand, `${from} imports ${to}, which has no stand-in`);
    const code = await read(stand);
    const exported = (name: string) =>
      new RegExp(
        `export (async )?(function|class|interface|type|const) ${name}\\b|export \\{[^}]*\\b${name}\\b`,
      ).test(code);
    missing.push(
      ...names.filter((name) => !exported(name))
        .map((name) => `${from}: ${to} has no ${name}`),
    );
  }
  assertEquals(missing, []);
});

Deno.test("nothing outside tests/ has a name that deno test would run", async () => {
  const folders = [
    "bench",
    "examples",
    "host",
    "islands",
    "lib",
    "routes",
    "tasks",
  ];
  const taken = (await sources(...folders)).filter((file) =>
    /(^|[/._])test\.[tj]sx?$/.test(file)
  );
  assertEquals(taken, []);
  const { test } = JSON.parse(await read("deno.json"));
  assertEquals(test.include, ["tests/"]);
});

Deno.test("only the front door of Fresh imports Fresh", async () => {
  const files = [
    ...await sources("lib", "routes", "islands", "host", "tasks"),
    "main.ts",
    "dev.ts",
    "dev_server.ts",
    "server.ts",
  ];
  const found = (await Promise.all(files.map(importsOf))).flat()
    .filter(({ to }) => /^(fresh|@fresh)(\/|$)/.test(to))
    .map(({ from }) => from);
  assertEquals(found.sort(), ["dev.ts", "main.ts"]);
});
