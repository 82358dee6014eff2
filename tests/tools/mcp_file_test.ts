import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  McpFileError,
  parseMcpFile,
  readMcpFile,
} from "../../lib/tools/mcp/file.ts";

const CANARY = "canary-0123456789abcdef";

const parse = (mcpServers: unknown, env: Record<string, string> = {}) =>
  parseMcpFile(JSON.stringify({ mcpServers }), '"t.json"', env);

function problems(mcpServers: unknown, env = {}): readonly string[] {
  return assertThrows(() => parse(mcpServers, env), McpFileError).problems;
}

Deno.test("parseMcpFile() reads programs and addresses in the format other clients use", () => {
  const env = {
    PATH: "/bin",
    HOME: "/home/x",
    OPENAI_API_KEY: CANARY,
    WEB_TOKEN: CANARY,
  };
  const { servers, secrets, warnings } = parse({
    files: {
      command: "npx",
      args: ["-y", "server-files", "/data"],
      env: { LOG: "1", FILES_TOKEN: "t0k3n-of-files" },
      read: ["list", "read"],
      local: true,
      deadline_s: 1.5,
    },
    web: {
      type: "http",
      url: "https://mcp.example.org/mcp",
      headers: { "X-Team": "blue" },
      tokenEnv: "WEB_TOKEN",
      autoApprove: ["all"],
    },
    off: { url: "ftp://whatever", disabled: true },
  }, env);
  assertEquals(servers, [{
    name: "files",
    link: {
      kind: "stdio",
      command: "npx",
      args: ["-y", "server-files", "/data"],
      env: {
        PATH: "/bin",
        HOME: "/home/x",
        LOG: "1",
        FILES_TOKEN: "t0k3n-of-files",
      },
      cwd: null,
    },
    read: ["list", "read"],
    local: true,
    deadlineMs: 1500,
    secrets: ["t0k3n-of-files"],
  }, {
    name: "web",
    link: {
      kind: "http",
      url: "https://mcp.example.org/mcp",
      headers: { "x-team": "blue", authorization: `Bearer ${CANARY}` },
    },
    read: [],
    local: false,
    deadlineMs: 60_000,
    secrets: [CANARY],
  }]);
  assertEquals(secrets.sort(), [CANARY, "t0k3n-of-files"]);
  assertEquals(warnings, [
    '"t.json", server "web": "autoApprove" is not known and ignored',
  ]);
});

Deno.test("parseMcpFile() takes for secrets what is named like one", () => {
  const named = (env: Record<string, string>) =>
    parse({ s: { command: "x", env } }, {}).secrets.length;
  const names = [
    "GITHUB_PAT",
    "PGPASS",
    "DB_PWD",
    "AWS_CREDENTIALS",
    "api_key",
  ];
  for (const name of names) assertEquals(named({ [name]: "v" }), 1, name);
  for (const name of ["LOG", "FILE_PATH", "PATTERN"]) {
    assertEquals(named({ [name]: "v" }), 0, name);
  }
});

Deno.test("parseMcpFile() warns of a token sent over plain http to another computer", () => {
  const warned = (url: string, tokenEnv?: string) =>
    parse({ s: { url, tokenEnv } }, { T: "t" }).warnings.length;
  assertEquals(warned("http://mcp.lan/", "T"), 1);
  assertEquals(warned("http://mcp.lan/"), 0);
  assertEquals(warned("https://mcp.lan/", "T"), 0);
  for (const host of ["localhost:1", "127.0.0.1", "[::1]:8"]) {
    assertEquals(warned(`http://${host}/`, "T"), 0);
  }
});

Deno.test("T12: what stands in the file is taken as it stands, never as a template", () => {
  const text = "${OPENAI_API_KEY}";
  const { servers } = parse({
    web: {
      url: "https://x.test/${OPENAI_API_KEY}",
      headers: { "x-key": text },
    },
    files: { command: "$(id)", args: [text], env: { A: text } },
  }, { OPENAI_API_KEY: CANARY });
  const all = JSON.stringify(servers.map(({ link }) => link));
  assert(!all.includes(CANARY));
  assertEquals(all.split("${OPENAI_API_KEY}").length - 1, 3);
  assertStringIncludes(all, '"command":"$(id)"');
});

