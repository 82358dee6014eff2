import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createLog, redact, scrub } from "../lib/log.ts";

function capture(level: "error" | "info" | "debug" = "debug", human = false) {
  const lines: string[] = [];
  const log = createLog({ level, human, sink: (line) => lines.push(line) });
  const parsed = () => lines.map((line) => JSON.parse(line));
  return { log, lines, parsed };
}

Deno.test("createLog() writes one JSON object per line with time, level, event and fields", () => {
  const { log, lines, parsed } = capture();
  log.info("request", { method: "GET", status: 200, ms: 1.5, cached: false });
  log.debug("tick", { at: null, missing: undefined });
  assertEquals(lines.length, 2);
  assert(lines.every((line) => line.endsWith("}\n")));
  const [first, second] = parsed();
  assert(!Number.isNaN(Date.parse(first.time)));
  assertEquals({ ...first, time: 0 }, {
    time: 0,
    level: "info",
    event: "request",
    method: "GET",
    status: 200,
    ms: 1.5,
    cached: false,
  });
  assertEquals({ ...second, time: 0 }, {
    time: 0,
    level: "debug",
    event: "tick",
    at: null,
  });
});

Deno.test("createLog() writes its level and what is more urgent, no more", () => {
  const counts = (["error", "info", "debug"] as const).map((level) => {
    const { log, lines } = capture(level);
    log.error("a");
    log.info("b");
    log.debug("c");
    return lines.length;
  });
  assertEquals(counts, [1, 2, 3]);
});

Deno.test("safety X13: a title with CR LF, ANSI and 1 MB becomes one escaped, cut line", () => {
  const { log, lines, parsed } = capture();
  const nasty = "a\r\n\x1b[31mred\x9b2J\u2028\u202e\x7f\0" +
    "公".repeat(1_000_000);
  log.info("chat", { title: nasty, "na\r\nme": "x" });
  assertEquals(lines.length, 1);
  const line = lines[0]!;
  assertEquals(line.indexOf("\n"), line.length - 1);
  for (const char of ["\r", "\x1b", "\x9b", "\u2028", "\u202e", "\x7f", "\0"]) {
    assert(!line.includes(char), JSON.stringify(char));
  }
  const title = parsed()[0].title as string;
  assert(title.startsWith("a\r\n\x1b[31mred"));
  assert(title.endsWith("公…"));
  const bytes = new TextEncoder().encode(title).length;
  assert(bytes <= 2048 + 3 && bytes > 2000, `${bytes} bytes`);
});

Deno.test("safety X13: the line for people is one escaped line too", () => {
  const { log, lines } = capture("info", true);
  log.info("request", { path: "/a b\r\n\x1b[2J", status: 200, of: "GET" });
  log.error("broken", {}, new Error("no\nway"));
  assertEquals(lines.length, 2);
  assert(/^\d\d:\d\d:\d\d request /.test(lines[0]!));
  assertStringIncludes(
    lines[0]!,
    String.raw`path="/a b\r\n\u001b[2J" status=200 of=GET` + "\n",
  );
  assertStringIncludes(
    lines[1]!,
    String.raw`ERROR broken cause="Error: no\nway"`,
  );
});

Deno.test("createLog() takes no objects: only their kind is written", () => {
  const { log, lines, parsed } = capture();
  // deno-lint-ignore no-explicit-any
  const wrong = { request: { authorization: "canary" } as any };
  log.info("x", wrong);
  log.info("y", { time: "forged", level: "forged", event: "forged" });
  log.info("z", { nan: NaN });
  assertEquals(parsed()[0].request, "[object]");
  assertEquals(parsed()[1].event, "y");
  assertEquals(parsed()[2].nan, "NaN");
  assert(!lines.join("").includes("canary"));
  assert(!lines.join("").includes("forged"));
});

