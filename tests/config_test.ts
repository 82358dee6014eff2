import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ConfigError, DEFAULT_MODEL, readConfig } from "../lib/config.ts";

const CANARY = "sk-canary-0123456789abcdef";

function problems(env: Record<string, string>): readonly string[] {
  return assertThrows(() => readConfig(env), ConfigError).problems;
}

Deno.test("readConfig() of an empty environment listens on loopback and names no model", () => {
  assertEquals(readConfig({}), {
    port: 8000,
    hostname: "127.0.0.1",
    access: "loopback",
    data: "./data",
    database: null,
    model: null,
    localModel: null,
    responsesModels: [],
    origin: null,
    hosts: [],
    lang: null,
    serveWith: null,
    gtfsFeed: null,
    mcp: null,
    webReader: null,
    keepDays: null,
    log: "info",
    warnings: [],
  });
});

Deno.test("readConfig() reads every setting; blanks around a value do not count", () => {
  assertEquals(
    readConfig({
      PORT: " 0 ",
      HOST: "::1",
      OPENAI_API_KEY: CANARY,
      OPENAI_BASE_URL: "http://localhost:11434/v1/",
      OPENAI_MODEL: "qwen3",
      OPENAI_API: "gpt-5*, o3",
      DATABASE_URL: "postgres://me:pa%40ss@db.example.org/tape",
      TICKERTAPE_DATA: "/var/lib/tickertape",
      TICKERTAPE_ORIGIN: "https://Chat.example.org/",
      TICKERTAPE_HOSTS: "Chat.local, box:8000,[fe80::1]",
      TICKERTAPE_LANG: "zh",
      TICKERTAPE_SERVE_WITH: "npm",
      TICKERTAPE_LOG: "debug",
      TICKERTAPE_KEEP_DAYS: "365",
      GTFS_FEED: "https://transit.example.org/feed.zip",
      TICKERTAPE_MCP: "./servers.json",
      TICKERTAPE_WEB_READER: "Docs.example.org, .wikipedia.org",
    }),
    {
      port: 0,
      hostname: "::1",
      access: "loopback",
      data: "/var/lib/tickertape",
      database: "postgres://me:pa%40ss@db.example.org/tape",
      model: {
        apiKey: CANARY,
        baseUrl: "http://localhost:11434/v1",
        name: "qwen3",
      },
      localModel: null,
      responsesModels: ["gpt-5*", "o3"],
      origin: "https://chat.example.org",
      hosts: ["chat.local", "box:8000", "[fe80::1]"],
      lang: "zh",
      serveWith: "npm",
      gtfsFeed: "https://transit.example.org/feed.zip",
      mcp: "./servers.json",
      webReader: { allow: ["docs.example.org", ".wikipedia.org"] },
      keepDays: 365,
      log: "debug",
      warnings: [],
    },
  );
});

Deno.test("readConfig() takes an empty value for one that is not set", () => {
  const env = Object.fromEntries(
    ["PORT", "HOST", "OPENAI_API_KEY", "DATABASE_URL", "TICKERTAPE_ORIGIN"]
      .map((name) => [name, " "]),
  );
  assertEquals(readConfig(env), readConfig({}));
});

Deno.test("readConfig() reports every wrong setting at once, with value, rule and example", () => {
  const found = problems({
    PORT: "65536",
    HOST: "http://x",
    TICKERTAPE_ACCESS: "everybody",
    TICKERTAPE_ORIGIN: "https://chat.example.org/path",
    TICKERTAPE_HOSTS: "*.example.org",
    TICKERTAPE_LANG: "fr",
    TICKERTAPE_SERVE_WITH: "express",
    TICKERTAPE_LOG: "loud",
    TICKERTAPE_KEEP_DAYS: "0",
    GTFS_FEED: "ftp://x/feed.zip",
    TICKERTAPE_WEB_READER: "yes",
    OPENAI_API: "gpt*5",
    OPENAI_BASE_URL: "localhost:11434",
    DATABASE_URL: "mysql://me:hunter22@db/x",
  });
  assertEquals(found.map((text) => text.match(/^[A-Z_]+/)![0]).sort(), [
    "DATABASE_URL",
    "GTFS_FEED",
    "HOST",
    "OPENAI_API",
    "OPENAI_BASE_URL",
    "PORT",
    "TICKERTAPE_ACCESS",
    "TICKERTAPE_HOSTS",
    "TICKERTAPE_KEEP_DAYS",
    "TICKERTAPE_LANG",
    "TICKERTAPE_LOG",
    "TICKERTAPE_ORIGIN",
    "TICKERTAPE_SERVE_WITH",
    "TICKERTAPE_WEB_READER",
  ]);
  assertStringIncludes(
    found.join("\n"),
    'PORT="65536": must be a whole number from 0 to 65535, for example PORT=8000',
  );
  assert(!found.join("\n").includes("hunter22"));
  const error = assertThrows(
    () => readConfig({ PORT: "x", TICKERTAPE_LANG: "fr" }),
    ConfigError,
  );
  assertStringIncludes(error.message, "2 settings are wrong:\n  - PORT=");
});

