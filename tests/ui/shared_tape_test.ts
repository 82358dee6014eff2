/** Tabs that show the same run read it over one connection (cases D10, R15). */
import { assert, assertEquals } from "@std/assert";
import { Device, FakePage, settle, tabsOf } from "./fake_page.ts";
import { reading, RUN, serverWith, shown, uninterrupted } from "./reading.ts";
import { FINISH, richRun, startOf, text } from "./scripts.ts";

/** Twelve tabs of one browser on one run. */
function twelve(events = [startOf(RUN)]) {
  const server = serverWith(events);
  const device = new Device();
  const tabs = tabsOf();
  const open = () => {
    const page = new FakePage(server, device);
    page.tabs = tabs;
    return reading(server, page);
  };
  const readings = Array.from({ length: 12 }, open);
  const pass = async (ms: number) => {
    for (const { page } of readings) await page.advance(ms);
  };
  return { server, readings, pass, open };
}

Deno.test("streaming R15: twelve tabs read a run over one connection, and all show all of it", async () => {
  const events = richRun(RUN);
  const { server, readings, pass } = twelve();
  await pass(1_000);
  assertEquals(server.readers(RUN), 1);
  for (const event of events.slice(1)) {
    server.append(RUN, event);
    await settle();
    assertEquals(server.readers(RUN) <= 1, true);
  }
  for (const { model, end } of readings) {
    assertEquals(end, "ended");
    assertEquals(shown(model.answer), shown(uninterrupted(events)));
  }
});

Deno.test("streaming R15: when the tab that reads is closed another one goes on, at every place of a run", async () => {
  const events = richRun(RUN);
  for (let at = 1; at < events.length; at++) {
    const { server, readings, pass } = twelve(events.slice(0, 1));
    await pass(1_000);
    for (const [i, event] of events.slice(1).entries()) {
      if (i + 1 === at) readings[0]!.tape.stop();
      server.append(RUN, event);
      await settle();
    }
    await pass(1_000);
    assertEquals(readings[0]!.end, "stopped");
    for (const { model, end } of readings.slice(1)) {
      assertEquals(end, "ended", `closed before ${at}`);
      assertEquals(shown(model.answer), shown(uninterrupted(events)));
    }
  }
});

Deno.test("streaming R07 R15: a tab that is opened in the middle reads what it has missed, and then listens", async () => {
  const { server, readings, pass, open } = twelve();
  await pass(1_000);
  server.append(RUN, ...text("t1", "one ", "two ").slice(0, -1));
  await settle();
  const late = open();
  await late.page.advance(2_000);
  assertEquals(server.readers(RUN), 1);
  server.append(RUN, { type: "text-delta", id: "t1", off: 8, delta: "three" });
  server.append(RUN, { type: "text-end", id: "t1", len: 13 }, FINISH);
  await settle();
  assertEquals(late.end, "ended");
  assertEquals(shown(late.model.answer), shown(readings[0]!.model.answer));
});

Deno.test("streaming R20: a tab that missed a word of the others asks the server, and never skips it", async () => {
  const { server, readings, pass, open } = twelve();
  await pass(1_000);
  const late = open();
  // It has not looked for itself yet when the first words pass by.
  server.append(RUN, ...text("t1", "one ", "two ").slice(0, 2));
  await settle();
  server.append(RUN, { type: "text-delta", id: "t1", off: 4, delta: "two " });
  await settle();
  await late.page.advance(2_000);
  server.append(RUN, { type: "text-end", id: "t1", len: 8 }, FINISH);
  await settle();
  assertEquals(late.end, "ended");
  assertEquals(shown(late.model.answer), shown(readings[0]!.model.answer));
});

Deno.test("streaming R16: tabs whose reader is frozen look for themselves", async () => {
  const { server, readings, pass } = twelve();
  await pass(1_000);
  // The reading tab keeps its lock, and says nothing any more.
  const [frozen, ...others] = readings;
  frozen!.page.fetch = () => new Promise(() => {});
  server.drop(RUN);
  server.append(RUN, ...text("t1", "one"), FINISH);
  for (const { page } of others) await page.advance(30_000);
  for (const { end, model } of others) {
    assertEquals(end, "ended");
    assertEquals(model.answer.status, "complete");
  }
});

Deno.test("a browser without locks reads in each tab by itself", async () => {
  const server = serverWith([startOf(RUN)]);
  const [a, b] = [reading(server), reading(server)];
  await settle();
  assertEquals(server.readers(RUN), 2);
  server.append(RUN, ...text("t1", "one"), FINISH);
  await settle();
  assertEquals([a.end, b.end], ["ended", "ended"]);
});

Deno.test("a tab that leaves gives back its lock, its line and its timers", async () => {
  const { server, readings, pass } = twelve();
  await pass(1_000);
  for (const { tape } of readings) tape.stop();
  await settle();
  assertEquals(server.readers(RUN), 0);
  assertEquals(
    (readings[0]!.page.tabs as ReturnType<typeof tabsOf>).leaders.size,
    0,
  );
  assert(readings.every(({ page }) => page.waitingTimers === 0));
});