Deno.test("Log.error() writes the cause, the causes of the cause and the stack", () => {
  const { log, parsed } = capture();
  log.error(
    "failed",
    { id: "q1" },
    new TypeError("outer", { cause: new Error("inner") }),
  );
  log.error("failed", {}, "a plain string");
  log.error("failed", {}, { secret: "canary" });
  log.error("failed", {}, null);
  const [first, second, third, fourth] = parsed();
  assertEquals(first.cause, "TypeError: outer <- Error: inner");
  assertStringIncludes(first.stack, "log_test.ts");
  assertEquals(second.cause, "a plain string");
  assertEquals(third.cause, "[object]");
  assertEquals(fourth.cause, "null");
});

Deno.test("createLog() never throws: not for a broken sink, not for a broken error", () => {
  const broken = createLog({
    sink: () => {
      throw new Error("stderr is gone");
    },
  });
  broken.info("x");
  const error = new Error("x");
  Object.defineProperty(error, "message", {
    get() {
      throw new Error("no message for you");
    },
  });
  capture().log.error("y", {}, error);
});

Deno.test("P01: a registered secret is taken out of every field, in every spelling", () => {
  const secret = 'canary-"Zx9+/=&%-7fQ2LmN8';
  const forget = redact(secret);
  try {
    const { log, lines } = capture();
    log.error("failed", {
      plain: `key ${secret} end`,
      url: `https://x.test/?k=${encodeURIComponent(secret)}`,
      body: JSON.stringify({ key: secret }),
      base64: new TextEncoder().encode(secret).toBase64(),
    }, new Error(`bad key ${secret}`));
    const all = lines.join("");
    assertEquals(all.split("[redacted]").length - 1, 5);
    for (let at = 0; at + 5 <= secret.length; at++) {
      const part = secret.slice(at, at + 5);
      assert(!all.includes(part), `"${part}" is in the log`);
    }
  } finally {
    forget();
  }
  assertEquals(scrub(secret), secret);
});

Deno.test("P02: no part of a secret longer than 4 characters survives", () => {
  const secret = "Kq7vT2mXw9Rb4Lz8";
  const forget = redact(secret);
  try {
    assertEquals(
      scrub("Incorrect API key: Kq7vT2****b4Lz8."),
      "Incorrect API key: [redacted]****[redacted].",
    );
    for (let from = 0; from < secret.length; from++) {
      for (let to = from + 5; to <= secret.length; to++) {
        assertEquals(
          scrub(`<${secret.slice(from, to)}>`),
          "<[redacted]>",
        );
      }
    }
    assertEquals(scrub("Kq7v"), "Kq7v");
  } finally {
    forget();
  }
});

Deno.test("redact() counts: a secret is forgotten when the last one forgets it", () => {
  const first = redact("the-very-same-secret");
  const second = redact("the-very-same-secret");
  first();
  first();
  assertEquals(scrub("the-very-same-secret"), "[redacted]");
  second();
  assertEquals(scrub("the-very-same-secret"), "the-very-same-secret");
});

Deno.test("redact() leaves placeholders such as `ollama` alone", () => {
  const forget = redact("ollama");
  assertEquals(scrub("model ollama/llama3"), "model ollama/llama3");
  forget();
});

Deno.test("P02: what is shaped like a credential goes, whoever it belongs to", () => {
  const cases: [string, string][] = [
    ["Authorization: Bearer abc.def-ghi", "Authorization: Bearer [redacted]"],
    ["authorization: Basic dXNlcjpwYXNz", "authorization: Basic [redacted]"],
    ["key sk-proj-Ab_9*****xyz.", "key [redacted]"],
    ["cookie: a=1; session=zzz", "cookie: [redacted]"],
    ["Set-Cookie: session=zzz", "Set-Cookie: [redacted]"],
    ['{"api_key":"abcdef"}', '{"api_key":"[redacted]"}'],
    ["password=hunter22&x=1", "password=[redacted]&x=1"],
    ["postgres://me:pw@db/x", "postgres://[redacted]@db/x"],
    ["?access_token=abc&b=2", "?access_token=[redacted]&b=2"],
  ];
  for (const [text, expected] of cases) assertEquals(scrub(text), expected);
  const innocent = [
    "task-runner risk-free desk-1",
    "Unexpected token: }",
    "https://example.org/a@b",
    "a bearer of news",
    "tokens=5",
  ];
  for (const text of innocent) assertEquals(scrub(text), text);
});
