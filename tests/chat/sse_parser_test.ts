import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type SseEvent,
  sseParser,
  SseTooLongError,
} from "../../lib/chat/sse_parser.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const BOM = "\uFEFF";

/** Everything a parser said, as one list: `[kind, value]`. */
type Heard = ["event", SseEvent] | ["id", string] | ["retry", number];

function hear(pieces: Uint8Array[]): Heard[] {
  const heard: Heard[] = [];
  const parser = sseParser({
    event: (event) => heard.push(["event", event]),
    id: (id) => heard.push(["id", id]),
    retry: (ms) => heard.push(["retry", ms]),
  });
  for (const piece of pieces) parser.push(piece);
  return heard;
}

const byteByByte = (input: Uint8Array) =>
  Array.from(input, (_, at) => input.slice(at, at + 1));

/** Whole and byte by byte must sound the same; `|` cuts are a third way. */
function hearBothWays(input: string | Uint8Array): Heard[] {
  const all = typeof input === "string" ? bytes(input) : input;
  const whole = hear([all]);
  assertEquals(hear(byteByByte(all)), whole);
  return whole;
}

function events(input: string | Uint8Array): SseEvent[] {
  return hearBothWays(input).flatMap(([kind, value]) =>
    kind === "event" ? [value] : []
  );
}

const data = (input: string | Uint8Array) =>
  events(input).map((event) => event.data);

Deno.test("P01: LF, CRLF and CR end lines alike", () => {
  for (const input of ["data: a\n\n", "data: a\r\n\r\n", "data: a\r\r"]) {
    assertEquals(data(input), ["a"]);
  }
});

Deno.test("P02: mixed line ends make no empty events", () => {
  assertEquals(data("data: a\n\r\ndata: b\r\n\rdata: c\r\r\n"), [
    "a",
    "b",
    "c",
  ]);
});

Deno.test("P03: a CRLF split between two reads is one line end", () => {
  const heard = hear(
    ["data: a\r", "\n\r", "\ndata: b\r\n\r\n"].map(bytes),
  );
  assertEquals(heard.map(([, value]) => (value as SseEvent).data), ["a", "b"]);
  // Taken for two line ends, the CRLF would end the event here.
  assertEquals(data("data: a\r\ndata: b\r\n\r\n"), ["a\nb"]);
});

Deno.test("P03: an event ended by CR is heard without waiting for the next read", () => {
  const seen: string[] = [];
  const parser = sseParser({ event: (event) => seen.push(event.data) });
  parser.push(bytes("data: a\r\r"));
  assertEquals(seen, ["a"]);
});

Deno.test("P04: one leading BOM is stripped, a later one spoils its field", () => {
  assertEquals(data(`${BOM}data: a\n\n${BOM}data: b\n\n`), ["a"]);
  assertEquals(data(`${BOM}${BOM}data: a\n\n`), []);
  // Found by the property below: a BOM that opens a later read is text.
  assertEquals(data(`data: a${BOM}b\n\n`), [`a${BOM}b`]);
});

Deno.test("P05: exactly one space after the colon is dropped", () => {
  assertEquals(
    data("data:a\n\ndata: a\n\ndata:  a\n\ndata:\ta\n\n"),
    ["a", "a", " a", "\ta"],
  );
});

Deno.test("P06: data lines join with LF, and an empty data line is an event", () => {
  assertEquals(data("data: a\ndata: b\n\n"), ["a\nb"]);
  assertEquals(data("data\ndata\n\n"), ["\n"]);
  assertEquals(data("data:\n\ndata\n\n"), ["", ""]);
});

Deno.test("P07: comments are nothing, also between data lines", () => {
  assertEquals(hearBothWays(": hi\n\n"), []);
  assertEquals(data("data: a\n: c\ndata: b\n\n"), ["a\nb"]);
  assertEquals(data(":data: x\n\n"), []);
});

Deno.test("P08: an event without data is not dispatched and its type forgotten", () => {
  assertEquals(events("event: x\n\ndata: a\n\n"), [
    { type: "message", data: "a", id: "" },
  ]);
});

Deno.test("P09: a block with an id alone commits the cursor; an unfinished one does not", () => {
  assertEquals(hearBothWays("id: 1\ndata: a\n\nid: 5\n\nid: 9\ndata: x\n"), [
    ["event", { type: "message", data: "a", id: "1" }],
    ["id", "1"],
    ["id", "5"],
  ]);
});

Deno.test("P09: an id stays for later events, is reset by an empty one and ignored with NUL", () => {
  assertEquals(
    events("id: 1\ndata: a\n\ndata: b\n\nid: 2\0\ndata: c\n\nid\ndata: d\n\n")
      .map((event) => event.id),
    ["1", "1", "1", ""],
  );
});

Deno.test("P10: retry counts only when all ASCII digits", () => {
  for (const value of ["10ms", "-1", "1.5", "  10", "", "１０"]) {
    assertEquals(hearBothWays(`retry: ${value}\n\n`), [], value);
  }
  assertEquals(hearBothWays("retry\n\n"), []);
  assertEquals(hearBothWays("retry: 0010\n"), [["retry", 10]]);
});

Deno.test("P11: field names are exact", () => {
  for (
    const line of ["Data: x", " data: x", "data : x", "foo: x", "datax: x"]
  ) {
    assertEquals(hearBothWays(`${line}\n\n`), [], line);
  }
});

