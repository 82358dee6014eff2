/** Chats as a whole: taking one away, taking everything along, and whose they are. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import { openStore, type Store, StoreError } from "../../lib/store/mod.ts";
import { answered, call, queued } from "../helpers/api_client.ts";
import { startApp } from "../helpers/app.ts";
import { frames } from "../helpers/frames.ts";
import { answerOnce, complete } from "../helpers/openai_wire.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { ask, events, started } from "../helpers/run_client.ts";

Deno.test("DELETE /api/chats/{chat} takes a chat away with all that is in it, also one that is being answered", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const kept = await answered(app, model, { text: "kept" }, "yes");
  const { run, chat } = await answered(app, model, { text: "one" }, "1");
  const { run_id } = await started(app, { text: "two", chat_id: chat });
  const puppet = await model.next();
  puppet.say("half");
  await app.shows(run_id, "half");
  await queued(app, chat, "three");
  const reading = (async () => {
    const list = [];
    for await (const frame of frames(await events(app, run_id))) {
      list.push(frame);
    }
    return list;
  })();
  await app.until(() => app.services.runs.readers === 1);

  const removed = await call(app, "DELETE", `/api/chats/${chat}`);
  assertEquals([removed.status, removed.body], [204, null]);
  await puppet.aborted;
  // Whoever follows it is let go; there is no end to tell.
  assert((await reading).every(({ data }) => !data.includes('"finish"')));
  for (
    const path of [
      `/api/chats/${chat}`,
      `/api/chats/${chat}/queue`,
      `/api/runs/${run}`,
      `/api/runs/${run_id}/events`,
    ]
  ) {
    assertEquals((await call(app, "GET", path)).status, 404, path);
  }
  const again = await call(app, "DELETE", `/api/chats/${chat}`);
  assertEquals([again.status, again.body.code], [404, "no_such_chat"]);
  const { body: { chats } } = await call(app, "GET", "/api/chats");
  assertEquals(chats.map(({ id }: { id: string }) => id), [kept.chat]);
  assertEquals(model.count, 3, "nothing goes on behind a deleted chat");
});

Deno.test("GET /api/export is one JSON document of everything, all branches and what waits, hidden chats too", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const empty = await call(app, "GET", "/api/export");
  assertMatch(
    empty.headers.get("content-disposition")!,
    /^attachment; filename="tickertape-export-\d{4}-\d\d-\d\d\.json"$/,
  );
  const { exported_at, ...none } = empty.body;
  assertEquals(none, { version: 1, chats: [] });
  assert(Math.abs(Date.parse(exported_at) - Date.now()) < 60_000);

  const png = "data:image/png;base64,iVBORw0KGgo=";
  const first = await answered(
    app,
    model,
    { text: "one\u0000 \ud83d\udc4d </script>", images: [png] },
    "1",
  );
  const again = await answered(
    app,
    model,
    { chat_id: first.chat, replaces: first.run },
    "eins",
  );
  const second = await started(app, { text: "busy" });
  const puppet = await model.next();
  await queued(app, second.chat_id, "later");
  const asking = complete(app, {});
  await answerOnce(model);
  await (await asking).body?.cancel();
  const { body, headers } = await call(app, "GET", "/api/export");
  assertEquals(headers.get("content-type"), "application/json");
  const [hidden, newest, oldest, ...more] = body.chats;
  assertEquals(more, []);
  assertEquals([hidden.hidden, newest.hidden], [true, false]);
  assertEquals(newest.id, second.chat_id);
  assertEquals(newest.queue.map(({ text }: { text: string }) => text), [
    "later",
  ]);
  assertEquals(
    // deno-lint-ignore no-explicit-any
    oldest.runs.map(({ id, text, answer }: any) => [
      id,
      text,
      answerText(answer),
    ]),
    [
      [first.run, "one\u0000 👍 </script>", "1"],
      [again.run, "one\u0000 👍 </script>", "eins"],
    ],
  );
  assertEquals(oldest.shown, again.run);
  assertEquals(oldest.runs[0].kept["image-1"], png);
  puppet.finish();

  const head = await fetch(`${app.url}/api/export`, { method: "HEAD" });
  assertEquals([head.status, head.body], [200, null]);
  assertMatch(head.headers.get("content-disposition")!, /^attachment/);
});

Deno.test("GET /api/export breaks off when the store fails on the way, and says so when it fails before", async () => {
  const model = new PuppetModel();
  const inner = openStore({ kind: "memory" });
  let reads = Infinity;
  const store: Store = new Proxy(inner, {
    get(_, name) {
      const value = Reflect.get(inner, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) =>
        name === "runs" && reads-- <= 0
          ? Promise.reject(new StoreError("io", "Cannot read /canary"))
          : value.apply(inner, args);
    },
  });
  await using app = await startApp({ model, store });
  for (const text of ["a", "b", "c"]) {
    await answered(app, model, { text }, text);
  }
  for (const whole of [1, 2]) {
    reads = whole;
    const response = await fetch(`${app.url}/api/export`);
    assertEquals(response.status, 200);
    await assertRejects(() => response.text());
  }
  reads = 0;
  const refused = await call(app, "GET", "/api/export");
  assertEquals([refused.status, refused.body.code], [503, "store_unavailable"]);
  assertEquals(refused.headers.get("content-disposition"), null);
  reads = Infinity;
  const { body } = await call(app, "GET", "/api/export");
  assertEquals(body.chats.length, 3);
});

Deno.test("A01 S02: whatever of another visitor's is asked for, read or changed, it is as if it were not there", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model, access: "public" });
  const mine = await ask(app, { text: "mine" });
  const { run_id, chat_id } = await mine.json();
  const cookie = mine.headers.get("set-cookie")!.split(";")[0]!;
  const puppet = await model.next();
  puppet.say("secret");
  await app.shows(run_id, "secret");
  const owner = { cookie };
  const { body: { queued: waits } } = await call(
    app,
    "POST",
    "/api/runs",
    { text: "secret too", chat_id, queue: true },
    owner,
  );
  const before = await call(
    app,
    "GET",
    `/api/chats/${chat_id}`,
    undefined,
    owner,
  );
  const requests = (
    chat: string,
    run: string,
    id: string,
  ): [method: string, path: string, body?: unknown][] => [
    ["GET", `/api/chats/${chat}`],
    ["DELETE", `/api/chats/${chat}`],
    ["PUT", `/api/chats/${chat}/settings`, { temperature: 2 }],
    ["PUT", `/api/chats/${chat}/shown`, { run }],
    ["GET", `/api/chats/${chat}/queue`],
    ["PUT", `/api/chats/${chat}/queue`, { order: [id] }],
    ["DELETE", `/api/chats/${chat}/queue/${id}`],
    ["POST", `/api/chats/${chat}/queue/${id}/now`],
    ["GET", `/api/runs/${run}`],
    ["GET", `/api/runs/${run}/events`],
    ["POST", `/api/runs/${run}/stop`],
    ["POST", "/api/runs", { chat_id: chat, text: "x" }],
    ["POST", "/api/runs", { chat_id: chat, text: "x", queue: true }],
    ["POST", "/api/runs", { chat_id: chat, replaces: run }],
    ["POST", "/api/runs", { chat_id: chat, continues: run }],
  ];
  const zeros = "0".repeat(26);
  const theirs = requests(chat_id, run_id, waits.id);
  const nobodys = requests(`c_${zeros}`, `r_${zeros}`, `m_${zeros}`);
  for (const [i, [method, path, body]] of theirs.entries()) {
    const [, path2, body2] = nobodys[i]!;
    const [there, nowhere] = [
      await call(app, method, path, body),
      await call(app, method, path2, body2),
    ];
    for (const { body } of [there, nowhere]) delete body.id;
    assertEquals(
      [there.status, there.body],
      [404, nowhere.body],
      `${method} ${path}`,
    );
    assertEquals(nowhere.status, 404);
  }
  const strangers = await call(app, "GET", "/api/export");
  assertEquals(strangers.body.chats, []);
  const after = await call(
    app,
    "GET",
    `/api/chats/${chat_id}`,
    undefined,
    owner,
  );
  assertEquals(after.body, before.body, "nothing was changed");
});
