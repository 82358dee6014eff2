import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import * as z from "zod";
import type { Tool } from "../../lib/agent/contracts.ts";
import { createToolbox } from "../../lib/agent/toolbox.ts";

const NOW = () => new Date("2026-03-02T08:00:00Z");

const mail: Tool = {
  name: "send_mail",
  description: "Sends a mail",
  input: z.object({
    to: z.string().describe("Whom"),
    cc: z.array(z.object({ address: z.string(), name: z.string().optional() }))
      .nullish(),
    copies: z.number().default(1),
  }),
  effect: "external",
  run: () => ({ text: "sent" }),
};

const call = (args: unknown, name = "send_mail") => ({
  id: "c",
  name,
  arguments: JSON.stringify(args),
});

Deno.test("createToolbox() describes tools in the strict subset: every key required, none further, optional ones nullable", () => {
  const [spec] = createToolbox([mail], NOW).specs;
  assert(spec?.strict);
  const { parameters } = spec;
  assertEquals(Object.keys(parameters).includes("$schema"), false);
  assertEquals(parameters.required, ["to", "cc", "copies"]);
  assertEquals(parameters.additionalProperties, false);
  const { cc, copies } = parameters.properties as Record<
    string,
    { anyOf: { type: string; items?: unknown }[] }
  >;
  assertEquals(copies!.anyOf, [{ type: "number" }, { type: "null" }]);
  const [list] = cc!.anyOf;
  assertEquals(list!.items, {
    type: "object",
    properties: {
      address: { type: "string" },
      name: { anyOf: [{ type: "string" }, { type: "null" }] },
    },
    required: ["address", "name"],
    additionalProperties: false,
  });
});

Deno.test("createToolbox() leaves a schema as it is that takes any key, or is another's", () => {
  const open: Tool = { ...mail, name: "open", input: z.looseObject({}) };
  const parameters = { type: "object", properties: {}, maxProperties: 3 };
  const foreign: Tool = { ...mail, name: "foreign", parameters };
  const box = createToolbox([open, foreign], NOW);
  assertEquals(box.specs.map(({ strict }) => strict), [false, false]);
  assertEquals(box.specs[1]!.parameters, parameters);
  assertEquals(box.prepare(call({ any: 1 }, "open")).kind, "ready");
});

Deno.test("T07: arguments that do not fit are answered with what is wrong and what the tool takes", () => {
  const box = createToolbox([mail], NOW);
  const prepared = box.prepare(call({ to: 5, recipient: "a" }));
  assert(prepared.kind === "bad-input");
  assertStringIncludes(prepared.errorText, '"recipient" is no argument of it');
  assertStringIncludes(prepared.errorText, "→ at to");
  assertStringIncludes(prepared.errorText, "It takes: to, cc, copies.");
});

Deno.test("T07: an unknown tool is answered with the names that exist; two tools of one name are refused", () => {
  const box = createToolbox([mail], NOW);
  for (const name of ["sendmail", "__proto__", "constructor"]) {
    const prepared = box.prepare(call({}, name));
    assert(prepared.kind === "unknown");
    assertStringIncludes(prepared.errorText, "Tools that exist: send_mail.");
  }
  let said = "";
  try {
    createToolbox([mail, mail], NOW);
  } catch (error) {
    said = (error as Error).message;
  }
  assertStringIncludes(said, '"send_mail"');
});

Deno.test("null stands for what was left out, also where the tool knows no null", async () => {
  const seen: unknown[] = [];
  const tool: Tool = {
    ...mail,
    run(input) {
      seen.push(input);
      return { text: "sent" };
    },
  };
  const prepared = createToolbox([tool], NOW).prepare(call({
    to: "a",
    cc: [{ address: "b", name: null }],
    copies: null,
  }));
  assert(prepared.kind === "ready");
  await prepared.run(new AbortController().signal, () => {});
  assertEquals(seen, [{ to: "a", cc: [{ address: "b" }], copies: 1 }]);
});

Deno.test("T02: the hash of a call changes with any byte of its arguments, and with the tool", () => {
  const hash = (tool: Tool, args: unknown) => {
    const prepared = createToolbox([tool], NOW).prepare(call(args));
    assert(prepared.kind === "ready");
    return [prepared.hash, prepared.pin];
  };
  const args = { to: "a@example.org" };
  const [one, pin] = hash(mail, args);
  assertEquals(hash(mail, { to: "a@example.org" }), [one, pin]);
  assert(hash(mail, { to: "a@example.orG" })[0] !== one);
  const changes: Partial<Tool>[] = [
    { description: "Sends a mail " },
    { effect: "write" },
    { input: z.object({ to: z.string() }) },
  ];
  for (const change of changes) {
    const [other, otherPin] = hash({ ...mail, ...change }, args);
    assert(other !== one && otherPin !== pin, JSON.stringify(change));
  }
});

Deno.test("T10: whatever a tool returns or throws is bounded, typed and one answer", async () => {
  const cycle: Record<string, unknown> = { text: "a cycle" };
  cycle.data = cycle;
  const returned: [unknown, string | RegExp][] = [
    [{ text: "x".repeat(10 << 20) }, /^x{16000}\n\[cut: /],
    [{ text: "长\0".repeat(10_000) }, /^(长\0){1777}长?\n\[cut: /],
    [cycle, "a cycle"],
    [undefined, "null"],
    [null, "null"],
    [JSON.parse('{"__proto__":{"admin":true},"text":"p"}'), "p"],
    [{ text: 5 }, '{"text":5}'],
    [() => "a function", "null"],
  ];
  for (const [value, expected] of returned) {
    const tool: Tool = {
      ...mail,
      input: z.object({}),
      run: () => value as { text: string },
    };
    const prepared = createToolbox([tool], NOW).prepare(call({}));
    assert(prepared.kind === "ready");
    const { output } = await prepared.run(
      new AbortController().signal,
      () => {},
    );
    if (typeof expected === "string") assertEquals(output.text, expected);
    else assert(expected.test(output.text), output.text.slice(0, 80));
    const bytes = new TextEncoder().encode(JSON.stringify(output)).length;
    assert(bytes < 17_000, `${bytes} bytes`);
  }
  assertEquals(({} as { admin?: boolean }).admin, undefined);
});

Deno.test("the data of an answer that would not fit its frame is left out, its text is kept", async () => {
  const answer = async (size: number) => {
    const tool: Tool = {
      ...mail,
      input: z.object({}),
      run: () => ({
        text: "长".repeat(10_000),
        data: { rows: "x".repeat(size) },
      }),
    };
    const prepared = createToolbox([tool], NOW).prepare(call({}));
    assert(prepared.kind === "ready");
    const signal = new AbortController().signal;
    return (await prepared.run(signal, () => {})).output;
  };
  const bytes = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).length;
  const fits = await answer(14_900);
  assert(fits.data !== undefined);
  assert(bytes(fits) < 32 * 1024, `${bytes(fits)} bytes`);
  const tooMuch = await answer(15_100);
  assertEquals(tooMuch.data, undefined);
  assert(tooMuch.text.startsWith("长长"));
});
