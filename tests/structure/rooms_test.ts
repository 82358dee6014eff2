/**
 * Who may import whom. A new arrow between two rooms makes this red: either the
 * code is in the wrong room, or the picture in the architecture changes and the
 * arrow is added here on purpose.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { closure, type Import, importsOf, sources } from "./imports.ts";

/** Room → the rooms it imports. Files beside the rooms go by their name. */
const ARROWS: Record<string, string[]> = {
  "access": [],
  "agent": ["chat"],
  "chat": [],
  "models": ["agent", "chat"],
  "runs": ["agent", "chat", "store"],
  "store": ["chat"],
  "tools": ["agent", "chat"],
  "ui": ["chat"],
  "web": ["access", "chat", "log.ts", "loopback.ts", "runs"],
  "config.ts": ["config_reader.ts", "log.ts", "loopback.ts"],
  "config_reader.ts": ["scrub.ts"],
  "log.ts": ["scrub.ts"],
  "loopback.ts": [],
  "scrub.ts": [],
  "services.ts": [
    "access",
    "agent",
    "config.ts",
    "log.ts",
    "models",
    "runs",
    "store",
    "tools",
    "web",
  ],
  "routes": ["access", "chat", "islands", "runs", "ui", "web"],
  "islands": ["chat", "ui"],
};

/** The room a file is in: `lib/web/sse.ts` → `web`, `lib/log.ts` → `log.ts`. */
function roomOf(path: string): string {
  const [first, second] = path.split("/");
  return first === "lib" ? second! : first!;
}

const isFile = (to: string) => /^[^@].*\.tsx?$/.test(to);

Deno.test("rooms import only the rooms they may", async () => {
  const surprises: string[] = [];
  for (const file of await sources("lib", "routes", "islands")) {
    const room = roomOf(file);
    const allowed = ARROWS[room];
    assert(allowed, `"${room}" is a new room: give it a line in ARROWS`);
    for (const { to } of await importsOf(file)) {
      if (!isFile(to) || roomOf(to) === room) continue;
      if (!allowed.includes(roomOf(to))) surprises.push(`${file} → ${to}`);
    }
  }
  assertEquals(surprises, []);
});

Deno.test("web knows runs by its types alone, tools and models the agent's contracts", async () => {
  const surprises: string[] = [];
  for (const file of await sources("lib/web", "lib/tools", "lib/models")) {
    for (const { to, typeOnly } of await importsOf(file)) {
      if (roomOf(to) === roomOf(file)) continue;
      const fine = !to.startsWith("lib/runs/") || typeOnly;
      const contract = !to.startsWith("lib/agent/") ||
        to === "lib/agent/contracts.ts";
      if (!fine || !contract) surprises.push(`${file} → ${to}`);
    }
  }
  assertEquals(surprises, []);
});

Deno.test("routes and islands, and all they import, import no framework", async () => {
  const files = await sources("routes", "islands");
  const frameworks = /^(fresh|@fresh\/.*|hono)(\/|$)|^(jsr|npm):|^host\//;
  const found = (await closure(files))
    .filter(({ to }) => frameworks.test(to))
    .map(({ from, to }) => `${from} → ${to}`);
  assertEquals(found, []);
});

Deno.test("what the browser loads imports only packages meant for it", async () => {
  const files = [
    ...await sources("islands", "lib/ui", "lib/chat"),
    "host/client.ts",
  ];
  const meant = /^(preact(\/hooks|\/jsx-runtime)?|@preact\/signals|marked)$/;
  const found = (await closure(files))
    .filter(({ to, typeOnly }) => !isFile(to) && !typeOnly && !meant.test(to))
    .map(({ from, to }) => `${from} → ${to}`);
  assertEquals(found, []);
});

Deno.test("lib/chat imports nothing but itself", async () => {
  const found = (await Promise.all((await sources("lib/chat")).map(importsOf)))
    .flat().filter(({ to }) => !to.startsWith("lib/chat/"));
  assertEquals(found, []);
});

Deno.test("tasks import no package at once, so nothing is resolved before the host is chosen", async () => {
  const atOnce = ({ later, typeOnly }: Import) => !later && !typeOnly;
  const found = (await closure(await sources("tasks"), atOnce))
    .map(({ to }) => to)
    .filter((to) => !/^(tasks\/|host\/|lib\/|node:)/.test(to));
  assertEquals(found, []);
});
