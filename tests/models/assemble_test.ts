import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ModelError, type ModelEvent } from "../../lib/agent/contracts.ts";
import { callAssembler } from "../../lib/models/assemble.ts";
import { type CallFragment, fragment } from "../helpers/completion_chunks.ts";

/** The calls these fragments make, as `[name, arguments, id]`. */
function assemble(
  fragments: CallFragment[],
  taken: string[] = [],
): [string, string, string][] {
  const events: ModelEvent[] = [];
  const assembler = callAssembler({
    emit: (event) => events.push(event),
    taken: new Set(taken),
  });
  for (const piece of fragments) assembler.add(fragment(piece));
  const calls = assembler.finish();
  for (const call of calls) {
    const deltas = events.map((event) =>
      event.type === "tool-call-delta" && event.id === call.id
        ? event.delta
        : ""
    );
    assertEquals(deltas.join(""), call.arguments);
  }
  return calls.map(({ name, arguments: text, id }) => [name, text, id]);
}

const texts = (...fragments: CallFragment[]) =>
  assemble(fragments).map(([name, text]) => `${name}${text}`);

Deno.test("an unknown id with a name opens a call, whatever its index", () => {
  assertEquals(
    texts(
      { index: 0, id: "a", name: "f", arguments: '{"x":1}' },
      { index: 0, id: "b", name: "g", arguments: '{"y":2}' },
      { index: 0, id: "a", arguments: " " },
    ),
    ['f{"x":1} ', 'g{"y":2}'],
  );
});

Deno.test("an unknown id without a name joins the latest call at its index", () => {
  assertEquals(
    texts(
      { index: 0, id: "a", name: "f" },
      { index: 1, id: "b", name: "g" },
      { index: 0, id: "x", arguments: '{"a":' },
      { index: 1, id: "y", arguments: '{"b":' },
      { id: "x", arguments: "1}" },
      { id: "y", arguments: "2}" },
    ),
    ['f{"a":1}', 'g{"b":2}'],
  );
});

Deno.test("a name may come after the id, and even after the arguments", () => {
  const found = assemble([
    { index: 0, id: "a" },
    { index: 0, arguments: '{"x"' },
    { index: 0, name: "f", arguments: ":1}" },
  ]);
  assertEquals(found, [["f", '{"x":1}', "a"]]);
});

Deno.test("without id and index, a name opens a call if it differs or the last one is complete", () => {
  assertEquals(
    texts(
      { name: "f", arguments: '{"a":"}' },
      { name: "f", arguments: '"}' },
      { name: "f", arguments: '{"b":1}' },
      { name: "g" },
      { arguments: '{"c":1}' },
      { name: "g" },
    ),
    ['f{"a":"}"}', 'f{"b":1}', 'g{"c":1}', "g{}"],
  );
});

Deno.test("a name is set once, never concatenated", () => {
  assertEquals(
    texts(
      { index: 0, id: "a", name: "bus" },
      { index: 0, id: "a", name: "bus", arguments: "{" },
      { index: 0, name: "bus", arguments: "}" },
    ),
    ["bus{}"],
  );
});

Deno.test("two whole calls under one id are two, with two ids", () => {
  const found = assemble([
    { index: 0, id: "a", name: "f", arguments: '{"x":1}' },
    { index: 1, id: "a", name: "f", arguments: '{"x":2}' },
  ]);
  assertEquals(found.map(([, text]) => text), ['{"x":1}', '{"x":2}']);
  assertEquals(found[0]![2], "a");
  assertMatch(found[1]![2], /^call_/);
});

Deno.test("a whole call said twice runs once", () => {
  const call = { index: 0, id: "a", name: "f", arguments: '{"x":1}' };
  assertEquals(texts(call, call), ['f{"x":1}']);
  assertEquals(texts(call, { ...call, arguments: "" }), ['f{"x":1}']);
});

Deno.test("an id that is taken or too long is replaced; later pieces still find the call", () => {
  for (const id of ["taken", "x".repeat(300)]) {
    const [call, ...more] = assemble([
      { index: 0, id, name: "f", arguments: '{"x"' },
      { id, arguments: ":1}" },
    ], ["taken"]);
    assertEquals([call![1], more.length], ['{"x":1}', 0]);
    assertMatch(call![2], /^call_[0-9a-f]{32}$/);
  }
});

Deno.test("noise is no call; arguments without a name become an unknown tool", () => {
  const assembler = callAssembler({ emit: () => {}, taken: new Set() });
  for (const noise of [null, 7, "f", [], {}, { function: "f" }, { index: 0 }]) {
    assembler.add(noise);
  }
  assertEquals(assembler.finish(), []);
  assertEquals(texts({ index: 0, arguments: '{"x":1}' }), ['unknown{"x":1}']);
});

Deno.test("more than 1 MiB of arguments, or 128 calls, is limit_exceeded", () => {
  const big = "x".repeat(300_000);
  const endless = Array.from(
    { length: 4 },
    () => ({ index: 0, arguments: big }),
  );
  const many = Array.from(
    { length: 129 },
    (_, index) => ({ index, name: "f" }),
  );
  for (const fragments of [endless, many]) {
    const error = assertThrows(() => assemble(fragments), ModelError);
    assertEquals(error.code, "limit_exceeded");
  }
});

Deno.test("an id and a name on every byte of a long argument cost linear time", () => {
  const text = `{"x":"${"}".repeat(400_000)}"}`;
  const began = performance.now();
  const found = assemble(
    [...text].map((char) => ({
      index: 0,
      id: "a",
      name: "f",
      arguments: char,
    })),
  );
  assertEquals(found.length, 1);
  assertEquals(found[0]![1] === text, true);
  assertEquals(performance.now() - began < 2_000, true);
});

Deno.test("calls cut and interleaved anyhow come out as they went in", () => {
  const seed = Number(Deno.env.get("FC_SEED") ?? Date.now() % 2 ** 31);
  console.log(`fast-check seed ${seed} (FC_SEED=${seed} repeats it)`);
  const styles = fc.constantFrom("index", "id", "everything", "alias");
  const wanted = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(wanted, styles, fc.nat(6), fc.infiniteStream(fc.nat()), (
      objects,
      style,
      size,
      choices,
    ) => {
      const queues = objects.map((object, index) => {
        const text = JSON.stringify(object);
        const name = `tool${index}`, id = `id${index}`;
        const pieces: CallFragment[] = [{ index, id, name, arguments: "" }];
        for (let at = 0; at < text.length; at += size + 1) {
          const piece = text.slice(at, at + size + 1);
          pieces.push(
            {
              index: { arguments: piece, index },
              id: { arguments: piece, id },
              everything: { arguments: piece, index, id, name },
              alias: { arguments: piece, index, id: `${id}-${at}`, name: "" },
            }[style],
          );
        }
        return pieces;
      });
      const mixed: CallFragment[] = queues.map((queue) => queue.shift()!);
      while (queues.some((queue) => queue.length > 0)) {
        const open = queues.filter((queue) => queue.length > 0);
        mixed.push(open[choices.next().value! % open.length]!.shift()!);
      }
      assertEquals(
        assemble(mixed),
        objects.map((object, index): [string, string, string] => [
          `tool${index}`,
          JSON.stringify(object),
          `id${index}`,
        ]),
      );
    }),
    { seed, numRuns: 300 },
  );
});
