import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { authenticate, Tokens } from "../../lib/access/mod.ts";
import { TokenNameError } from "../../lib/access/tokens.ts";
import { scrub } from "../../lib/scrub.ts";
import { openStore } from "../../lib/store/mod.ts";

function stage() {
  const store = openStore({ kind: "memory" });
  const clock = { now: new Date("2026-03-02T08:00:00Z") };
  return {
    store,
    clock,
    tokens: new Tokens(store, () => clock.now),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

const bearer = (token: string) =>
  new Request("http://localhost/v1/models", {
    headers: { authorization: `Bearer ${token}` },
  });

Deno.test("Tokens.add() gives 256 bits in base 62 once and keeps their hash alone", async () => {
  await using on = stage();
  const token = await on.tokens.add("laptop");
  assertMatch(token, /^tt_[0-9A-Za-z]{43}$/);
  assert(await on.tokens.find(token) !== null);
  const kept = JSON.stringify(await on.store.notes("token"));
  assert(!kept.includes(token.slice(3)), kept);
  assertEquals(scrub(`sent ${token}`), "sent [redacted]");
  assert(await on.tokens.add("phone") !== token);
});

Deno.test("Tokens.find() knows no token that is cut, changed, longer or made up", async () => {
  await using on = stage();
  const token = await on.tokens.add("laptop");
  const last = token.endsWith("a") ? "b" : "a";
  const wrong = [
    "",
    "tt_",
    token.slice(0, -1),
    token.slice(0, -1) + last,
    `${token}a`,
    token.slice(3),
    `tt_${"0".repeat(43)}`,
    "sk-none",
  ];
  for (const text of wrong) assertEquals(await on.tokens.find(text), null);
});

Deno.test("Tokens.revoke() refuses the token from then on, and a use noted late does not bring it back", async () => {
  await using on = stage();
  const token = await on.tokens.add("laptop");
  const other = await on.tokens.add("phone");
  // The server in whose memory the token was used a moment ago.
  const server = new Tokens(on.store, () => on.clock.now);
  await server.find(token);
  assertEquals(await on.tokens.revoke("laptop"), true);
  on.clock.now = new Date("2026-03-02T09:00:00Z");
  assertEquals(await server.find(token), null);
  assert(await server.find(other) !== null);
  assertEquals(await on.tokens.revoke("laptop"), false);
  assertEquals((await on.tokens.list()).map(({ name }) => name), ["phone"]);
});

Deno.test("Tokens.list() says when a token was used, to the minute", async () => {
  await using on = stage();
  const token = await on.tokens.add("laptop");
  assertEquals((await on.tokens.list())[0]!.lastUsed, null);
  const times = [];
  for (const time of ["08:00:10", "08:00:40", "08:01:10", "08:01:30"]) {
    on.clock.now = new Date(`2026-03-02T${time}Z`);
    await on.tokens.find(token);
    times.push((await on.tokens.list())[0]!.lastUsed!.slice(11, 19));
  }
  assertEquals(times, ["08:00:10", "08:00:10", "08:01:10", "08:01:10"]);
});

Deno.test("Tokens.add() refuses a name that is odd or taken", async () => {
  await using on = stage();
  await on.tokens.add("我的 laptop_2.b-c");
  for (const name of ["", " a", "a\nb", "x".repeat(65), "我的 laptop_2.b-c"]) {
    await assertRejects(() => on.tokens.add(name), TokenNameError);
  }
});

Deno.test("authenticate() on loopback takes any key until there is a token, then only tokens", async () => {
  await using on = stage();
  const options = {
    mode: "loopback",
    secure: false,
    tokens: on.tokens,
  } as const;
  const place = { owner: "local", setCookie: null, by: "place" } as const;
  assertEquals(await authenticate(bearer("sk-any"), options), place);
  const token = await on.tokens.add("laptop");
  assertEquals(await authenticate(bearer("sk-any"), options), "refused");
  assertEquals(await authenticate(bearer(""), options), "refused");
  assertEquals(
    await authenticate(bearer(token), options),
    { owner: "local", setCookie: null, by: "token" },
  );
  const bare = new Request("http://localhost/");
  assertEquals(await authenticate(bare, options), place);
  const basic = new Request("http://localhost/", {
    headers: { authorization: "Basic eDp5" },
  });
  assertEquals(await authenticate(basic, options), place);
});

Deno.test("authenticate() in public gives every token an owner of its own, whatever cookie comes along", async () => {
  await using on = stage();
  const options = { mode: "public", secure: false, tokens: on.tokens } as const;
  assertEquals(await authenticate(bearer("sk-any"), options), "refused");
  const owners = [];
  for (const name of ["a", "b"]) {
    const request = bearer(await on.tokens.add(name));
    request.headers.set("cookie", `tt_visitor=${"0".repeat(32)}`);
    const caller = await authenticate(request, options);
    assert(caller !== "refused");
    assertEquals([caller.by, caller.setCookie], ["token", null]);
    assertMatch(caller.owner, /^token:[0-9a-f]{32}$/);
    owners.push(caller.owner);
  }
  assert(owners[0] !== owners[1]);
});
