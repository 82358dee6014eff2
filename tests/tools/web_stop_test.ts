import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { WebError } from "../../lib/tools/web/errors.ts";
import { systemNetwork } from "../../lib/tools/web/network.ts";
import { PUBLIC, redirect, type Site, Stage } from "./web_stage.ts";

/** Asks, and stops as soon as the server has the request. */
async function stopped(site: Site, url = "http://public.test/") {
  const arrived = Promise.withResolvers<void>();
  await using stage = await Stage.open((seen, socket) => {
    arrived.resolve();
    return site(seen, socket);
  });
  const control = new AbortController();
  const asking = stage.fetch(url, { signal: control.signal });
  asking.catch(() => {});
  await arrived.promise;
  control.abort(new Error("stop was pressed"));
  await assertRejects(() => asking, Error, "stop was pressed");
  await stage.quiet();
}

Deno.test("stop closes the socket at once: before the head, in the body, over TLS", async () => {
  await stopped(() => {});
  await stopped((_, socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nsome");
  });
  await stopped(() => {}, "https://public.test/");
});

Deno.test("stop closes the socket in the tick it is pressed in", async () => {
  await using stage = await Stage.open();
  const destroyed: boolean[] = [];
  const control = new AbortController();
  const { dial } = stage.network;
  stage.network.dial = (address, port) => {
    const socket = dial(address, port);
    queueMicrotask(() => {
      control.abort(new Error("stop"));
      destroyed.push(socket.destroyed);
    });
    return socket;
  };
  await assertRejects(
    () => stage.fetch("http://public.test/", { signal: control.signal }),
    Error,
    "stop",
  );
  assertEquals(destroyed, [true]);
  stage.network.dial = dial;
  await assertRejects(
    () => stage.fetch("http://public.test/", { signal: control.signal }),
    Error,
    "stop",
  );
  const literal = `http://${PUBLIC[0]}/`;
  await assertRejects(
    () => stage.fetch(literal, { signal: control.signal }),
    Error,
    "stop",
  );
  assertEquals(stage.dialled.length, 1, "nothing is begun after a stop");
  await stage.quiet();
});

Deno.test("stop during a TLS handshake nobody answers closes the socket", async () => {
  await using stage = await Stage.open();
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = silent.addr as Deno.NetAddr;
  stage.network.dial = (address) =>
    systemNetwork.dial(address && "127.0.0.1", port);
  const control = new AbortController();
  const asking = stage.fetch("https://public.test/", {
    signal: control.signal,
  });
  asking.catch(() => {});
  using server = await silent.accept();
  const buffer = new Uint8Array(4_096);
  assert(await server.read(buffer), "the client said hello");
  control.abort(new Error("stop"));
  await assertRejects(() => asking, Error, "stop");
  assertEquals(await server.read(buffer), null);
  silent.close();
});

Deno.test("S06: ten seconds are all there is: for a name, a head, a body byte by byte", async () => {
  const late = "the page took longer than 10 seconds";
  const begun = () => Promise.withResolvers<void>();
  for (const kind of ["name", "head", "drip", "hops"]) {
    let next = begun();
    await using stage = await Stage.open((_, socket) => {
      if (kind === "drip") {
        socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n.");
      }
      next.resolve();
    });
    if (kind === "name") {
      stage.network.resolve = () => {
        next.resolve();
        return new Promise(() => {});
      };
    }
    if (kind === "hops") {
      stage.site = (_, socket) => {
        const answer = redirect("/on");
        next.resolve();
        held = () => socket.end(answer);
      };
    }
    let held = () => {};
    const time = new FakeTime();
    try {
      const asking = stage.fetch("http://public.test/");
      asking.catch(() => {});
      await next.promise;
      time.tick(9_900);
      if (kind === "hops") {
        next = begun();
        held();
        await next.promise;
      }
      time.tick(99);
      assertEquals(await settled(asking), false, kind);
      time.tick(1);
      const error = await assertRejects(() => asking, WebError);
      assertEquals(error.message, late);
    } finally {
      time.restore();
    }
    await stage.quiet();
  }
});

async function settled(promise: Promise<unknown>): Promise<boolean> {
  const still = Symbol();
  const first = await Promise.race([
    promise.catch(() => null),
    Promise.resolve(still),
  ]);
  return first !== still;
}
