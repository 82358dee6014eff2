import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { createTools } from "../../lib/tools/mod.ts";
import { MONDAY, smallFeed, withBus, zipped } from "./small_feed.ts";

async function withFolder(test: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** One start of the app over a feed: asks once, then closes. */
async function once(feed: string, cacheDir: string) {
  const warnings: string[] = [];
  const { tools, close } = await createTools({
    gtfsFeed: feed,
    cacheDir,
    warn: (message) => warnings.push(message),
  });
  try {
    const bus = tools.find((tool) => tool.name === "bus_schedule")!;
    const { text } = await bus.run(
      { action: "next_departures", stop: "Alpha" },
      {
        signal: new AbortController().signal,
        progress: () => {},
        now: new Date(MONDAY),
      },
    );
    return { text, warnings };
  } finally {
    await close();
  }
}

function files(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("createTools() lists the three tools, all of them read only", () =>
  withFolder(async (cacheDir) => {
    const { tools, close } = await createTools({ cacheDir });
    assertEquals(tools.map(({ name }) => name), [
      "bus_schedule",
      "current_time",
      "calculator",
    ]);
    assert(tools.every(({ effect }) => effect === "read"));
    await close();
    assertEquals(files(cacheDir), [], "the sample needs no file");
  }));

Deno.test("feed source: a restart reads the kept database, a changed feed makes a new one", () =>
  withFolder(async (folder) => {
    const feed = `${folder}/feed.zip`;
    const cache = `${folder}/cache`;
    await Deno.writeFile(feed, zipped(smallFeed()));
    const first = await once(feed, cache);
    const [kept] = files(cache);
    assertEquals(files(cache).length, 1);
    const made = Deno.statSync(`${cache}/${kept}`).ino;
    assertEquals(await once(feed, cache), first);
    assertEquals(Deno.statSync(`${cache}/${kept}`).ino, made);
    const changed = smallFeed()["stop_times.txt"]!.replaceAll(
      "08:00:00",
      "07:45:00",
    );
    await Deno.writeFile(
      feed,
      zipped(smallFeed({ "stop_times.txt": changed })),
    );
    assertStringIncludes((await once(feed, cache)).text, "- 07:45 route 9");
    assertEquals(files(cache).length, 1);
    assert(files(cache)[0] !== kept);
  }));

Deno.test("feed source: a damaged kept database is made anew", () =>
  withFolder(async (folder) => {
    const feed = `${folder}/feed.zip`;
    const cache = `${folder}/cache`;
    await Deno.writeFile(feed, zipped(smallFeed()));
    const first = await once(feed, cache);
    const path = `${cache}/${files(cache)[0]}`;
    for (
      const rubbish of [
        "",
        "not a database",
        "SQLite format 3\0".padEnd(9000, "x"),
      ]
    ) {
      await Deno.writeTextFile(path, rubbish);
      assertEquals(await once(feed, cache), first);
    }
  }));

Deno.test("feed source: a broken GTFS_FEED stops nothing, tells the model and the log, leaks no path", () =>
  withFolder(async (folder) => {
    const feed = `${folder}/nothing-here.zip`;
    const warnings: string[] = [];
    const { tools, close } = await createTools({
      gtfsFeed: feed,
      cacheDir: folder,
      warn: (line) => warnings.push(line),
    });
    const [bus, time] = tools;
    const context = {
      signal: new AbortController().signal,
      progress: () => {},
      now: new Date(MONDAY),
    };
    assert((await time!.run({}, context)).text.includes("2026"));
    const error = await assertRejects(
      async () => await bus!.run({ action: "find_stops", query: "x" }, context),
      Error,
      "the bus timetable cannot be read: there is no such file or folder",
    );
    assert(!(error as Error).message.includes(folder));
    assertStringIncludes(warnings[0]!, "GTFS_FEED cannot be used");
    // A minute after the feed was put there, it is used without a restart.
    await Deno.writeFile(feed, zipped(smallFeed()));
    const later = { ...context, now: new Date(Date.parse(MONDAY) + 61_000) };
    assertStringIncludes(
      (await bus!.run({ action: "next_departures", stop: "Alpha" }, later))
        .text,
      "08:00",
    );
    await close();
  }));

Deno.test("feed source: an abort ends the waiting with its own reason", () =>
  withFolder(async (cacheDir) => {
    const { tools, close } = await createTools({ cacheDir });
    const reason = new Error("stopped by the person");
    await assertRejects(
      async () =>
        await tools[0]!.run({ action: "find_stops", query: "x" }, {
          progress: () => {},
          signal: AbortSignal.abort(reason),
          now: new Date(MONDAY),
        }),
      Error,
      "stopped by the person",
    );
    await close();
  }));

Deno.test("feed source: closing during an import ends it and leaves no unfinished file", () =>
  withFolder(async (folder) => {
    const feed = `${folder}/feed.zip`;
    const cache = `${folder}/cache`;
    const rows = Array.from(
      { length: 40_000 },
      (_, i) => `t${i},08:00:00,08:00:00,a,1\nt${i},08:10:00,08:10:00,c,2`,
    );
    const trips = Array.from({ length: 40_000 }, (_, i) => `r,wd,t${i}`);
    await Deno.writeFile(
      feed,
      zipped(smallFeed({
        "trips.txt": ["route_id,service_id,trip_id", ...trips].join("\n"),
        "stop_times.txt": [
          "trip_id,arrival_time,departure_time,stop_id,stop_sequence",
          ...rows,
        ].join("\n"),
      })),
    );
    const warnings: string[] = [];
    const { close } = await createTools({
      gtfsFeed: feed,
      cacheDir: cache,
      warn: (line) => warnings.push(line),
    });
    await close();
    assertEquals(warnings, []);
    assertEquals(files(cache), []);
  }));

/** A web server that gives a feed, or whatever a test wants. */
async function withServer(
  answer: (request: Request) => Response,
  test: (address: string) => Promise<void>,
) {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    answer,
  );
  try {
    await test(`http://127.0.0.1:${server.addr.port}/feed.zip?key=secret`);
  } finally {
    await server.shutdown();
  }
}

Deno.test("T15: a feed is downloaded once, asked for again by its tag, and kept when the address fails", () =>
  withFolder(async (cache) => {
    const zip = zipped(smallFeed());
    let status = 200;
    const asked: (string | null)[] = [];
    await withServer((request) => {
      const tag = request.headers.get("if-none-match");
      asked.push(tag);
      if (status !== 200) return new Response("broken", { status });
      if (tag === '"v1"') return new Response(null, { status: 304 });
      return new Response(new Uint8Array(zip), { headers: { etag: '"v1"' } });
    }, async (address) => {
      const first = await once(address, cache);
      assertStringIncludes(first.text, "- 08:00 route 9");
      assertEquals((await once(address, cache)).text, first.text);
      assertEquals(asked, [null, '"v1"']);
      status = 500;
      const third = await once(address, cache);
      assertEquals(third.text, first.text);
      assertStringIncludes(
        third.warnings[0]!,
        "answered 500; the copy of the last download is used",
      );
      assert(!third.warnings[0]!.includes("secret"));
    });
  }));

Deno.test("T15: 500 from the feed and no earlier copy is an error without the address's key", () =>
  withServer(
    () => new Response("no", { status: 500 }),
    (address) =>
      withBus(address, async ({ ask, warnings }) => {
        const error = await assertRejects(
          () => ask({ action: "find_stops", query: "x" }),
          Error,
          "answered 500",
        );
        assert(!(error as Error).message.includes("secret"));
        assert(!warnings.join().includes("secret"));
      }),
  ));

Deno.test("feed source: something else than a zip, an empty answer and a dead address are refused", async () => {
  for (
    const [body, reason] of [
      [
        "<html>login first</html>",
        "the zip file is damaged: it has no directory",
      ],
      ["", "the download is empty"],
    ] as const
  ) {
    await withServer(
      () => new Response(body),
      (address) =>
        withBus(address, async ({ ask }) => {
          await assertRejects(
            () => ask({ action: "find_stops", query: "x" }),
            Error,
            reason,
          );
        }),
    );
  }
  let dead = "";
  await withServer(() => new Response(), (address) => {
    dead = address;
    return Promise.resolve();
  });
  await withBus(dead, async ({ ask }) => {
    await assertRejects(
      () => ask({ action: "find_stops", query: "x" }),
      Error,
      "cannot be reached",
    );
  });
});
