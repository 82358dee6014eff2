/**
 * A store that cannot commit, as clients hear of it: every route that writes
 * says 507 or 503, pretends nothing, and works again by itself (N9, R23, R24).
 */
import { assert, assertEquals } from "@std/assert";
import { openStore, type Store, StoreError } from "../../lib/store/mod.ts";
import {
  answered,
  call,
  type Called,
  chatOf,
  queued,
} from "../helpers/api_client.ts";
import { type App, startApp } from "../helpers/app.ts";
import { effects, question } from "../helpers/approvals.ts";
import { complete } from "../helpers/openai_wire.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { started } from "../helpers/run_client.ts";
import { post, user } from "../helpers/ui_chat_wire.ts";

const READS = new Set([
  "answers",
  "chat",
  "chats",
  "due",
  "kept",
  "kind",
  "listen",
  "note",
  "notes",
  "queue",
  "read",
  "run",
  "runs",
]);

/** A store in memory whose writes fail for as long as there is a reason. */
function failing(): { store: Store; reason: StoreError | null } {
  const inner = openStore({ kind: "memory" });
  const stand: { store: Store; reason: StoreError | null } = {
    reason: null,
    store: new Proxy(inner, {
      get(_, name) {
        const value = Reflect.get(inner, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) =>
          stand.reason !== null && !READS.has(String(name)) && name !== "close"
            ? Promise.reject(stand.reason)
            : value.apply(inner, args);
      },
    }),
  };
  return stand;
}

/** A chat that is being answered, with a question to a person and a queue. */
async function stage(app: App, model: PuppetModel) {
  const { run_id: run, chat_id: chat } = await started(app, { text: "one" });
  (await model.next()).call("send_mail", { to: "a", text: "b" }, "c1");
  const { id: asked } = await question(app, run);
  const { id: waits } = await queued(app, chat, "later");
  return { run, chat, asked, waits };
}

const CASES: [StoreError, number, string][] = [
  [new StoreError("full", "Cannot write /canary: full"), 507, "store_full"],
  [
    new StoreError("busy", "Cannot write /canary: locked"),
    503,
    "store_unavailable",
  ],
  [
    new StoreError("readonly", "Cannot write /canary: read-only"),
    503,
    "store_unavailable",
  ],
];

for (const [reason, status, code] of CASES) {
  Deno.test(`N9, safety R23 R24: a store that is ${reason.kind} is ${status} on every route that writes, and nothing is pretended`, async () => {
    const model = new PuppetModel();
    const { tools } = effects();
    const stand = failing();
    await using app = await startApp({ model, tools, store: stand.store });
    // Nothing can be chosen where an answer is being written.
    const idle = await answered(app, model, { text: "zero" }, "0");
    const { run, chat, asked, waits } = await stage(app, model);
    const before = await chatOf(app, chat);
    const here = `/api/chats/${chat}`;
    const writes: [method: string, path: string, body?: unknown][] = [
      ["POST", "/api/runs", { text: "new" }],
      ["POST", "/api/runs", { text: "next", chat_id: chat, queue: true }],
      ["POST", "/api/runs", { replaces: run, chat_id: chat }],
      ["POST", `/api/runs/${run}/stop`],
      ["POST", `/api/runs/${run}/approvals/${asked}`, { decision: "once" }],
      ["POST", `${here}/queue/${waits}/now`],
      ["PUT", `${here}/settings`, { temperature: 1 }],
      ["PUT", `/api/chats/${idle.chat}/shown`, { run: idle.run }],
      ["PUT", `${here}/queue`, { order: [waits] }],
      ["DELETE", `${here}/queue/${waits}`],
      ["DELETE", here],
    ];
    stand.reason = reason;
    for (const [method, path, body] of writes) {
      refused(await call(app, method, path, body), `${method} ${path}`);
    }
    const chatPost = await post(app, { messages: [user("u1", "hello")] });
    assertEquals([chatPost.status, (await chatPost.json()).code], [
      status,
      code,
    ]);
    const openai = await complete(app, {});
    assertEquals([openai.status, (await openai.json()).error.code], [
      status,
      code,
    ]);
    const form = await fetch(`${app.url}/ask`, {
      method: "POST",
      headers: { accept: "text/html" },
      body: new URLSearchParams({ text: "kept in the form" }),
      redirect: "manual",
    });
    assertEquals([form.status, form.headers.get("retry-after")], [status, "5"]);
    assert(!(await form.text()).includes("canary"));
    // Reading goes on, and shows what was there.
    assertEquals(await chatOf(app, chat), before);
    assertEquals(model.count, 2);

    stand.reason = null;
    for (const [method, path, body] of writes.slice(6)) {
      const again = await call(app, method, path, body);
      assert(again.status < 300, `${method} ${path}: ${again.status}`);
    }

    function refused({ status: got, headers, body }: Called, what: string) {
      assertEquals([got, body.code], [status, code], what);
      assertEquals(headers.get("retry-after"), "5", what);
      assertEquals(
        headers.get("content-type"),
        "application/problem+json",
      );
      assert(/keep /i.test(body.detail), `${what}: ${body.detail}`);
      assert(!JSON.stringify(body).includes("canary"), what);
    }
  });
}
