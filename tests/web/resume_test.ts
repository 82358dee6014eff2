/** Reading a run over a real socket: cursors, cuts, many readers. */
import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals } from "@std/assert";
import { answerText, emptyAnswer } from "../../lib/chat/answer.ts";
import { frameId } from "../../lib/chat/ids.ts";
import { openStore } from "../../lib/store/mod.ts";
import { startApp } from "../helpers/app.ts";
import {
  allFrames,
  foldFrame,
  foldFrames,
  type Frame,
  frames,
} from "../helpers/frames.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { raw } from "../helpers/raw_http.ts";
import { events, finishedRun, started, TEXT } from "../helpers/run_client.ts";

Deno.test("streaming R01, safety R08: dropping after every event and resuming gives the same answer, finished or running", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await finishedRun(app, model);
  const all = await allFrames(await events(app, run));
  const whole = foldFrames(run, all);
  assertEquals(whole.status, "complete");
  assert(answerText(whole).endsWith(TEXT));

  for (let k = 1; k < all.length - 1; k++) {
    const answer = emptyAnswer(run);
    for (const frame of all.slice(0, k)) foldFrame(answer, frame);
    const resumed = await events(app, run, all[k - 1]!.id);
    if (resumed.status === 204) {
      assertEquals(k, all.length - 1);
      continue;
    }
    for await (const frame of frames(resumed)) {
      assert(foldFrame(answer, frame).kind !== "gap", `gap after ${k}`);
    }
    assertEquals(answer, whole, `cut after frame ${k}`);
  }
});

Deno.test("streaming R01: one live run read with a new connection for every single frame", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run_id } = await started(app, { text: "count" });
  const puppet = await model.next();
  const words = Array.from({ length: 25 }, (_, i) => `w${i} `);
  const answer = emptyAnswer(run_id);
  let cursor: string | undefined;
  let connections = 0;
  while (answer.status === "running") {
    const response = await events(app, run_id, cursor);
    connections++;
    for await (const frame of frames(response)) {
      assert(foldFrame(answer, frame).kind !== "gap");
      cursor = frame.id;
      break;
    }
    const word = words.shift();
    if (word !== undefined) puppet.say(word);
    else puppet.finish();
  }
  assert(connections > 25);
  assertEquals(
    answerText(answer),
    Array.from({ length: 25 }, (_, i) => `w${i} `).join(""),
  );
  assertEquals(model.count, 1, "the model was asked once");
});

Deno.test("streaming R02: a cursor at the terminal gets 204", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await finishedRun(app, model);
  const all = await allFrames(await events(app, run));
  assertEquals(all.at(-1)!.data, "[DONE]");
  const response = await events(app, run, all.at(-2)!.id);
  assertEquals(response.status, 204);
});

Deno.test("streaming R04, safety R10: a cursor that is none, or of another run, gets everything; one ahead of the log a resync", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await finishedRun(app, model);
  const other = await finishedRun(app, model);
  const whole = foldFrames(run, await allFrames(await events(app, run)));
  const cursors = [
    "garbage",
    "-1",
    "NaN",
    "9223372036854775808",
    frameId(other, { epoch: 1, seq: 3 }),
    "x".repeat(10_000),
    `${run}.1-0`,
    `${run}.0-3`,
  ];
  for (const cursor of cursors) {
    const list = await allFrames(await events(app, run, cursor));
    assertEquals(foldFrames(run, list), whole, cursor.slice(0, 40));
    assert(list[0]!.data.includes('"start"'));
  }
  for (const cursor of [{ epoch: 1, seq: 900_000 }, { epoch: 7, seq: 3 }]) {
    const list = await allFrames(await events(app, run, frameId(run, cursor)));
    assert(list[0]!.data.includes("data-resync"));
    assertEquals(list[0]!.id, "");
    assertEquals(foldFrames(run, list), whole);
  }
});

Deno.test("streaming R04: a cursor header no header may be is 400, and nothing behind it is read", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await finishedRun(app, model);
  const port = Number(new URL(app.url).port);
  // NUL, and a carriage return alone; CRLF would begin a header of its own.
  for (const odd of ["a\u0000b", "a\rb", "\u0001"]) {
    const { status } = await raw(port, [
      `GET /api/runs/${run}/events HTTP/1.1`,
      "host: 127.0.0.1",
      `last-event-id: ${odd}`,
      "connection: close",
    ]);
    assertEquals(status, 400, JSON.stringify(odd));
  }
  assertEquals(app.services.runs.readers, 0);
});

