/**
 * The body of a `node:http` answer, as synchronous as it comes.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { pipeline, type Readable } from "node:stream";
import { createBrotliDecompress, createUnzip } from "node:zlib";

export interface IncomingBody {
  /**
   * Hands over what has come, then everything else inside the event that brings
   * it, then says how it ended: with an error unless the body is whole. To be
   * called once. The bytes are the caller's until `data` returns.
   */
  read(
    data: (bytes: Uint8Array) => void,
    end: (error?: unknown) => void,
  ): void;
  /** Closes the connection; nothing more is heard, not even the end. */
  leave(): void;
  /** The connection broke, and what came of it until then is all there is. */
  breakOff(error: unknown): void;
}

/**
 * Takes over a message nobody has read yet. What comes before there is a reader
 * is kept: a stream would throw it away when its connection breaks, and with it
 * the reason of a provider that refuses and hangs up.
 */
export function incomingBody(message: IncomingMessage): IncomingBody {
  const body = decoded(message);
  const early: Uint8Array[] = [];
  let data = (bytes: Uint8Array): void => void early.push(bytes);
  let ended: { error?: unknown } | undefined;
  let end = (_error?: unknown) => {};

  function over(error?: unknown) {
    if (ended !== undefined) return;
    ended = { error };
    end(error);
  }

  body.on("data", (bytes) => data(bytes))
    .on("end", () => over())
    .on("error", (error) => over(error))
    .on("close", () => over(CLOSED));

  return {
    read(hear, hearEnd) {
      data = hear;
      end = hearEnd;
      for (const bytes of early.splice(0)) data(bytes);
      if (ended !== undefined) end(ended.error);
    },
    leave() {
      data = end = () => {};
      ended ??= {};
      body.destroy();
    },
    breakOff(error) {
      // A stream hands on the first piece a tick later; this makes it do so now.
      while (body.read() !== null);
      over(error);
      message.destroy();
    },
  };
}

const CLOSED = new Error("Cannot read the body: connection closed");

/** The body as it was meant, for servers that compress what they stream (U42). */
function decoded(message: IncomingMessage): Readable {
  const coding = message.headers["content-encoding"]?.trim().toLowerCase();
  const decoder = coding === "br"
    ? createBrotliDecompress()
    : /^(?:(?:x-)?gzip|deflate)$/.test(coding ?? "")
    ? createUnzip()
    : null;
  // The callback is for errors, which the decoder emits as well.
  return decoder === null ? message : pipeline(message, decoder, () => {});
}