Deno.test("P12: an empty event type means message, the last of two types wins", () => {
  assertEquals(events("event:\ndata: a\n\n").map((e) => e.type), ["message"]);
  assertEquals(
    events("event: x\nevent: y\ndata: a\n\ndata: b\n\n").map((e) => e.type),
    ["y", "message"],
  );
});

Deno.test("P13: NUL, U+2028, U+0085, VT and markup are ordinary characters", () => {
  const odd = "\0\u2028\u2029\u0085\u000B<script>";
  assertEquals(data(`data: ${odd}\n\n`), [odd]);
});

Deno.test("P14: broken UTF-8 becomes U+FFFD; a cut character at the end drops the event", () => {
  const broken = Uint8Array.from([...bytes("data: "), 0xff, 0xc3, 10, 10]);
  assertEquals(data(broken), ["\uFFFD\uFFFD"]);
  assertEquals(data(Uint8Array.from([...bytes("data: "), 0xf0, 0x9f])), []);
});

Deno.test("P15: an emoji family cut at every byte stays whole", () => {
  const family = "👩‍👩‍👧";
  const input = bytes(`data: ${family}\n\n`);
  for (let cut = 0; cut <= input.length; cut++) {
    const heard = hear([input.slice(0, cut), input.slice(cut)]);
    assertEquals((heard[0]![1] as SseEvent).data, family);
  }
  assertEquals(data(input), [family]);
});

Deno.test("P16: a 200 KB line is delivered, whole or in crumbs", () => {
  const long = "x".repeat(200 * 1024);
  assertEquals(data(`data: ${long}\n\n`), [long]);
});

Deno.test("P16: a 2 MiB line is refused in plain words, in one read or many", () => {
  const start = bytes("data: ");
  const mebibyte = bytes("x".repeat(1024 * 1024));
  const parser = sseParser({ event: () => {} });
  parser.push(start);
  parser.push(mebibyte);
  const error = assertThrows(() => parser.push(mebibyte), SseTooLongError);
  assertEquals(
    error.message,
    "Cannot read the event stream: one line is longer than 2097152 characters",
  );
  assertThrows(
    () =>
      sseParser({ event: () => {} }, { line: 10 }).push(bytes("data: 12345\n")),
    SseTooLongError,
  );
});

Deno.test("P16: one event of endless short data lines is refused as well", () => {
  const parser = sseParser({ event: () => {} }, { line: 1000 });
  assertThrows(() => {
    for (let at = 0; at < 1000; at++) parser.push(bytes("data: 0123456789\n"));
  }, SseTooLongError);
});

Deno.test("an event is heard before its id is committed", () => {
  assertEquals(
    hearBothWays("data: a\nid: 7\n\n").map(([kind]) => kind),
    ["event", "id"],
  );
});

Deno.test("a line of one-byte reads costs no more than linear time", () => {
  const time = (size: number) => {
    const pieces = byteByByte(bytes(`data: ${"x".repeat(size)}\n\n`));
    const began = performance.now();
    hear(pieces);
    return performance.now() - began;
  };
  time(20_000);
  // Ten times the input: quadratic work would take a hundred times as long.
  const [small, large] = [time(20_000), time(200_000)];
  assert(large < small * 50 + 50, `${small} ms then ${large} ms`);
});

/** The rules once more, the slow way: split the whole text into lines. */
function reference(text: string): Heard[] {
  const heard: Heard[] = [];
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  lines.pop(); // not ended
  let lasting = "", type = "", fresh = false;
  let collected: string[] = [];
  for (const line of lines) {
    if (line === "") {
      const event = { type: type || "message", data: collected.join("\n") };
      if (collected.length) heard.push(["event", { ...event, id: lasting }]);
      if (fresh) heard.push(["id", lasting]);
      [collected, type, fresh] = [[], "", false];
      continue;
    }
    const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/su.exec(line)!;
    if (name === "data") collected.push(value);
    else if (name === "event") type = value;
    else if (name === "id" && !value.includes("\0")) {
      [lasting, fresh] = [value, true];
    } else if (name === "retry" && /^[0-9]+$/.test(value)) {
      heard.push(["retry", Number(value)]);
    }
  }
  return heard;
}

Deno.test("any stream cut anywhere says what the rules say", () => {
  const word = fc.constantFrom(
    ...["data", "event", "id", "retry", "Data", ":", ": ", " ", "\n", "\n\n"],
    ...["\r", "\r\n", "\0", "12", "0x", "你好", "👩‍👩‍👧", "\u2028", BOM, "a"],
    ...["data: ", "data:", "id: 4", "event: x\n", "data: {}\n\n"],
  );
  const seed = Number(Deno.env.get("FC_SEED") ?? Date.now() % 2 ** 31);
  console.log(`fast-check seed ${seed} (FC_SEED=${seed} repeats it)`);
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 40 }),
      fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 12 }),
      (words, steps) => {
        const text = words.join("");
        const input = bytes(text);
        const pieces: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < input.length; turn++) {
          const size = steps[turn % steps.length]! + (turn % 2);
          pieces.push(input.slice(at, at + size));
          at += size;
        }
        assertEquals(hear(pieces), reference(text));
      },
    ),
    { seed, numRuns: 2000 },
  );
});