Deno.test("streaming R05: the header wins over ?after=", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await finishedRun(app, model);
  const all = await allFrames(await events(app, run));
  const url = `${app.url}/api/runs/${run}/events?after=${all[1]!.id}`;
  const byUrl = await allFrames(await fetch(url));
  assertEquals(byUrl[0]!.id, all[2]!.id);
  const byHeader = await allFrames(
    await fetch(url, { headers: { "last-event-id": all[4]!.id } }),
  );
  assertEquals(byHeader[0]!.id, all[5]!.id);
});

Deno.test("streaming R06 R07: readers that come together, late or after the end get identical messages", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run_id } = await started(app, { text: "hello" });
  const puppet = await model.next();
  puppet.say("one ");
  const first = allFrames(await events(app, run_id));
  await app.shows(run_id, "one ");
  const twin = allFrames(await events(app, run_id));
  puppet.say("two ");
  await app.shows(run_id, "two ");
  const late = allFrames(await events(app, run_id));
  puppet.say("three");
  puppet.finish();
  const lists = [await first, await twin, await late];
  lists.push(await allFrames(await events(app, run_id)));
  for (const list of lists) assertEquals(list, lists[0]);
  assertEquals(model.count, 1);
});

Deno.test("streaming R08, N7: a run goes on when all its readers have left", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run_id, chat_id } = await started(app, { text: "hello" });
  const puppet = await model.next();
  puppet.say("one ");
  for await (const frame of frames(await events(app, run_id))) {
    if (frame.data.includes("text-delta")) break;
  }
  puppet.say("two");
  puppet.finish();
  await app.over(run_id);
  const chat = await (await fetch(`${app.url}/api/chats/${chat_id}`)).json();
  assertEquals(answerText(chat.turns[0].answer), "one two");
  assertEquals(chat.activeRun, null);
});

Deno.test("N2: what a reader is shown is in the store already", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const { run_id } = await started(app, { text: "hello" });
  const puppet = await model.next();
  for (let i = 0; i < 40; i++) puppet.say(`${i} `);
  puppet.finish();
  const seen: Frame[] = [];
  for await (const frame of frames(await events(app, run_id))) {
    if (frame.id === "" || frame.data === "[DONE]") continue;
    const seq = Number(frame.id.split("-")[1]);
    const [stored] = await app.services.store.read(run_id, seq - 1, 1);
    assertEquals(stored?.json, frame.data);
    seen.push(frame);
  }
  assert(seen.length > 3);
});

Deno.test("streaming R03: a run whose log has expired is told again from its sealed answer", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/tape.db`;
  const model = new PuppetModel();
  try {
    await using app = await startApp({
      model,
      store: openStore({ kind: "sqlite", path }),
    });
    const run = await finishedRun(app, model);
    const before = await allFrames(await events(app, run));
    const whole = foldFrames(run, before);
    const db = new DatabaseSync(path);
    db.exec("DELETE FROM entry");
    db.close();
    assertEquals(
      foldFrames(run, await allFrames(await events(app, run))),
      whole,
    );
    const middle = await allFrames(await events(app, run, before[5]!.id));
    assert(middle[0]!.data.includes("data-resync"));
    assertEquals(foldFrames(run, middle), whole);
    const end = await events(app, run, before.at(-2)!.id);
    assertEquals(end.status, 204);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("streaming R19: a reader that takes nothing is let go, and the run goes on", async () => {
  const model = new PuppetModel();
  await using app = await startApp({
    model,
    limits: { beatMs: 150, stallMs: 100 },
  });
  const { run_id } = await started(app, { text: "a lot" });
  const { hostname, port } = new URL(app.url);
  using socket = await Deno.connect({ hostname, port: Number(port) });
  await socket.write(new TextEncoder().encode(
    `GET /api/runs/${run_id}/events HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`,
  ));
  await app.until(() => app.services.runs.readers === 1);
  const puppet = await model.next();
  // More than the kernel's buffers take; then the stream is not pulled any more.
  for (let i = 0; i < 40; i++) {
    puppet.say("x".repeat(400_000));
    await new Promise((resolve) => setTimeout(resolve));
  }
  await app.until(() => app.services.runs.readers === 0);
  puppet.finish();
  await app.over(run_id);
});
