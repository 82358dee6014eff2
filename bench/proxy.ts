/**
 * The yardstick, a process of its own: a raw pass-through on Deno. JavaScript
 * never touches the body, so nothing that does can be cheaper.
 *
 * @module
 */

if (import.meta.main) {
  const upstream = Deno.args[0]!;
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
  }, async (request) => {
    const { pathname } = new URL(request.url);
    const response = await fetch(new URL(pathname, upstream), {
      method: request.method,
      headers: { "content-type": "application/json" },
      body: request.body,
    });
    return new Response(response.body, {
      headers: { "content-type": "text/event-stream" },
    });
  });
}
