/**
 * A client on a bare socket, so that a thousand readers cost the machine little
 * and `fetch` is not measured along.
 *
 * @module
 */

export interface Exchange {
  method: "GET" | "POST";
  url: URL;
  accept: string;
  /** Sent as JSON. */
  body?: unknown;
}

const encoder = new TextEncoder();
const BUFFER_BYTES = 64 * 1024;

/**
 * Sends one request on a connection of its own and hands the body's text over as
 * it arrives, with chunked framing taken off.
 *
 * @returns the status.
 * @throws {Error} when the connection ends before the body does.
 */
export async function exchange(
  { method, url, accept, body }: Exchange,
  onText: (text: string) => void,
): Promise<number> {
  const { hostname, host, port, pathname, search } = url;
  const connection = await Deno.connect({ hostname, port: Number(port) });
  connection.setNoDelay(true);
  try {
    const bytes = encoder.encode(
      body === undefined ? "" : JSON.stringify(body),
    );
    const head =
      `${method} ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\n` +
      `accept: ${accept}\r\ncontent-type: application/json\r\n` +
      `connection: close\r\ncontent-length: ${bytes.length}\r\n\r\n`;
    await write(connection, encoder.encode(head));
    await write(connection, bytes);
    return await receive(connection, onText);
  } finally {
    connection.close();
  }
}

/** The whole body of a GET. */
export async function get(url: URL): Promise<{ status: number; text: string }> {
  let text = "";
  const status = await exchange(
    { method: "GET", url, accept: "*/*" },
    (piece) => text += piece,
  );
  return { status, text };
}

async function write(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await connection.write(bytes.subarray(at));
  }
}

async function receive(
  connection: Deno.Conn,
  onText: (text: string) => void,
): Promise<number> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  const decoder = new TextDecoder();
  let status = 0;
  let framing: Framing | null = null;
  let have = new Uint8Array(0);
  while (true) {
    const read = await connection.read(buffer);
    if (read === null) break;
    let bytes = buffer.subarray(0, read);
    if (framing === null) {
      have = concat(have, bytes);
      const end = endOfHead(have);
      if (end === -1) continue;
      const head = decoder.decode(have.subarray(0, end));
      status = Number(head.slice(9, 12));
      framing = framingOf(head);
      bytes = have.subarray(end);
    }
    const text = framing.take(bytes, decoder);
    if (text !== "") onText(text);
    if (framing.over) return status;
  }
  if (framing?.endsWithConnection) return status;
  throw new Error("Cannot read the response: the connection ended early");
}

/** Takes the framing of a body off its bytes. */
interface Framing {
  take(bytes: Uint8Array, decoder: TextDecoder): string;
  over: boolean;
  endsWithConnection: boolean;
}

function framingOf(head: string): Framing {
  if (/^transfer-encoding: *chunked/im.test(head)) return new Chunked();
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  return new Plain(length === undefined ? Infinity : Number(length));
}

class Plain implements Framing {
  over: boolean;
  endsWithConnection: boolean;
  #left: number;

  constructor(length: number) {
    this.#left = length;
    this.over = length === 0;
    this.endsWithConnection = length === Infinity;
  }

  take(bytes: Uint8Array, decoder: TextDecoder): string {
    this.#left -= bytes.length;
    this.over = this.#left <= 0;
    return decoder.decode(bytes, { stream: true });
  }
}

class Chunked implements Framing {
  over = false;
  endsWithConnection = false;
  /** Bytes of the current chunk still to come; 0: a size line is next. */
  #left = 0;
  /** The size read so far; null before its first digit. */
  #size: number | null = null;

  take(bytes: Uint8Array, decoder: TextDecoder): string {
    let text = "";
    for (let at = 0; at < bytes.length && !this.over;) {
      if (this.#left > 0) {
        const end = Math.min(bytes.length, at + this.#left);
        text += decoder.decode(bytes.subarray(at, end), { stream: true });
        this.#left -= end - at;
        at = end;
      } else this.#sizeByte(bytes[at++]!);
    }
    return text;
  }

  #sizeByte(byte: number): void {
    const digit = HEX[byte];
    if (digit !== undefined) this.#size = (this.#size ?? 0) * 16 + digit;
    if (byte !== LF || this.#size === null) return;
    this.#left = this.#size;
    this.over = this.#left === 0;
    this.#size = null;
  }
}

/** The value of a hexadecimal digit, by its character code. */
const HEX = Object.fromEntries(
  Array.from("0123456789abcdef", (char, value) => [
    [char.charCodeAt(0), value],
    [char.toUpperCase().charCodeAt(0), value],
  ]).flat(),
) as Record<number, number>;

const LF = 10;
const CR = 13;

function endOfHead(bytes: Uint8Array): number {
  for (let i = bytes.indexOf(CR); i !== -1; i = bytes.indexOf(CR, i + 1)) {
    if (bytes[i + 2] === CR && bytes[i + 3] === LF) return i + 4;
  }
  return -1;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
