/** The tutorial's endpoint, read as an EventSource reads it. */
import { assert, assertEquals } from "@std/assert";
import { type App, startApp } from "../helpers/app.ts";
import { type Frame, frames } from "../helpers/frames.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";

const ASK = "/print_stream?question=" + encodeURIComponent("下一班公交几点？");

/** What `onmessage` of a page would have seen, and the last id it would send. */
interface Seen {
  text: string;
  cursor: string;
  ended: boolean;
}

function take(seen: Seen, frame: Frame): void {
  if (frame.type === "message") seen.text += frame.data;
  if (frame.type === "done") seen.ended = true;
  if (frame.id !== "") seen.cursor = frame.id;
}

function open(app: App, cursor = "", init: RequestInit = {}) {
  const headers = new Headers(init.headers);
  headers.set("accept", "text/event-stream");
  if (cursor !== "") headers.set("last-event-id", cursor);
  return fetch(app.url + ASK, { ...init, headers });
}

// Case E07, and what breaks a frame that is not made with care.
const TOKENS = [
  "Hello",
  " world",
  "\n",
  "\n\n",
  "  ",
  "data: x",
  "👍",
  "a\r\nb",
  "c\r",
  "\nd",
  "\re",
  ": hb",
];
const TEXT = TOKENS.join("").replace(/\r\n?/g, "\n");

Deno.test("E07 E08: /print_stream gives the exact text through onmessage and then 204, asked once", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const response = await open(app);
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  const run = response.headers.get("x-run-id")!;
  const puppet = await model.next();
  const seen: Seen = { text: "", cursor: "", ended: false };
  const reading = (async () => {
    for await (const frame of frames(response)) take(seen, frame);
  })();
  for (const token of TOKENS) {
    puppet.say(token);
    await app.shows(run, token);
  }
  puppet.finish();
  await reading;
  assertEquals(seen.text, TEXT);
  assert(seen.ended);
  const again = await open(app, seen.cursor);
  assertEquals(again.status, 204);
  assertEquals(model.count, 1);
});

Deno.test("streaming R01: /print_stream dropped after every block resumes, and never asks again", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  let response = await open(app);
  const run = response.headers.get("x-run-id")!;
  const puppet = await model.next();
  const speaking = (async () => {
    for (const token of TOKENS) {
      puppet.say(token);
      await app.shows(run, token);
    }
    puppet.finish();
  })();
  const seen: Seen = { text: "", cursor: `${run}.1-1`, ended: false };
  let connections = 1;
  while (!seen.ended) {
    for await (const frame of frames(response)) {
      take(seen, frame);
      break;
    }
    if (seen.ended) break;
    response = await open(app, seen.cursor);
    connections++;
  }
  await speaking;
  assertEquals(seen.text, TEXT);
  assert(connections > 5);
  assertEquals(model.count, 1);
});

Deno.test("/print_stream sets the cursor before any text, so that a first drop is a resume", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const response = await open(app);
  const reader = response.body!.pipeThrough(new TextDecoderStream())
    .getReader();
  let bytes = "";
  while (!/^id: r_[0-9a-z]{26}\.1-1\n\n/m.test(bytes)) {
    bytes += (await reader.read()).value;
  }
  assert(!bytes.includes("data:"));
  await reader.cancel();
  (await model.next()).say("kept").finish();
  const id = /^id: (.*)$/m.exec(bytes)![1]!;
  const seen: Seen = { text: "", cursor: "", ended: false };
  for await (const frame of frames(await open(app, id))) take(seen, frame);
  assertEquals(seen.text, "kept");
});

Deno.test("streaming R01: /print_stream resumed in a long backlog repeats no word, wherever it was cut", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const first = await open(app);
  const run = first.headers.get("x-run-id")!;
  const puppet = await model.next();
  let text = "";
  for (let i = 0; i < 40; i++) {
    text += `${i} `;
    puppet.say(`${i} `);
    await app.shows(run, `${i} `);
  }
  puppet.finish();
  // Enough entries behind each other that readers get them merged.
  const whole: Frame[] = [];
  for await (const frame of frames(first)) whole.push(frame);
  const seen: Seen = { text: "", cursor: "", ended: false };
  for (const frame of whole.slice(0, 20)) take(seen, frame);
  assert(seen.text !== "" && seen.text !== text);
  for await (const frame of frames(await open(app, seen.cursor))) {
    take(seen, frame);
  }
  assertEquals(seen.text, text);
});

