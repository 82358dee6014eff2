/** What is chosen for one chat, and where it is kept. */
import { assert, assertEquals } from "@std/assert";
import type { ModelChoice } from "../../lib/chat/views.ts";
import type { Result } from "../../lib/ui/api.ts";
import { createPanelModel, type PanelDoors } from "../../lib/ui/panel_model.ts";
import { Device, settle } from "./fake_page.ts";
import { FakeServer } from "./fake_server.ts";
import { CHAT, load, RUN, turn, view } from "./loaded_page.ts";
import { FINISH, startOf } from "./scripts.ts";

const CHOICE = { model: "tiny", temperature: 0.7, system: "Be brief." };
const OLD = view(CHAT, turn("q", RUN, startOf(RUN), FINISH));

Deno.test("a new chat's settings wait on the device and go along with its first question", async () => {
  const device = new Device();
  const first = await load({ device });
  await first.model.settings.save(CHOICE);
  assertEquals(first.server.heard.length, 0, "there is no chat to tell yet");
  first.close();
  const { server, model, close } = await load({ device });
  assertEquals(model.settings.current.value, CHOICE, "kept over a reload");
  model.send("one");
  await settle();
  assertEquals(server.to(/^\/api\/runs$/)[0]!.body!.settings, CHOICE);
  server.append(RUN, FINISH);
  await settle();
  assertEquals(model.settings.current.value, CHOICE, "still this chat's");
  model.send("two");
  await settle();
  assert(!("settings" in server.to(/^\/api\/runs$/)[1]!.body!));
  model.newChat();
  assertEquals(model.settings.current.value, {}, "the next chat begins anew");
  close();
});

Deno.test("without a choice nothing is said about settings", async () => {
  const { server, model, close } = await load();
  model.send("one");
  await settle();
  assert(!("settings" in server.to(/^\/api\/runs$/)[0]!.body!));
  close();
});

Deno.test("an unsent first question keeps the settings it was asked with", async () => {
  const device = new Device();
  const server = new FakeServer();
  const first = await load({ device, server });
  await first.model.settings.save(CHOICE);
  for (let i = 0; i < 4; i++) {
    server.replies.push({ path: /^\/api\/runs$/, reply: "network error" });
  }
  first.model.send("one");
  await first.page.advance(20_000);
  first.close();
  const { close } = await load({ device, server });
  await settle();
  assertEquals(server.to(/^\/api\/runs$/).at(-1)!.body!.settings, CHOICE);
  close();
});

Deno.test("a chat's settings are the server's: shown, saved, and told when they are refused", async () => {
  const chat = { ...OLD, settings: { model: "big" } };
  const { server, model, close } = await load({ chat });
  assertEquals(model.settings.current.value, { model: "big" });
  const saved = await model.settings.save(CHOICE);
  assert(saved.ok);
  const [put] = server.to(/settings$/);
  assertEquals([put!.method, put!.path, put!.body], [
    "PUT",
    `/api/chats/${CHAT}/settings`,
    CHOICE,
  ]);
  assertEquals(model.settings.current.value, CHOICE);
  server.replies.push({
    path: /settings$/,
    reply: Response.json({ detail: "No such model." }, { status: 400 }),
  });
  const refused = await model.settings.save({ model: "none" });
  assert(!refused.ok);
  assertEquals(refused.detail, "No such model.");
  assertEquals(model.settings.current.value, CHOICE, "as before");
  close();
});

Deno.test("settings left by another page are looked at before they are used", async () => {
  for (const kept of ["{", "7", '{"model":7,"temperature":"hot","x":1}']) {
    const device = new Device();
    device.storage.set("tt_settings", kept);
    const { model, close } = await load({ device });
    assertEquals(model.settings.current.value, {});
    close();
  }
});

function panel(
  start = {},
  doors: Partial<PanelDoors> = {},
  models: ModelChoice[] = [],
) {
  const saved: unknown[] = [];
  const model = createPanelModel(start, {
    models: () =>
      Promise.resolve({ ok: true, value: { standard: "s", models } }),
    save: (settings) => {
      saved.push(settings);
      return Promise.resolve({ ok: true, value: null });
    },
    ...doors,
  });
  return { model, saved };
}

const FAILED: Result<never> = {
  ok: false,
  status: 400,
  code: "bad_request",
  detail: "No such model.",
  retryAfterMs: null,
};

Deno.test("the panel groups models by who serves them, and searches long lists", async () => {
  const few = [{ id: "a", from: "X" }, { id: "b", from: "Y" }, {
    id: "c",
    from: "X",
  }];
  const short = panel({}, {}, few).model;
  assertEquals(short.models.value, null);
  await short.fetchModels();
  assertEquals(short.searchable.value, false);
  assertEquals(
    short.groups.value.map(({ from, models }) => [
      from,
      models.map(({ id }) => id),
    ]),
    [["X", ["a", "c"]], ["Y", ["b"]]],
  );
  const many = Array.from(
    { length: 13 },
    (_, i) => ({ id: `llama-${i}`, from: i < 6 ? "Ollama" : "LM Studio" }),
  );
  const long = panel({ model: "llama-0" }, {}, many).model;
  await long.fetchModels();
  assertEquals(long.searchable.value, true);
  long.search.value = "STUDIO 12";
  assertEquals(
    long.groups.value.flatMap(({ models }) => models.map(({ id }) => id)),
    ["llama-0", "llama-12"],
    "the chosen one stays in sight",
  );
});

Deno.test("the panel says when the models cannot be had, and asks again", async () => {
  let asked = 0;
  const { model } = panel({}, {
    models: () =>
      Promise.resolve(
        asked++ === 0
          ? FAILED
          : { ok: true, value: { standard: "s", models: [] } },
      ),
  });
  await model.fetchModels();
  assertEquals(model.models.value, "failed");
  await model.fetchModels();
  assertEquals(model.models.value, { standard: "s", models: [] });
});

Deno.test("the panel saves only what was chosen, and nothing too long", async () => {
  const { model, saved } = panel(CHOICE);
  assertEquals(model.changed.value, false);
  model.model.value = null;
  model.temperature.value = 0;
  model.system.value = "   ";
  assertEquals(model.changed.value, true);
  assert(await model.save());
  assertEquals(saved, [{ temperature: 0 }]);
  model.system.value = "x".repeat(8_001);
  assertEquals(model.left.value, -1);
  assertEquals(await model.save(), false);
  assertEquals(saved.length, 1);
});

Deno.test("the panel shows why the server refused", async () => {
  const { model } = panel({}, { save: () => Promise.resolve(FAILED) });
  assertEquals(await model.save(), false);
  assertEquals(model.refused.value, "No such model.");
  assertEquals(model.saving.value, false);
});
