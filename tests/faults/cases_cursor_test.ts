/** Coming back to a tape at any place of it, however long it is. */
import { assert, assertEquals } from "@std/assert";
import { openStore, type Store } from "../../lib/store/mod.ts";
import { type App, startApp } from "../helpers/app.ts";
import {
  allFrames,
  foldFrames,
  type Frame,
  frames,
} from "../helpers/frames.ts";
import { longLog, progress, twoVoices } from "../helpers/long_log.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { parseResponse, readAll, writeAll } from "../helpers/raw_http.ts";
import { events, finishedRun, started } from "../helpers/run_client.ts";
import { startServer } from "./harness/server.ts";

/** A run of at least so many events, none of which can be merged with the next. */
async function longRun(app: App, model: PuppetModel, least: number) {
  const { run_id } = await started(app, { text: "at length" });
  const puppet = await model.next();
  // A change of kind ends one part and begins another: three events.
  for (let n = 0; n * 3 < least; n++) {
    puppet.emit({ type: n % 2 ? "text" : "reasoning", delta: `${n}é👍\n ` });
  }
  puppet.finish();
  await app.over(run_id);
  return run_id;
}

const bytesOf = (list: Frame[]) =>
  list.map(({ id, type, data }) => `${id} ${type} ${data}\n`).join("");

Deno.test("safety R08: who comes back at any event of a run of 500 gets the rest byte for byte", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await longRun(app, model, 500);
  const whole = await allFrames(await events(app, run));
  assert(whole.length > 500, `${whole.length} frames`);
  const wanted = bytesOf(whole);
  const ids = whole.map(({ id }) => id);
  assertEquals(new Set(ids.slice(0, -1)).size, whole.length - 1);
  // `[DONE]` behind the terminal carries no place of its own.
  for (let k = 1; k < whole.length - 1; k++) {
    const rest = await allFrames(await events(app, run, ids[k - 1]));
    const both = bytesOf([...whole.slice(0, k), ...rest]);
    assert(both === wanted, `cut after event ${k} of ${whole.length}`);
  }
  assertEquals(model.count, 1);
});

/** The events behind a cursor, with the header's value as bytes on the wire. */
async function withHeader(app: App, run: string, value: Uint8Array) {
  const { hostname, port } = new URL(app.url);
  using socket = await Deno.connect({ hostname, port: Number(port) });
  const text = new TextEncoder();
  for (
    const piece of [
      text.encode(
        `GET /api/runs/${run}/events HTTP/1.1\r\nhost: ${hostname}:${port}\r\n` +
          "accept: text/event-stream\r\nlast-event-id: ",
      ),
      value,
      text.encode("\r\nconnection: close\r\n\r\n"),
    ]
  ) await writeAll(socket, piece);
  return parseResponse(await readAll(socket));
}

Deno.test("streaming R04: a cursor with CR LF or control bytes is a full replay, or a 4xx where no header may say that", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const run = await finishedRun(app, model);
  const whole = await allFrames(await events(app, run));
  assertEquals(whole[0]!.id, `${run}.1-1`);
  const last = whole[4]!.id;
  const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

  const legal = {
    "": true,
    "é ÿ": true,
    [`${last}\tx`]: true,
    [`"${last}"`]: true,
    "%0d%0aset-cookie: a=b": true,
    [`${last}\r\nset-cookie: a=b`]: "the next header is another header",
  };
  for (const [value, why] of Object.entries(legal)) {
    const { status, body, headers } = await withHeader(app, run, bytes(value));
    assertEquals(status, 200, JSON.stringify(value));
    assertEquals(headers.get("set-cookie"), null);
    const first = why === true ? whole[0]!.id : whole[5]!.id;
    assertEquals(/^id: (\S+)/m.exec(body)?.[1], first, JSON.stringify(value));
  }
  for (const value of ["a\rb", "a\nb", "a\0b", "a\u007fb", "a\u001bb"]) {
    const { status, body } = await withHeader(app, run, bytes(value));
    const replayed = /^id: (\S+)/m.exec(body)?.[1] === whole[0]!.id;
    assert(
      status === 200 ? replayed : status >= 400 && status < 500,
      `${status} for ${JSON.stringify(value)}`,
    );
  }
  // In the address anything may be said; it is no cursor all the same.
  for (const value of ["%0d%0a", `${last}%0d%0aid:%20x`, "%00"]) {
    const url = `${app.url}/api/runs/${run}/events?after=${value}`;
    const list = await allFrames(await fetch(url));
    assertEquals(list, whole, value);
  }
});

