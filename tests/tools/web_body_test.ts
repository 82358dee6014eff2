import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
} from "node:zlib";
import { WebError } from "../../lib/tools/web/errors.ts";
import { readPage } from "../../lib/tools/web/page.ts";
import { page, Stage } from "./web_stage.ts";

const MB = 1024 * 1024;
const url = "http://public.test/";
const { signal } = new AbortController();
const bytes = (text: string) => new TextEncoder().encode(text);

async function words(stage: Stage, answer: string | Uint8Array) {
  stage.site = () => answer;
  const error = await assertRejects(() => stage.fetch(url), WebError);
  await stage.quiet();
  return error.message;
}

async function text(stage: Stage, answer: string | Uint8Array) {
  stage.site = () => answer;
  const found = await stage.fetch(url);
  return (await readPage(found, signal)).text;
}

const packers = {
  gzip: gzipSync,
  br: brotliCompressSync,
  deflate: deflateSync,
} as const;

Deno.test("packed pages are unpacked: gzip, brotli, deflate with and without its header", async () => {
  await using stage = await Stage.open();
  for (const [name, pack] of Object.entries(packers)) {
    const body = new Uint8Array(pack(bytes("<p>packed")));
    for (const spelled of [name, name.toUpperCase(), ` ${name} `]) {
      const answer = page(body, { "Content-Encoding": spelled });
      assertEquals(await text(stage, answer), "packed");
    }
  }
  const raw = new Uint8Array(deflateRawSync(bytes("<p>raw")));
  const answer = page(raw, { "Content-Encoding": "deflate" });
  assertEquals(await text(stage, answer), "raw");
  const empty = page("", { "Content-Encoding": "gzip" });
  assertEquals(await text(stage, empty), "");
});

Deno.test("S06: two megabytes are read, one byte more is not, counted as unpacked", async () => {
  await using stage = await Stage.open();
  const most = new Uint8Array(2 * MB).fill(0x78);
  const more = new Uint8Array(2 * MB + 1).fill(0x78);
  const large = "the page is too large: more than 2 MB";
  const plain = { "Content-Type": "text/plain" };
  stage.site = () => page(most, plain);
  assertEquals((await stage.fetch(url)).bytes.length, 2 * MB);
  assertEquals(await words(stage, page(more, plain)), large);
  // Without a length, the body ends with the connection.
  const head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
  assertEquals(await words(stage, head + "x".repeat(2 * MB + 1)), large);
  for (const [name, pack] of Object.entries(packers)) {
    const headers = { ...plain, "Content-Encoding": name };
    stage.site = () => page(new Uint8Array(pack(most)), headers);
    assertEquals((await stage.fetch(url)).bytes.length, 2 * MB, name);
    const packed = new Uint8Array(pack(more));
    assertEquals(await words(stage, page(packed, headers)), large, name);
  }
});

Deno.test("S06: a bomb is let go off for two megabytes, not for sixty-four", async () => {
  await using stage = await Stage.open();
  const zeros = new Uint8Array(64 * MB);
  for (const [name, pack] of Object.entries(packers)) {
    const bomb = new Uint8Array(pack(zeros));
    const before = Deno.memoryUsage().rss;
    const start = performance.now();
    const told = await words(stage, page(bomb, { "Content-Encoding": name }));
    const ms = performance.now() - start;
    const grown = (Deno.memoryUsage().rss - before) / MB;
    console.log(
      `${name}: ${bomb.length} bytes for 64 MB, refused in ${
        ms.toFixed(0)
      } ms, +${grown.toFixed(0)} MB`,
    );
    assertStringIncludes(told, "too large");
    assertEquals(grown < 32, true, `${name} took ${grown} MB`);
  }
});