for (const port of ["-1", "65536", "8000.5", "1e3", "0x10", "8,000", "NaN"]) {
  Deno.test(`readConfig() refuses PORT=${port}`, () => {
    assertEquals(problems({ PORT: port }).length, 1);
  });
}

Deno.test("A11: an address others can reach needs TICKERTAPE_ACCESS=public and names the risk", () => {
  for (const HOST of ["0.0.0.0", "::", "192.168.1.5", "box", "127.0.0.1.nip"]) {
    const [problem, ...more] = problems({ HOST });
    assertEquals(more, []);
    assertStringIncludes(problem!, "spend your API key");
    assertStringIncludes(problem!, "TICKERTAPE_ACCESS=public");
    const config = readConfig({ HOST, TICKERTAPE_ACCESS: "public" });
    assertEquals([config.hostname, config.access], [HOST, "public"]);
  }
  for (const HOST of ["localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]"]) {
    assertEquals(readConfig({ HOST }).access, "loopback");
  }
});

Deno.test("readConfig() says of token, users and proxy that they are designed but not built", () => {
  for (const access of ["token", "users", "proxy"]) {
    const found = problems({ HOST: "0.0.0.0", TICKERTAPE_ACCESS: access });
    assertEquals(found.length, 1);
    assertStringIncludes(found[0]!, "designed but not built yet");
  }
});

Deno.test("readConfig() finds a port given in HOST", () => {
  assertStringIncludes(
    problems({ HOST: "127.0.0.1:8000" })[0]!,
    "the port is PORT",
  );
});

Deno.test("readConfig() picks the model: key alone, own server, neither", () => {
  assertEquals(readConfig({ OPENAI_API_KEY: CANARY }).model, {
    apiKey: CANARY,
    baseUrl: null,
    name: DEFAULT_MODEL,
  });
  const own = { OPENAI_BASE_URL: "http://127.0.0.1:1234/v1" };
  assertEquals(readConfig(own).model?.name, null);
  assertEquals(readConfig({ ...own, OPENAI_MODEL: "m" }).model, {
    apiKey: null,
    baseUrl: "http://127.0.0.1:1234/v1",
    name: "m",
  });
  const local = readConfig({ OPENAI_MODEL: "m" });
  assertEquals([local.model, local.localModel], [null, "m"]);
  assertEquals(local.warnings, []);
});

Deno.test("readConfig() reads from OPENAI_API which models use the Responses API", () => {
  for (
    const [given, expected] of [
      ["chat", []],
      ["responses", ["*"]],
      ["Responses", ["*"]],
      ["o3", ["o3"]],
      ["gpt-5*,o3 ,, o4*", ["gpt-5*", "o3", "o4*"]],
    ] as const
  ) {
    const config = readConfig({ OPENAI_API: given });
    assertEquals(config.responsesModels, [...expected]);
  }
  for (const wrong of ["*5", "gpt**", "chat,o3", "o3,responses"]) {
    assertStringIncludes(problems({ OPENAI_API: wrong })[0]!, "Responses API");
  }
});

