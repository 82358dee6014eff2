/**
 * One HTTP/1.1 request and its answer over a connection that is used once (RFC
 * 9112), every byte of it counted (case S06).
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { WebError } from "./errors.ts";

/** Most bytes of a body, as it is sent and again as it is read. */
export const MAX_BODY = 2 * 1024 * 1024;
/** Most bytes of all status lines and headers together. */
const MAX_HEAD = 32 * 1024;
/** Most bytes in all; chunks may be one byte long and have long names. */
const MAX_WIRE = 2 * MAX_BODY;
/** Longest line that says how long a chunk is. */
const MAX_CHUNK_LINE = 1_024;

/** What is told of us, to everybody the same; nothing of the person (S07). */
const HEADERS = [
  "User-Agent: Tickertape/1 (reads a page a person asked for)",
  "Accept: text/html, application/xhtml+xml, text/plain, text/markdown, application/json, application/xml;q=0.9, text/xml;q=0.9",
  "Accept-Encoding: gzip, deflate, br",
  "Connection: close",
];

export interface Head {
  status: number;
  /** Names in lower case; of several, the first. */
  headers: Map<string, string>;
}

/** An answer whose head has arrived. */
export interface Exchange extends Head {
  /**
   * Reads the body, still encoded.
   *
   * @throws {WebError} it is too large, or ends in the middle
   */
  body(): Promise<Uint8Array>;
}

export const tooLarge = () =>
  new WebError(
    `the page is too large: more than ${MAX_BODY / 1024 ** 2} MB`,
  );

const broken = (cause?: unknown) =>
  new WebError("the server's answer is broken, or ended in the middle", {
    cause,
  });

/**
 * Asks for a page. The stream belongs to the caller, who destroys it.
 *
 * @throws {WebError} the answer is no HTTP, or its head is too large
 */
export async function get(stream: Duplex, url: URL): Promise<Exchange> {
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    ...HEADERS,
  ];
  stream.write(lines.join("\r\n") + "\r\n\r\n");
  const source = new Source(stream);
  const head = await readHead(source);
  return { ...head, body: () => readBody(source, head) };
}

async function readHead(source: Source): Promise<Head> {
  let left = MAX_HEAD;
  const line = async () => {
    const text = await source.line(left);
    if (text === null) {
      throw new WebError("the server's answer has headers that are too large");
    }
    left -= text.length + 2;
    return text;
  };
  for (;;) {
    const [version, code = ""] = (await line()).split(" ", 2);
    if (!/^HTTP\/1\.[01]$/.test(version!) || !/^[1-5]\d\d$/.test(code)) {
      throw broken();
    }
    const headers = new Map<string, string>();
    for (let text = await line(); text !== ""; text = await line()) {
      const colon = text.indexOf(":");
      const name = text.slice(0, Math.max(0, colon)).toLowerCase();
      if (headers.has(name)) continue;
      headers.set(name, text.slice(colon + 1).trim());
    }
    const status = Number(code);
    // "100 Continue" and its likes come before the answer.
    if (status >= 200) return { status, headers };
  }
}

async function readBody(
  source: Source,
  { status, headers }: Head,
): Promise<Uint8Array> {
  if (status === 204 || status === 205) return new Uint8Array();
  const body = new Collected();
  const coding = headers.get("transfer-encoding");
  if (coding !== undefined) {
    // "identity" and "gzip, chunked" are history; nobody asked for them.
    if (coding.toLowerCase() !== "chunked") throw broken();
    await readChunks(source, body);
    return body.bytes();
  }
  const length = headers.get("content-length");
  if (length === undefined) {
    for (;;) {
      const piece = await source.some(MAX_BODY + 1);
      if (piece === null) return body.bytes();
      body.add(piece);
    }
  }
  if (!/^\d{1,15}$/.test(length)) throw broken();
  if (Number(length) > MAX_BODY) throw tooLarge();
  await readExactly(source, Number(length), body);
  return body.bytes();
}

async function readChunks(source: Source, body: Collected): Promise<void> {
  for (;;) {
    const line = await source.line(MAX_CHUNK_LINE);
    const size = /^([0-9a-f]{1,8})[ \t]*(;|$)/i.exec(line ?? "")?.[1];
    if (size === undefined) throw broken();
    const length = parseInt(size, 16);
    if (length > MAX_BODY) throw tooLarge();
    // What may follow the last chunk is of no use here.
    if (length === 0) return;
    await readExactly(source, length, body);
    if (await source.line(0) !== "") throw broken();
  }
}

async function readExactly(
  source: Source,
  length: number,
  body: Collected,
): Promise<void> {
  for (let left = length; left > 0;) {
    const piece = await source.some(left);
    if (piece === null) throw broken();
    body.add(piece);
    left -= piece.length;
  }
}

/** A body as it grows, in one piece: there may be as many pieces as bytes. */
class Collected {
  #bytes = new Uint8Array(64 * 1024);
  #length = 0;

  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > MAX_BODY) throw tooLarge();
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

const LF = 0x0a;
const decoder = new TextDecoder();

/** Reads a stream by lines and by lengths. */
class Source {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #at = new Uint8Array();
  #wire = 0;

  constructor(stream: Duplex) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** At most `most` bytes that are there; null at the end. */
  async some(most: number): Promise<Uint8Array | null> {
    if (this.#at.length === 0) {
      const more = await this.#more();
      if (more === null) return null;
      this.#at = more;
    }
    const piece = this.#at.subarray(0, most);
    this.#at = this.#at.subarray(piece.length);
    return piece;
  }

  /** A line without its end; null if it is longer than `most` bytes. */
  async line(most: number): Promise<string | null> {
    let searched = 0;
    for (;;) {
      const end = this.#at.indexOf(LF, searched);
      if (end > most + 1 || (end < 0 && this.#at.length > most + 1)) {
        return null;
      }
      if (end >= 0) {
        const text = decoder.decode(this.#at.subarray(0, end));
        this.#at = this.#at.subarray(end + 1);
        return text.endsWith("\r") ? text.slice(0, -1) : text;
      }
      searched = this.#at.length;
      const more = await this.#more();
      if (more === null) throw broken();
      const joined = new Uint8Array(searched + more.length);
      joined.set(this.#at);
      joined.set(more, searched);
      this.#at = joined;
    }
  }

  async #more(): Promise<Uint8Array<ArrayBuffer> | null> {
    let next: IteratorResult<Uint8Array>;
    try {
      next = await this.#chunks.next();
    } catch (error) {
      throw broken(error);
    }
    if (next.done) return null;
    this.#wire += next.value.length;
    if (this.#wire > MAX_WIRE) throw tooLarge();
    return new Uint8Array(next.value);
  }
}