/** A store that counts the pages read from a log. */
function counting(inner: Store): { store: Store; pages: () => number } {
  let pages = 0;
  const store = new Proxy(inner, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name === "read") pages++;
      return member.bind(target);
    },
  });
  return { store, pages: () => pages };
}

/** Reads a log to its end; `each` is told how many frames have come. */
async function replay(
  url: string,
  run: string,
  each: (count: number) => void = () => {},
): Promise<{ count: number; bytes: number }> {
  let [count, bytes] = [0, 0];
  const response = await fetch(`${url}/api/runs/${run}/events`);
  for await (const { id, data } of frames(response)) {
    if (data === "[DONE]") break;
    assertEquals(id, `${run}.1-${++count}`, "in order, without a gap");
    bytes += data.length;
    each(count);
  }
  return { count, bytes };
}

/** With what stands around the progress. */
const LONG = 100_000;
const TIMES = LONG - 7;
const HEAP_MB = 40;

Deno.test("streaming X09: a log of 100,000 entries is read no further than it is taken", async () => {
  const { store, pages } = counting(openStore({ kind: "memory" }));
  await using app = await startApp({ model: new PuppetModel(), store });
  const run = await longLog(store, progress(TIMES, "x".repeat(200)));
  const before = pages();
  const reading = frames(await events(app, run));
  assertEquals((await reading.next()).value?.id, `${run}.1-1`);
  // A turn of the whole way: whatever is read ahead has been read by then.
  await (await fetch(`${app.url}/api/runs/${run}`)).body?.cancel();
  const ahead = pages() - before;
  await reading.return(undefined);
  const middle = pages();
  assertEquals((await replay(app.url, run)).count, LONG);
  const whole = pages() - middle;
  // What the sockets of both sides hold, of some thirty megabytes.
  assert(ahead < whole * 0.25, `${ahead} of ${whole} pages`);
  assert(whole > 300);
});

Deno.test("streaming X09: a server with a small heap replays 100,000 entries larger than it", async () => {
  const data = await Deno.makeTempDir();
  try {
    const store = openStore({ kind: "sqlite", path: `${data}/tickertape.db` });
    const run = await longLog(store, progress(TIMES, "x".repeat(600)));
    await store.close();
    // A server that holds on to what it sends dies of this.
    const env = { DENO_V8_FLAGS: `--max-old-space-size=${HEAP_MB}` };
    await using server = await startServer({ data, upstream: "", env });
    const { count, bytes } = await replay(server.url, run);
    assertEquals(count, LONG);
    console.log(
      `X09: ${count} entries, ${Math.round(bytes / 2 ** 20)} MB, ` +
        `by a server with a heap of ${HEAP_MB} MB`,
    );
    assert(bytes > 1.5 * HEAP_MB * 2 ** 20);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});

Deno.test("safety R08: where a long backlog comes merged, every place in it leads to the same text", async () => {
  await using app = await startApp({ model: new PuppetModel() });
  const { store } = app.services;
  const run = await longLog(
    store,
    twoVoices({ deltas: 500, row: 7, words: "né👍 " }),
  );
  const log = (await store.read(run, 0, 1_000)).map(({ epoch, seq, json }) => ({
    id: `${run}.${epoch}-${seq}`,
    type: "message",
    data: json,
  }));
  const merged = await allFrames(await events(app, run));
  assert(merged.length < log.length / 3, `${merged.length} frames`);
  const { parts } = foldFrames(run, log);
  assertEquals(foldFrames(run, merged).parts, parts);
  for (const [at, { id }] of merged.slice(0, -1).entries()) {
    const seq = Number(id.split("-")[1]);
    const told = foldFrames(run, merged.slice(0, at + 1)).parts;
    assertEquals(foldFrames(run, log.slice(0, seq)).parts, told, id);
  }
  for (const list of [log, merged]) {
    for (let k = 1; k < list.length - 1; k++) {
      const rest = await events(app, run, list[k - 1]!.id);
      const both = [...list.slice(0, k), ...await allFrames(rest)];
      assertEquals(foldFrames(run, both).parts, parts, `after frame ${k}`);
    }
  }
});
