/**
 * The outside world of the web reader: names, connections, and what this machine
 * is called. Here alone the system is asked; tests bring their own.
 *
 * Connections are plain sockets with our own HTTP on them, because the ready-made
 * clients follow `HTTP_PROXY` from the environment, also when they are handed a
 * connection: what was checked would not be what is reached.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { WebError } from "./errors.ts";

export interface Network {
  /** All addresses of a name; throws if there are none. */
  resolve(name: string): Promise<string[]>;
  /**
   * Begins to connect to an IP address, never a name. The socket says "connect"
   * or "error".
   */
  dial(address: string, port: number): Socket;
  /** The networks of this machine, as CIDR. */
  own(): string[];
  /** Certificates to trust instead of the usual ones, as PEM. */
  ca?: string;
}

/** The network of this computer. */
export const systemNetwork: Network = {
  async resolve(name) {
    const found = await lookup(name, { all: true });
    return found.map(({ address }) => address);
  },
  dial: (address, port) => connect({ host: address, port }),
  own() {
    try {
      return Object.values(networkInterfaces()).flat().map((one) =>
        // In IPv6 the neighbours have public numbers too, though a firewall
        // may keep strangers from them.
        one!.family === "IPv6" ? `${one!.address}/64` : `${one!.address}/32`
      );
    } catch {
      return []; // Not permitted to ask; what is public by number stays so.
    }
  },
};

/** Whom to connect to: the address that was checked, and the name to prove. */
export interface Place {
  address: string;
  port: number;
  /** The host its certificate must be for; null for plain http. */
  secure: string | null;
  /** `secure` is an IP address: no name is told to the server then. */
  literal: boolean;
}

/**
 * Opens a connection; with `secure`, only to who can prove that name.
 *
 * The stream is destroyed the moment `signal` aborts, with its reason.
 *
 * @throws {WebError} the certificate is wrong
 * @throws {Error} nobody answers
 */
export async function open(
  network: Network,
  { address, port, secure, literal }: Place,
  signal: AbortSignal,
): Promise<Duplex> {
  signal.throwIfAborted();
  const socket = network.dial(address, port);
  let stream: Duplex = socket;
  const stop = () => {
    stream.destroy(signal.reason);
    socket.destroy();
  };
  signal.addEventListener("abort", stop, { once: true });
  socket.once("close", () => signal.removeEventListener("abort", stop));
  // A socket may fail while nobody reads; that must not end the process (DN1).
  socket.on("error", () => {});
  try {
    await once(socket, "connect", signal);
    if (secure === null) return socket;
    stream = connectTls({
      socket,
      host: secure,
      // An address is no name to tell (RFC 6066, section 3).
      ...(literal ? {} : { servername: secure }),
      ...(network.ca === undefined ? {} : { ca: network.ca }),
      // Said aloud: the environment can turn the default off.
      rejectUnauthorized: true,
    });
    stream.on("error", () => {});
    await once(stream, "secureConnect", signal);
    return stream;
  } catch (error) {
    stream.destroy();
    socket.destroy();
    signal.throwIfAborted();
    if (stream === socket) throw error;
    throw new WebError(
      `refused: no secure connection to ${secure}, its certificate is not ` +
        "valid or it does not speak TLS",
      { cause: error },
    );
  }
}

function once(
  stream: Duplex,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.once(event, resolve);
  stream.once("error", reject);
  stream.once("close", () => reject(signal.reason ?? new Error("closed")));
  return promise;
}
