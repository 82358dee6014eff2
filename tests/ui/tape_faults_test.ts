/** Reading a tape over a network that fails: when it is tried again, and when not. */
import { assert, assertEquals } from "@std/assert";
import { FakePage, settle } from "./fake_page.ts";
import { CUT } from "./fake_server.ts";
import { richRun, startOf } from "./scripts.ts";

import { reading, RUN, serverWith, shown, uninterrupted } from "./reading.ts";
Deno.test("streaming R14: a balancer that answers 502 for three seconds costs only time", async () => {
  const server = serverWith(richRun(RUN));
  const page = new FakePage(server);
  page.luck = 0.999;
  for (let i = 0; i < 3; i++) {
    server.replies.push({
      path: /events$/,
      reply: new Response("<h1>502</h1>", { status: 502 }),
    });
  }
  const { model, finish, connected } = reading(server, page);
  assertEquals(await finish(), "ended");
  assertEquals(shown(model.answer), shown(uninterrupted(richRun(RUN))));
  assertEquals(connected, [false, false, false, true]);
});

Deno.test("the delay doubles up to 15 seconds, with full jitter", async () => {
  const server = serverWith([startOf(RUN)]);
  const page = new FakePage(server);
  page.luck = 0.5;
  const times: number[] = [];
  for (let i = 0; i < 8; i++) {
    server.replies.push({ path: /events$/, reply: "network error" });
  }
  const fetch = page.fetch;
  page.fetch = (path, init) => (times.push(page.time), fetch(path, init));
  const { tape } = reading(server, page);
  await page.advance(60_000);
  assertEquals(
    times.slice(1, 8).map((time, at) => time - times[at]!),
    [1_000, 2_000, 4_000, 7_500, 7_500, 7_500, 7_500],
  );
  tape.stop();
  await settle();
  assertEquals(page.waitingTimers, 0, "nothing is left behind");
});

Deno.test("hurry() ends a pause, and does nothing to a connection that is open", async () => {
  const server = serverWith([startOf(RUN)]);
  const page = new FakePage(server);
  page.luck = 0.999;
  for (let i = 0; i < 5; i++) {
    server.replies.push({ path: /events$/, reply: "network error" });
  }
  const { tape, connected } = reading(server, page);
  await page.advance(17_000);
  assertEquals(connected.at(-1), false);
  server.replies.length = 0;
  const asked = server.to(/events$/).length;
  tape.hurry();
  await settle();
  assertEquals(connected.at(-1), true);
  tape.hurry();
  await settle();
  assertEquals(server.to(/events$/).length, asked + 1);
  tape.stop();
  await settle();
});

Deno.test("streaming R17: 45 seconds without a byte and the connection is given up; a heartbeat counts as life", async () => {
  const server = serverWith([startOf(RUN)]);
  const { page, tape } = reading(server);
  await page.advance(40_000);
  server.say(RUN, ": hb\n\n");
  await page.advance(40_000);
  assertEquals(server.connections, 1);
  await page.advance(6_000);
  assertEquals(server.connections, 2);
  assertEquals(
    server.to(/events$/)[1]!.headers.get("last-event-id"),
    `${RUN}.1-1`,
  );
  tape.stop();
  await settle();
});

Deno.test("streaming R16: back online, and awake after a long sleep, the tape is opened again at once", async () => {
  const server = serverWith([startOf(RUN)]);
  const { page, tape } = reading(server);
  await page.advance(1_000);
  await page.happens("online");
  await page.advance(0);
  assertEquals(server.connections, 2);
  await page.happens("visible");
  await page.advance(0);
  assertEquals(server.connections, 2, "a live connection is left alone");
  page.time += 20_000;
  await page.happens("visible");
  await page.advance(0);
  assertEquals(server.connections, 3);
  tape.stop();
  await settle();
});

for (const status of [401, 403, 404]) {
  Deno.test(`${status} ends the reading for good`, async () => {
    const server = serverWith([startOf(RUN)]);
    server.replies.push({
      path: /events$/,
      reply: new Response("{}", { status }),
    });
    const { finish } = reading(server);
    assertEquals(await finish(), "refused");
    assertEquals(server.connections, 0);
  });
}

for (const status of [400, 406, 409, 429, 500, 503]) {
  Deno.test(`${status} is tried again`, async () => {
    const server = serverWith(richRun(RUN));
    server.replies.push({
      path: /events$/,
      reply: new Response("{}", { status }),
    });
    assertEquals(await reading(server).finish(), "ended");
  });
}

Deno.test("a server that asks for no delay at all is not hammered", async () => {
  const server = serverWith([startOf(RUN)]);
  server.twist = (frames) => ["retry: 0\n\n", ...frames, CUT];
  const page = new FakePage(server);
  page.luck = 0.9;
  const { tape } = reading(server, page);
  await page.advance(10_000);
  assert(server.connections < 30, `${server.connections} connections`);
  tape.stop();
  await settle();
});
