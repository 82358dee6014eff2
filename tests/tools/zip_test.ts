import { assert, assertEquals, assertThrows } from "@std/assert";
import { strToU8, zipSync } from "fflate";
import { FeedError } from "../../lib/tools/gtfs/errors.ts";
import { openZip } from "../../lib/tools/gtfs/read.ts";
import { readDirectory, unpack } from "../../lib/tools/gtfs/zip.ts";

function readAll(zip: Uint8Array): Map<string, string> {
  return new Map(
    readDirectory(zip).map((entry) => {
      const decoder = new TextDecoder();
      let text = "";
      for (const piece of unpack(zip, entry)) {
        text += decoder.decode(piece, { stream: true });
      }
      return [entry.name, text];
    }),
  );
}

/** Where the first entry of the directory begins. */
function directoryAt(zip: Uint8Array): number {
  const view = new DataView(zip.buffer, zip.byteOffset);
  return view.getUint32(zip.length - 22 + 16, true);
}

function patched(zip: Uint8Array, at: number, value: number): Uint8Array {
  const copy = zip.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}

const TEXT = "stop_id,stop_name\n".repeat(20_000);

Deno.test("zip: packed and stored entries are read, folders left out", () => {
  const zip = zipSync({
    "a.txt": strToU8(TEXT),
    "b.txt": [strToU8(TEXT), { level: 0 }],
    "empty.txt": new Uint8Array(),
    folder: { "c.txt": strToU8("车站") },
  });
  const files = readAll(zip);
  assertEquals([...files.keys()], [
    "a.txt",
    "b.txt",
    "empty.txt",
    "folder/c.txt",
  ]);
  assertEquals(files.get("a.txt"), TEXT);
  assertEquals(files.get("b.txt"), TEXT);
  assertEquals(files.get("empty.txt"), "");
  assertEquals(files.get("folder/c.txt"), "车站");
});

Deno.test("I01: an entry larger than it claims is cut off while it is inflated", () => {
  const zip = zipSync({ "a.txt": new Uint8Array(50_000_000) });
  const lying = patched(zip, directoryAt(zip) + 24, 1000);
  const before = performance.now();
  assertThrows(
    () => readAll(lying),
    FeedError,
    "larger than its directory says",
  );
  assert(performance.now() - before < 500);
});

Deno.test("I01: a zip that claims more than the limit is refused before anything is inflated", () => {
  const zip = zipSync({ "stop_times.txt": strToU8("x") });
  const bomb = patched(zip, directoryAt(zip) + 24, 0xf0000000);
  assertThrows(() => openZip(bomb), FeedError, "larger than 2 GiB");
});

Deno.test("I02: thousands of entries, encryption, zip64 and unknown packing are refused with a reason", () => {
  const many = zipSync(
    Object.fromEntries(
      Array.from({ length: 1001 }, (_, i) => [`${i}.txt`, new Uint8Array()]),
    ),
  );
  assertThrows(() => readDirectory(many), FeedError, "1001 entries");
  const zip = zipSync({ "a.txt": strToU8(TEXT) });
  const at = directoryAt(zip);
  const flags = zip.slice();
  flags[at + 8]! |= 1;
  assertThrows(() => readDirectory(flags), FeedError, "encrypted");
  const method = zip.slice();
  method[at + 10] = 12;
  assertThrows(() => readAll(method), FeedError, "packing method 12");
  assertThrows(
    () => readDirectory(patched(zip, zip.length - 6, 0xffffffff)),
    FeedError,
    "zip64",
  );
  const two = zipSync({
    "a/stop_times.txt": strToU8("x"),
    "b/stop_times.txt": strToU8("x"),
  });
  assertThrows(() => openZip(two), FeedError, "more than one feed");
});

Deno.test("zip: cut at any byte or with a byte changed it is refused or read right, never wrong", () => {
  const zip = zipSync({
    "a.txt": strToU8(TEXT.slice(0, 600)),
    "b.txt": [strToU8("x,y\n1,2\n"), { level: 0 }],
  });
  const right = readAll(zip);
  const harmless = (bytes: Uint8Array) => {
    try {
      for (const [name, text] of readAll(bytes)) {
        if (right.has(name)) assertEquals(text, right.get(name));
      }
    } catch (error) {
      assert(error instanceof FeedError, String(error));
    }
  };
  for (let at = 0; at < zip.length; at++) {
    harmless(zip.slice(0, at));
    const changed = zip.slice();
    changed[at]! ^= 0x55;
    harmless(changed);
  }
});
