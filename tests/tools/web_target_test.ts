import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readTarget, refusalOf } from "../../lib/tools/web/target.ts";

const any = { allow: null };
const refused = (text: string, allow: string[] | null = null) => {
  const found = readTarget(text, { allow });
  return typeof found === "string" ? found : found.url.href;
};

Deno.test("S01: readTarget() takes http and https alone", () => {
  for (
    const text of [
      "file:///etc/passwd",
      "data:text/html,x",
      "blob:https://public.test/x",
      "ftp://public.test/",
      "gopher://public.test/",
      "unix:/run/docker.sock",
      "ws://public.test/",
      "javascript:alert(1)",
      "view-source:http://public.test",
      "jar:http://public.test!/x",
    ]
  ) assertEquals(refused(text), "scheme", text);
  for (
    const text of ["", "x", "public.test/page", "//public.test", "http://"]
  ) {
    assertEquals(refused(text), "no-url", text);
  }
  assertEquals(refused("HTTPS://Public.TEST/a#b"), "https://public.test/a");
});

Deno.test("S01: readTarget() takes the ports 80 and 443 alone", () => {
  for (const port of [0, 22, 25, 79, 81, 444, 6379, 8080, 65535]) {
    assertEquals(refused(`http://public.test:${port}/`), "port");
    assertEquals(refused(`https://public.test:${port}/`), "port");
  }
  assertEquals(refused("http://public.test:65536/"), "no-url");
  const port = (text: string) => {
    const target = readTarget(text, any);
    assert(typeof target !== "string");
    return target.port;
  };
  assertEquals(port("http://public.test/"), 80);
  assertEquals(port("http://public.test:443/"), 443);
  assertEquals(port("https://public.test/"), 443);
  assertEquals(port("https://public.test:80/"), 80);
});

Deno.test("S01: readTarget() refuses user info, and nobody repeats it", () => {
  for (
    const text of [
      "http://me@public.test/",
      "http://me:hunter22@public.test/",
      "http://:hunter22@public.test/",
      "https://public.test:443@other.test/",
      "http://public.test%2f@other.test/",
    ]
  ) assertEquals(refused(text), "user-info", text);
  const words = refusalOf("user-info", "http://me:hunter22@x.test", null);
  assert(!words.message.includes("hunter22"));
});

Deno.test("S02: readTarget() gives every spelling of a host its one name", () => {
  for (
    const [text, host] of [
      ["http://2130706433/", "127.0.0.1"],
      ["http://0177.0.0.1/", "127.0.0.1"],
      ["http://0x7F.1/", "127.0.0.1"],
      ["http://127.0.0.1./", "127.0.0.1"],
      ["http://127.0.0.1../", "127.0.0.1"],
      ["http://１２７．０．０．１/", "127.0.0.1"],
      ["http://%31%32%37.0.0.1/", "127.0.0.1"],
      ["http://[::FFFF:7f00:0001]/", "::ffff:7f00:1"],
      ["http://[0:0:0:0:0:0:0:0]/", "::"],
      ["http:\\\\LOCALHOST\\x", "localhost"],
      ["http:localhost.", "localhost"],
      ["http://ⓛⓞcalhost/", "localhost"],
      ["ht\ntp://lo\tcalhost/", "localhost"],
    ] as const
  ) {
    const target = readTarget(text, any);
    assert(typeof target !== "string", `${text}: ${target}`);
    assertEquals(target.host, host);
    assertEquals(target.literal, /^[\d.:a-f]+$/.test(host));
  }
  const long = `http://${"a".repeat(64)}.test/`;
  for (const text of [long, "http://a..b/", "http://-a.test/", "http://a!/"]) {
    assertEquals(refused(text), "host", text);
  }
  assertEquals(refused(`http://public.test/${"x".repeat(2_048)}`), "no-url");
});

Deno.test("S05: readTarget() matches the list by whole labels of the parsed host", () => {
  const corp = ["corp.com"];
  for (
    const text of [
      "http://evilcorp.com/",
      "http://x/corp.com",
      "http://x.test/?corp.com",
      "http://x.test/#corp.com",
      "http://x.test\\.corp.com/",
      "http://corp.com.evil/",
      "http://corp.comevil/",
      "http://a.corp.com/",
      "http://corp.com%2eevil/",
      "http://com/",
      "http://1.2.3.4/",
    ]
  ) assertEquals(refused(text, corp), "not-listed", text);
  assertEquals(refused("http://corp.com@evil/", corp), "user-info");
  assertEquals(refused("http://corp.com:8080/", corp), "port");
  for (
    const text of ["http://corp.com/", "HTTPS://CORP.com./", "http:corp.com"]
  ) {
    assert(refused(text, corp).startsWith("http"), text);
  }
});

Deno.test("S05: readTarget() lets a dot in the list stand for everything below a name", () => {
  const below = [".corp.com"];
  for (const host of ["corp.com", "a.corp.com", "A.B.corp.com."]) {
    assert(refused(`http://${host}/`, below).startsWith("http"), host);
  }
  for (const host of ["evilcorp.com", "corp.com.evil", "com", "corp.co"]) {
    assertEquals(refused(`http://${host}/`, below), "not-listed", host);
  }
  assertEquals(refused("http://corp.com/", []), "not-listed");
  const words = refusalOf("not-listed", "http://x.test", [
    "xn--bcher-kva.example",
    ".corp.com",
  ]);
  assertStringIncludes(
    words.message,
    "only these hosts may be read: bücher.example, corp.com and all below it",
  );
});

Deno.test("S04: readTarget() judges where a redirect leads as if it had been asked for", () => {
  const base = new URL("https://public.test/a/b");
  const to = (location: string) => {
    const target = readTarget(location, { base, allow: ["public.test"] });
    return typeof target === "string" ? target : target.url.href;
  };
  assertEquals(to("../c"), "https://public.test/c");
  assertEquals(to("//127.0.0.1/"), "not-listed");
  assertEquals(to("/\\evil.test"), "not-listed");
  assertEquals(to("//me@public.test"), "user-info");
  assertEquals(to("file:///etc/passwd"), "scheme");
  assertEquals(to("//public.test:22"), "port");
});
