/**
 * HTTP as bytes: for requests no client library would send.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";

export interface RawResponse {
  status: number;
  headers: Headers;
  /** After the head, as it came (chunk sizes included). */
  body: string;
}

const encoder = new TextEncoder();

/** Splits the bytes of one HTTP/1 response. */
export function parseResponse(text: string): RawResponse {
  const end = text.indexOf("\r\n\r\n");
  assert(end > 0, `no complete head in ${JSON.stringify(text.slice(0, 200))}`);
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return {
    status: Number(first.split(" ")[1]),
    headers,
    body: text.slice(end + 4),
  };
}

/** Reads until the other side closes, or `enough` says so. */
export async function readAll(
  conn: Deno.Conn,
  enough: (text: string) => boolean = () => false,
): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16 * 1024);
  let text = "";
  while (!enough(text)) {
    let n: number | null;
    try {
      n = await conn.read(buffer);
    } catch (error) {
      // A server that refuses a body may reset instead of closing.
      if (error instanceof Deno.errors.ConnectionReset) break;
      throw error;
    }
    if (n === null) break;
    text += decoder.decode(buffer.subarray(0, n), { stream: true });
  }
  return text;
}

/** Writes everything; false once the other side takes no more. */
export async function writeAll(
  conn: Deno.Conn,
  data: string | Uint8Array,
): Promise<boolean> {
  let bytes = typeof data === "string" ? encoder.encode(data) : data;
  try {
    while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
    return true;
  } catch {
    return false;
  }
}

/** Sends a request head (lines without line ends) and body; reads the answer. */
export async function raw(
  port: number,
  head: string[],
  body: string | Uint8Array = "",
): Promise<RawResponse> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(
    conn,
    [...head, "connection: close", "", ""].join("\r\n"),
  );
  await writeAll(conn, body);
  return parseResponse(await readAll(conn));
}

/** Every answer has every security header (E03), and nothing that tells. */
export function assertFullHeaders(
  headers: Headers,
  kind?: "page" | "file" | "refusal",
): void {
  const policy = headers.get("content-security-policy") ?? "";
  assertMatch(policy, /^default-src 'none'; /);
  assertMatch(policy, /; frame-ancestors 'none'$/);
  assert(!policy.includes("unsafe-"), policy);
  const found = policy.includes("; sandbox;")
    ? "file"
    : policy.includes("script-src 'self'")
    ? "page"
    : "refusal";
  if (kind !== undefined) assertEquals(found, kind);
  assertEquals(headers.get("x-content-type-options"), "nosniff");
  assertEquals(
    headers.get("referrer-policy"),
    found === "page" ? "same-origin" : "no-referrer",
  );
  assertEquals(headers.get("cross-origin-opener-policy"), "same-origin");
  assertEquals(headers.get("cross-origin-resource-policy"), "same-origin");
  assertMatch(headers.get("permissions-policy") ?? "", /camera=\(\)/);
  assertMatch(headers.get("x-request-id") ?? "", /^[0-9a-f]{16}$/);
  for (const name of headers.keys()) {
    assert(!name.startsWith("access-control-"), name);
    assert(name !== "x-powered-by" && name !== "server", name);
  }
}