Deno.test("S06: a body that never ends is cut, whatever it is made of", async () => {
  await using stage = await Stage.open();
  let sent = () => 0;
  const endless = (head: string, piece: string) => {
    stage.site = (_, socket) => {
      sent = () => socket.bytesWritten;
      socket.write(head);
      if (piece === "") return;
      const go = () => {
        while (!socket.destroyed && socket.write(piece));
      };
      socket.on("drain", go);
      go();
    };
    return assertRejects(() => stage.fetch(url), WebError);
  };
  const plain = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
  const chunked = `${plain}Transfer-Encoding: chunked\r\n\r\n`;
  const kilobyte = "x".repeat(1_024);
  const large = "the page is too large: more than 2 MB";
  const cases: [string, string, string][] = [
    [`${plain}\r\n`, kilobyte, large],
    [chunked, `400\r\n${kilobyte}\r\n`, large],
    // One byte at a time under long names: two megabytes are never reached.
    [chunked, `1;${"n".repeat(1_000)}\r\nx\r\n`, large],
    [chunked, `fffffff\r\n${kilobyte}`, large],
    [`${plain}Content-Length: 99999999\r\n\r\n`, kilobyte, large],
    // Nothing more comes, nor need it: the number was enough.
    [`${plain}Content-Length: 99999999\r\n\r\n`, "", large],
    [`${chunked}fffffff\r\n`, "", large],
    [chunked, `1;${"n".repeat(2_000)}`, "the server's answer is broken"],
    [plain, `X: ${kilobyte}\r\n`, "headers that are too large"],
    [plain, kilobyte, "headers that are too large"],
    ["", kilobyte, "headers that are too large"],
    ["", "HTTP/1.1 100 Continue\r\n\r\n", "headers that are too large"],
    ["", "HTTP/1.1 103 Hints\r\nX: x\r\n\r\n", "headers that are too large"],
  ];
  for (const [head, piece, told] of cases) {
    const error = await endless(head, piece);
    assertStringIncludes(error.message, told, head + piece.slice(0, 20));
    await stage.quiet();
    assert(sent() < 32 * MB, `${sent()} bytes were taken: ${head}`);
  }
});

Deno.test("S06: five megabytes of headers are not read to their end", async () => {
  await using stage = await Stage.open();
  let answer = "HTTP/1.1 200 OK\r\n";
  for (let i = 0; i < 5_000; i++) answer += `X-${i}: ${"a".repeat(1_000)}\r\n`;
  assertStringIncludes(
    await words(stage, `${answer}\r\nhello`),
    "headers that are too large",
  );
  const near = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX: ${
    "a".repeat(30_000)
  }\r\n\r\nhello`;
  assertEquals(await text(stage, near), "hello");
});

Deno.test("answers in chunks, at once or byte by byte, with what may come before and after", async () => {
  await using stage = await Stage.open();
  const answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" +
    "content-TYPE:text/html\r\nTransfer-Encoding: Chunked\r\n\r\n" +
    "5;a=b\r\nhel\r\n\r\n2\r\nlo\r\n0\r\nTrailer: x\r\n\r\n";
  assertEquals(await text(stage, answer), "hel lo");
  stage.site = (_, socket) => {
    (async () => {
      for (const byte of answer) {
        socket.write(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      socket.end();
    })();
  };
  const found = await stage.fetch(url);
  assertEquals((await readPage(found, signal)).text, "hel lo");
});

Deno.test("an answer that ends in the middle, or is no HTTP, is told so", async () => {
  await using stage = await Stage.open();
  const ok = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";
  const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
  for (
    const answer of [
      "",
      "hello",
      "HTTP/1.1 200 OK\r\nContent-Type: text",
      "SSH-2.0-OpenSSH_9.2\r\n",
      "HTTP/2 200\r\n\r\n",
      "HTTP/1.1 OK\r\n\r\n",
      "HTTP/1.1 101 Switching\r\n\r\n",
      `${ok}Content-Length: 10\r\n\r\nhello`,
      `${ok}Content-Length: -1\r\n\r\nhello`,
      `${ok}Content-Length: 5, 5\r\n\r\nhello`,
      `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      `${chunked}5\r\nhel`,
      `${chunked}5\r\nhello`,
      `${chunked}5\r\nhelloo\r\n0\r\n\r\n`,
      `${chunked}x\r\nhello\r\n0\r\n\r\n`,
      `${chunked}5\r\nhello\r\n`,
    ]
  ) {
    assertStringIncludes(
      await words(stage, answer),
      "the server's answer is broken, or ended in the middle",
      answer,
    );
  }
  for (const coding of ["gzip, gzip", "zstd", "compress", "x"]) {
    assertStringIncludes(
      await words(stage, page("x", { "Content-Encoding": coding })),
      "packed in a way that was not asked for",
    );
  }
  for (const coding of ["gzip", "deflate", "br"]) {
    assertStringIncludes(
      await words(stage, page("\x78hello", { "Content-Encoding": coding })),
      "packed in a way that cannot be unpacked",
      coding,
    );
  }
});