Deno.test("S05: readConfig() reads from TICKERTAPE_WEB_READER which hosts may be read", () => {
  for (
    const [given, expected] of [
      ["off", null],
      ["on", { allow: null }],
      ["On", { allow: null }],
      ["corp.com", { allow: ["corp.com"] }],
      ["CORP.com. ,, .corp.org", { allow: ["corp.com", ".corp.org"] }],
      ["bücher.example .gov", { allow: ["xn--bcher-kva.example", ".gov"] }],
    ] as const
  ) {
    const { webReader } = readConfig({ TICKERTAPE_WEB_READER: given });
    assertEquals(webReader as unknown, expected);
  }
  for (
    const wrong of [
      "yes",
      "1",
      "*.corp.com",
      "https://corp.com",
      "corp.com:80",
      "corp.com/x",
      "me@corp.com",
      "..corp.com",
      "corp..com",
      "127.0.0.1",
      "0x7f.1",
      "[::1]",
      ".",
      ",",
      "corp.com,on",
    ]
  ) {
    const found = problems({ TICKERTAPE_WEB_READER: wrong });
    assertEquals(found.length, 1, wrong);
    assertStringIncludes(found[0]!, 'must be "off", "on"');
  }
});

Deno.test("readConfig() takes every way people write a Postgres URL", () => {
  for (
    const url of [
      "postgres://db/tape",
      "postgresql://me:pw@db.example.org:5432/tape?sslmode=require",
      "postgres://me:p,w@a:5432,b:5433/tape?target_session_attrs=primary",
      "postgres:///tape?host=/var/run/postgresql",
      "postgres://me@[::1]:5432/tape",
    ]
  ) {
    assertEquals(readConfig({ DATABASE_URL: url }).database, url);
  }
  for (const wrong of ["postgres://", "db/tape", "http://db/tape", "on"]) {
    assertStringIncludes(
      problems({ DATABASE_URL: wrong })[0]!,
      "(value not shown): must be the URL of a Postgres database",
    );
  }
});

Deno.test("readConfig() warns of a key sent over plain http to another computer", () => {
  const env = { OPENAI_API_KEY: CANARY, OPENAI_MODEL: "m" };
  const far = readConfig({ ...env, OPENAI_BASE_URL: "http://box.lan/v1" });
  assertStringIncludes(far.warnings[0]!, "unencrypted");
  for (const url of ["http://localhost:1/v1", "https://box.lan/v1"]) {
    assertEquals(readConfig({ ...env, OPENAI_BASE_URL: url }).warnings, []);
  }
});

Deno.test("readConfig() warns of unknown TICKERTAPE_ names and suggests the nearest", () => {
  const { warnings } = readConfig({
    TICKERTAPE_ORGIN: "https://x.test",
    TICKERTAPE_COLOUR_SCHEME: "dark",
    OTHER_NAME: "x",
  });
  assertEquals(warnings.length, 2);
  assertStringIncludes(warnings[0]!, "Known are TICKERTAPE_ACCESS");
  assertStringIncludes(warnings[1]!, "Did you mean TICKERTAPE_ORIGIN?");
});

Deno.test("P01: no message repeats a secret, also not one in the wrong place", () => {
  const wrong: Record<string, string>[] = [
    { OPENAI_API_KEY: `${CANARY}\n${CANARY}` },
    { OPENAI_API_KEY: CANARY, PORT: CANARY },
    { OPENAI_API_KEY: CANARY, TICKERTAPE_LANG: `x${CANARY}` },
    { OPENAI_BASE_URL: CANARY },
    { OPENAI_BASE_URL: `https://me:${CANARY}@x.test/v1` },
    { OPENAI_BASE_URL: `https://x.test/v1?key=${CANARY}`, OPENAI_MODEL: "m" },
    { TICKERTAPE_ORIGIN: `https://me:${CANARY}@x.test` },
    { GTFS_FEED: `https://me:${CANARY}@x.test/feed.zip` },
    { GTFS_FEED: `ftp://me:${CANARY}@x.test/feed.zip` },
    { DATABASE_URL: `mysql://me:${CANARY}@db/x` },
    { DATABASE_URL: `postgres://me:${CANARY}@db:no/x` },
    { OPENAI_API_KEY: CANARY, PORT: "x\0" },
  ];
  for (const env of wrong) {
    const text = problems(env).join("\n");
    assert(!text.includes("canary"), `${text}\nfrom ${Object.keys(env)}`);
  }
});