const WRONG: [string, unknown, string][] = [
  ["neither", {}, 'needs either "command" or "url"'],
  ["both", { command: "x", url: "https://x.test" }, 'needs either "command"'],
  ["empty command", { command: "  " }, '"command" must not be empty'],
  ["args", { command: "x", args: "y" }, '"args" must be an array'],
  ["args of numbers", { command: "x", args: [1] }, '"args.0" must be a string'],
  ["scheme", { url: "file:///etc/passwd" }, "must begin with http://"],
  ["no url", { url: "localhost:3000" }, "must begin with http://"],
  [
    "user info",
    { url: `https://me:${CANARY}@x.test` },
    "user name or password",
  ],
  [
    "header",
    { url: "https://x.test", headers: { "a b": "c" } },
    'header "a b"',
  ],
  [
    "header value",
    { url: "https://x.test", headers: { a: `${CANARY}\n` } },
    'header "a"',
  ],
  [
    "headers of a program",
    { command: "x", headers: {} },
    '"headers" does not go with "command"',
  ],
  [
    "env of an address",
    { url: "https://x.test", env: {} },
    '"env" does not go with "url"',
  ],
  ["type", { command: "x", type: "http" }, '"type" must be "stdio"'],
  ["old transport", { url: "https://x.test", type: "sse" }, "streamable HTTP"],
  [
    "no token",
    { url: "https://x.test", tokenEnv: "NONE" },
    'names "NONE", which is not set',
  ],
  [
    "the model's key",
    { url: "https://x.test", tokenEnv: "OPENAI_API_KEY" },
    "key of the model provider",
  ],
  ["two tokens", {
    url: "https://x.test",
    tokenEnv: "T",
    headers: { Authorization: CANARY },
  }, "both"],
  [
    "deadline",
    { command: "x", deadline_s: 0 },
    '"deadline_s" must be a number of seconds',
  ],
  ["no object", CANARY, "must be an object"],
];

for (const [what, server, expected] of WRONG) {
  Deno.test(`parseMcpFile() refuses ${what}, and repeats no value`, () => {
    const found = problems({ s: server }, {
      OPENAI_API_KEY: CANARY,
      T: CANARY,
    });
    assertEquals(found.length, 1, found.join("\n"));
    assertStringIncludes(found[0]!, `"t.json", server "s": `);
    assertStringIncludes(found[0]!, expected);
    assert(!found[0]!.includes("canary"), found[0]);
  });
}

Deno.test("parseMcpFile() names every wrong server at once, and refuses names that could be mistaken", () => {
  const names = ["a__b", "_a", "a_", "a b", "", "__proto__", "x".repeat(33)];
  const entries = names.map((name) => [name, { command: "x" }]);
  assertEquals(
    problems({ ...Object.fromEntries(entries), good: {} }).length,
    names.length + 1,
  );
  for (
    const text of ["", "[]", "{}", '{"mcpServers": []}', `{"x": ${CANARY}}`]
  ) {
    const error = assertThrows(
      () => parseMcpFile(text, "t", {}),
      McpFileError,
    );
    assert(!error.message.includes("canary"));
  }
});

Deno.test("readMcpFile() does without the file nobody named, and not without one that was", async () => {
  const before = Deno.cwd();
  const dir = await Deno.makeTempDir();
  try {
    Deno.chdir(dir);
    assertEquals((await readMcpFile(null, {})).servers, []);
    const error = await assertRejects(
      () => readMcpFile("gone.json", {}),
      McpFileError,
    );
    assertStringIncludes(error.message, '"gone.json": there is no such file');
    await Deno.writeTextFile(
      "tickertape.mcp.json",
      '\ufeff{"mcpServers": {"s": {"command": "x"}}}',
    );
    assertEquals((await readMcpFile(null, {})).servers[0]!.name, "s");
  } finally {
    Deno.chdir(before);
    await Deno.remove(dir, { recursive: true });
  }
});