/** "中文" in GBK, "日本" in Shift_JIS, "café" in Latin-1. */
const GBK = [0xd6, 0xd0, 0xce, 0xc4];
const SJIS = [0x93, 0xfa, 0x96, 0x7b];
const LATIN = [0x63, 0x61, 0x66, 0xe9];
const UTF8 = [...bytes("中文")];

Deno.test("the letters are found by mark, header, page, and at last by trying", async () => {
  await using stage = await Stage.open();
  const read = (type: string, ...pieces: (string | number[])[]) =>
    text(
      stage,
      page(
        new Uint8Array(
          pieces.flatMap((piece) =>
            typeof piece === "string" ? [...bytes(piece)] : piece
          ),
        ),
        { "Content-Type": type },
      ),
    );
  const html = "text/html";
  assertEquals(await read(`${html}; charset=gbk`, GBK), "中文");
  assertEquals(await read(`${html};charset="GB18030"`, GBK), "中文");
  assertEquals(await read(`${html}; x=y; Charset=shift_jis`, SJIS), "日本");
  assertEquals(await read(`${html}; charset=iso-8859-1`, LATIN), "café");
  assertEquals(await read(html, "<meta charset=gbk>", GBK), "中文");
  assertEquals(
    await read(
      html,
      "<!-- <meta charset=x> --><META HTTP-EQUIV='Content-Type' " +
        "content='text/html; charset=Shift_JIS' />",
      SJIS,
    ),
    "日本",
  );
  assertEquals(
    await read("application/xhtml+xml", "<?xml encoding='gbk'?>", GBK),
    "中文",
  );
  assertEquals(
    await read("text/xml", '<?xml version="1.0" encoding="gbk"?>', GBK),
    '<?xml version="1.0" encoding="gbk"?>中文',
  );
  // The header counts more than the page, the mark more than the header.
  assertEquals(
    await read(`${html}; charset=utf-8`, "<meta charset=gbk>", UTF8),
    "中文",
  );
  assertEquals(
    await read(`${html}; charset=gbk`, [0xef, 0xbb, 0xbf], UTF8),
    "中文",
  );
  assertEquals(await read(html, [0xff, 0xfe, 0x2d, 0x4e, 0x87, 0x65]), "中文");
  assertEquals(await read(html, [0xfe, 0xff, 0x4e, 0x2d, 0x65, 0x87]), "中文");
  // Nothing said, or nonsense: UTF-8 if it is that.
  for (const said of ["", "; charset=", "; charset=klingon", "; charset=hz"]) {
    assertEquals(await read(html + said, UTF8), "中文");
    assertEquals(await read(html + said, LATIN), "café");
  }
  assertEquals(await read(html, "<meta charset=utf-16>", UTF8), "中文");
  assertEquals(
    await read("text/plain", "<meta charset=gbk>", LATIN),
    [
      "<meta charset=gbk>café",
    ].join(""),
  );
});

Deno.test("plain text, Markdown, JSON and XML are told as they are, without what nobody sees", async () => {
  await using stage = await Stage.open();
  for (
    const type of [
      "text/plain",
      "text/markdown",
      "application/json",
      "application/xml",
    ]
  ) {
    assertEquals(
      await text(
        stage,
        page("<b>\u202e1\r\n\t2</b>\u{e0041}\0\u200b\x1b[0m", {
          "Content-Type": type,
        }),
      ),
      "<b>1\n\t2</b>[0m",
    );
  }
});