Deno.test("streaming R01: a /print_stream cut right after it was resumed keeps its place", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const first = await open(app);
  const run = first.headers.get("x-run-id")!;
  const puppet = await model.next();
  puppet.say("one");
  await app.shows(run, "one");
  const seen: Seen = { text: "", cursor: "", ended: false };
  for await (const frame of frames(first)) {
    take(seen, frame);
    if (seen.text !== "") break;
  }
  const place = seen.cursor;
  const second = (await open(app, place)).body!
    .pipeThrough(new TextDecoderStream()).getReader();
  puppet.say(" two");
  let bytes = "";
  while (!bytes.includes("data: ")) bytes += (await second.read()).value;
  await second.cancel();
  // A block with an id alone sets an EventSource back without a message.
  assertEquals(bytes.match(/^id: .*\n\n/gm), null);
  puppet.finish();
  await app.over(run);
});

Deno.test("/print_stream shows neither tools nor reasoning nor errors as text, and parts stand apart", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const response = await open(app);
  const first = await model.next();
  first.emit({ type: "reasoning", delta: "let me think" });
  first.say("Looking it up.").call("echo", { say: "08:30" });
  const second = await model.next();
  second.say("At 08:30.");
  second.fail(new Error("boom"));
  const seen: Seen = { text: "", cursor: "", ended: false };
  const others: string[] = [];
  for await (const frame of frames(response)) {
    take(seen, frame);
    if (frame.type !== "message") others.push(frame.type);
  }
  assertEquals(seen.text, "Looking it up.\n\nAt 08:30.");
  assertEquals(others, ["failed", "done"]);
});

Deno.test("/print_stream keeps asking in the page's own chat", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const first = await open(app);
  const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
  (await model.next()).say("one").finish();
  await first.text();
  const second = await open(app, "", { headers: { cookie } });
  const puppet = await model.next();
  assertEquals(
    puppet.request.messages.length,
    4,
    "the first turn is remembered",
  );
  // A page that hangs up and asks anew while its chat is busy is not refused.
  const third = await open(app, "", { headers: { cookie } });
  assertEquals(third.status, 200);
  (await model.next()).finish();
  puppet.finish();
  await second.text();
  await third.text();
});

Deno.test("S01: another site's page, image or prefetch may not ask", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const refused: Record<string, string>[] = [
    { "sec-fetch-site": "cross-site", "sec-fetch-dest": "image" },
    { "sec-fetch-site": "same-site", "sec-fetch-dest": "empty" },
    { "sec-fetch-site": "same-origin", "sec-fetch-dest": "image" },
    { "sec-fetch-site": "none", "sec-fetch-dest": "document" },
    {
      "sec-fetch-site": "same-origin",
      "sec-fetch-dest": "empty",
      "sec-purpose": "prefetch",
    },
  ];
  for (const headers of refused) {
    const response = await open(app, "", { headers });
    assertEquals(response.status, 403, JSON.stringify(headers));
    await response.body?.cancel();
  }
  assertEquals(model.count, 0);
  const own = await open(app, "", {
    headers: { "sec-fetch-site": "same-origin", "sec-fetch-dest": "empty" },
  });
  assertEquals(own.status, 200);
  (await model.next()).finish();
  await own.text();
});

Deno.test("E13: HEAD asks nothing", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const response = await fetch(app.url + ASK, { method: "HEAD" });
  assertEquals(response.status, 405);
  const { chats } = await (await fetch(`${app.url}/api/chats`)).json();
  assertEquals(chats, []);
});

Deno.test("S03: the question of /print_stream is in no log line", async () => {
  const model = new PuppetModel();
  await using app = await startApp({ model });
  const response = await fetch(`${app.url}/print_stream?question=secret-word`);
  (await model.next()).finish();
  await response.text();
  assert(app.log.some((line) => line.includes("/print_stream")));
  assert(!app.log.some((line) => line.includes("secret-word")));
});

Deno.test("/print_stream refuses an empty and an overlong question in plain words", async () => {
  await using app = await startApp({ model: new PuppetModel() });
  for (const question of ["", "  ", "x".repeat(2_001)]) {
    const response = await fetch(
      `${app.url}/print_stream?question=${question}`,
    );
    assertEquals(response.status, 400);
    assert((await response.json()).detail.length > 10);
  }
});
