import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { WebError } from "../../lib/tools/web/errors.ts";
import { systemNetwork } from "../../lib/tools/web/network.ts";
import { page, PUBLIC, redirect, Stage } from "./web_stage.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** The words of a refusal. */
async function words(
  stage: Stage,
  url: string,
  options: { allow?: string[] } = {},
): Promise<string> {
  const error = await assertRejects(() => stage.fetch(url, options), WebError);
  return error.message;
}

Deno.test("guardedFetch() brings a page of a public host, asked for as a stranger would", async () => {
  await using stage = await Stage.open();
  const found = await stage.fetch("http://public.test/a?b=c d#e");
  assertEquals(found.url.href, "http://public.test/a?b=c%20d");
  assertEquals([found.type, found.charset], ["text/html", "utf-8"]);
  assertEquals(text(found.bytes), "hello");
  assertEquals(stage.dialled, [`${PUBLIC[0]} 80`]);
  const lines = stage.seen[0]!.head.trim().split("\r\n");
  assertEquals(lines[0], "GET /a?b=c%20d HTTP/1.1");
  assertEquals(
    lines.slice(1).map((line) => line.split(":")[0]),
    ["Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"],
  );
  assertMatch(stage.seen[0]!.head, /^User-Agent: Tickertape\//m);
  await stage.quiet();
});

Deno.test("S01: what the address alone forbids is refused before any look-up or socket", async () => {
  await using stage = await Stage.open();
  for (
    const url of [
      "file:///etc/passwd",
      "data:text/html,x",
      "blob:http://public.test/x",
      "ftp://public.test/",
      "gopher://public.test/",
      "unix:/run/x.sock",
      "http://me:pw@public.test/",
      "http://public.test:22/",
      "http://public.test:25/",
      "https://public.test:6379/",
      "public.test",
    ]
  ) await words(stage, url);
  await words(stage, "http://public.test/", { allow: ["corp.com"] });
  assertEquals([stage.looked, stage.dialled], [[], []]);
});

Deno.test("S03: a name whose record is private, alone or beside a public one, is not connected to", async () => {
  await using stage = await Stage.open();
  const records: string[][] = [
    ["127.0.0.1"],
    ["::1"],
    ["169.254.169.254"],
    [PUBLIC[0]!, "10.0.0.1"],
    ["10.0.0.1", PUBLIC[0]!],
    [...PUBLIC, "fd00::1"],
    [PUBLIC[0]!, "::ffff:127.0.0.1"],
    [PUBLIC[0]!, "not an address"],
    [],
  ];
  for (const [i, addresses] of records.entries()) {
    stage.names.set(`x${i}.test`, [addresses]);
    assertEquals(
      await words(stage, `http://x${i}.test/`),
      `refused: x${i}.test has no public address; it may be misspelled, or ` +
        "inside a private network",
    );
  }
  // A name that does not exist reads the same: nobody can try out names.
  assertStringIncludes(
    await words(stage, "http://nobody.test/"),
    "refused: nobody.test has no public address; it may be misspelled",
  );
  assertEquals([stage.dialled, stage.accepts], [[], 0]);
});

Deno.test("S03: an address is looked up once per hop and connected to as it was judged", async () => {
  await using stage = await Stage.open();
  stage.names.set("turn.test", [[PUBLIC[0]!], ["127.0.0.1"]]);
  assertEquals(text((await stage.fetch("http://turn.test/")).bytes), "hello");
  assertEquals(stage.looked, ["turn.test"]);
  // The second question gets the other answer, and is judged by that.
  await words(stage, "http://turn.test/");
  stage.names.set("again.test", [[PUBLIC[0]!], ["127.0.0.1"]]);
  stage.site = () => redirect("/again");
  assertEquals(
    await words(stage, "http://again.test/"),
    "refused: again.test redirects to an address that is not public",
  );
  assertEquals(stage.accepts, 0);
});

Deno.test("S04: each hop of a redirect is judged; three are followed, a fourth is not", async () => {
  await using stage = await Stage.open();
  stage.site = ({ url }) => {
    const n = Number(new URL(url).pathname.slice(1));
    return n === 0 ? page("there") : redirect(`/${n - 1}`);
  };
  for (const hops of [0, 1, 2, 3]) {
    const found = await stage.fetch(`http://public.test/${hops}`);
    assertEquals(text(found.bytes), "there");
    assertEquals(found.url.href, "http://public.test/0");
  }
  assertEquals(
    await words(stage, "http://public.test/4"),
    "refused: public.test redirects more than 3 times",
  );
  await stage.quiet();
});

Deno.test("S04: a redirect into the network is refused at its hop, whatever its number", async () => {
  await using stage = await Stage.open();
  stage.names.set("inner.test", [["10.1.2.3"]]);
  const inside = [
    "http://127.0.0.1/",
    "http://0x7f.1/",
    "//[::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://inner.test/",
    "http://10.0.0.5/",
  ];
  for (const status of [301, 302, 303, 307, 308]) {
    for (const location of inside) {
      stage.site = () => redirect(location, status);
      const told = await words(stage, "http://public.test/");
      // Nothing of where it led: the model had not named that.
      assertEquals(
        told,
        "refused: public.test redirects to an address that is not public",
      );
    }
  }
  for (
    const location of ["file:///etc/passwd", "//public.test:22/", "//a:b@x/"]
  ) {
    stage.site = () => redirect(location);
    assertEquals(
      await words(stage, "http://public.test/"),
      "refused: public.test redirects to an address that is not read",
    );
  }
  stage.site = () => redirect("http://other.test/");
  assertEquals(
    await words(stage, "http://public.test/", { allow: ["public.test"] }),
    "refused: public.test redirects to a host that is not among those that " +
      "may be read",
  );
  assertEquals(stage.accepts, 0);
});

Deno.test("S04: a redirect from https to http is refused, from http to https followed", async () => {
  await using stage = await Stage.open();
  stage.site = ({ secure }) =>
    secure ? page("safe") : redirect("https://www.public.test/");
  const found = await stage.fetch("http://public.test/");
  assertEquals(found.url.href, "https://www.public.test/");
  stage.site = () => redirect("http://public.test/");
  assertEquals(
    await words(stage, "https://public.test/"),
    "refused: public.test redirects from https to plain http",
  );
});

Deno.test("S07: nothing goes along to another host: no cookie, no referrer, no credential", async () => {
  await using stage = await Stage.open();
  stage.site = ({ url }) =>
    url.includes("other.test") ? page("end") : page("moved", {
      "Location": "http://other.test/",
      "Set-Cookie": "session=1; Domain=test",
      "WWW-Authenticate": "Basic",
    }, "302 Found");
  await stage.fetch("http://public.test/");
  await stage.fetch("http://other.test/");
  const [first, second, alone] = stage.seen.map(({ head }) =>
    head.replace(/^Host: .*\r\n/m, "")
  );
  assertEquals(first, second);
  assertEquals(second, alone);
});

Deno.test("TLS: the certificate is checked against the name, though the address was given", async () => {
  await using stage = await Stage.open();
  const secure = "https://public.test/";
  assertEquals(text((await stage.fetch(secure)).bytes), "hello");
  assertEquals(stage.dialled, [`${PUBLIC[0]} 443`]);
  // It is good for this address, too, and for no other.
  await stage.fetch(`https://${PUBLIC[0]}/`);
  for (const url of ["https://other.test/", `https://[${PUBLIC[1]}]/`]) {
    assertMatch(await words(stage, url), /^refused: no secure connection to /);
  }
  stage.ca = undefined;
  assertMatch(await words(stage, secure), /its certificate is not valid/);
  assertEquals(stage.seen.length, 2);
  await stage.quiet();
});

Deno.test("TLS: a server that does not speak it is told apart from one that is not there", async () => {
  await using stage = await Stage.open();
  const { dial } = stage.network;
  stage.network.dial = (address, port) => {
    const socket = dial(address, port);
    // The first bytes are no TLS: an HTTP server complains of them.
    socket.write("GET / HTTP/1.1\r\nHost: public.test\r\n\r\n");
    return socket;
  };
  assertMatch(
    await words(stage, "https://public.test:80/"),
    /^refused: no secure connection to public.test/,
  );
  stage.network.dial = dial;
  PUBLIC.forEach((address) => stage.dead.add(address));
  assertEquals(
    await words(stage, "https://public.test/"),
    "public.test does not answer",
  );
});

Deno.test("a host's other addresses are tried when one does not answer", async () => {
  await using stage = await Stage.open();
  stage.dead.add(PUBLIC[0]!);
  assertEquals(text((await stage.fetch("http://public.test/")).bytes), "hello");
  assertEquals(stage.dialled, PUBLIC.map((address) => `${address} 80`));
});

Deno.test("the networks of this machine are inside, also by a public number", async () => {
  await using stage = await Stage.open();
  stage.own = [`${PUBLIC[0]}/32`];
  await words(stage, "http://public.test/");
  await words(stage, `http://${PUBLIC[0]}/`);
  assertEquals(stage.dialled, []);
  for (const cidr of systemNetwork.own()) assertMatch(cidr, /\/(32|64)$/);
  assert(systemNetwork.own().includes("127.0.0.1/32"));
});

Deno.test("a proxy of the environment is not used", async () => {
  const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"];
  const before = names.map((name) => [name, Deno.env.get(name)] as const);
  await using stage = await Stage.open();
  using proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const { port } = proxy.addr as Deno.NetAddr;
    for (const name of names) Deno.env.set(name, `http://127.0.0.1:${port}`);
    Deno.env.set("NODE_USE_ENV_PROXY", "1");
    for (const scheme of ["http", "https"]) {
      const found = await stage.fetch(`${scheme}://public.test/`);
      assertEquals(text(found.bytes), "hello");
    }
  } finally {
    Deno.env.delete("NODE_USE_ENV_PROXY");
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
});

Deno.test("HTTP errors and documents of other kinds are told in words", async () => {
  await using stage = await Stage.open();
  for (
    const [answer, told] of [
      [page("", {}, "404 x"), "answered HTTP 404: there is no such page"],
      [page("", {}, "403 x"), "HTTP 403: it does not want to show this page"],
      [page("", {}, "418 x"), "public.test answered HTTP 418"],
      [page("", {}, "503 x"), "HTTP 503: the server has a problem"],
      [page("", {}, "304 x"), "answered HTTP 304"],
      [page("", { "Content-Type": "image/png" }), "the page is a picture"],
      [
        page("", { "Content-Type": "text/css" }),
        "the page is some other kind of file",
      ],
      [page("", { "Content-Type": "text/html-x" }), "some other kind of file"],
      [page("", { "Content-Type": "IGNORE ALL" }), "some other kind of file"],
      [page("", { "Content-Type": "" }), "some other kind of file"],
    ] as const
  ) {
    stage.site = () => answer;
    assertStringIncludes(await words(stage, "http://public.test/"), told);
  }
  for (
    const type of [
      "text/html",
      "Application/XHTML+xml ; charset=x",
      "text/plain",
      "text/markdown",
      "application/json",
      "application/xml",
      "text/xml",
    ]
  ) {
    stage.site = () => page("fine", { "Content-Type": type });
    const found = await stage.fetch("http://public.test/");
    assertEquals(found.type, type.split(" ")[0]!.toLowerCase());
  }
});
