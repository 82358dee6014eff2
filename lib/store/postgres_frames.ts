/**
 * The file of a Postgres backup: frames in gzip, see `postgres_backup.ts`.
 *
 * @module
 */
import { dirname } from "node:path";
import { StoreError } from "./contract.ts";

/** Rows are gathered to frames of about this size. */
const FRAME_BYTES = 64 * 1024;
/** A frame is never longer than this: what says so is no backup of ours. */
const MOST_BYTES = 2 ** 30;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export interface DraftFile extends AsyncDisposable {
  frames: FrameWriter;
  /** Gives the file its name once it is whole and on the disk; its size. */
  publish(): Promise<number>;
}

/**
 * Begins a backup under another name, in a folder that is made if missing. Disposed of unpublished, nothing is left.
 *
 * @throws {StoreError} if there is such a file already, or none can be made.
 */
export async function createBackup(file: string): Promise<DraftFile> {
  const name = `${file}.part-${crypto.randomUUID().slice(0, 8)}`;
  const draft = await trying("write", file, async () => {
    if (await exists(file)) throw new Deno.errors.AlreadyExists();
    await Deno.mkdir(dirname(file), { recursive: true, mode: 0o700 });
    return await Deno.open(name, { write: true, createNew: true, mode: 0o600 });
  });
  const gzip = new CompressionStream("gzip");
  const written = write(gzip.readable as ReadableStream<Uint8Array>, draft);
  written.catch(() => {});
  const frames = new FrameWriter(gzip.writable as WritableStream<Uint8Array>);
  let published = false;
  return {
    frames,
    publish: () =>
      trying("write", file, async () => {
        await written;
        await draft.sync();
        const { size } = await draft.stat();
        await publish(name, file);
        published = true;
        return size;
      }),
    async [Symbol.asyncDispose]() {
      if (!published) await frames.abort();
      await written.catch(() => {});
      draft.close();
      // Its other name, or what there is of it.
      await Deno.remove(name).catch(() => {});
    },
  };
}

/** @throws {StoreError} if it cannot be read. */
export async function openBackup(
  file: string,
): Promise<{ bytes: number; frames: FrameReader }> {
  const source = await trying("read", file, () => Deno.open(file));
  const { size } = await source.stat();
  const gzip = new DecompressionStream("gzip") as TransformStream<
    Uint8Array,
    Uint8Array
  >;
  const frames = new FrameReader(file, source.readable.pipeThrough(gzip));
  return { bytes: size, frames };
}

/** Not a pipe, which closes the file before it is seen safe on the disk. */
async function write(
  stream: ReadableStream<Uint8Array>,
  file: Deno.FsFile,
): Promise<void> {
  for await (const chunk of stream) {
    for (let sent = 0; sent < chunk.length;) {
      sent += await file.write(chunk.subarray(sent));
    }
  }
}

/** Gives the finished file its name, unless there is one by now. */
async function publish(draft: string, file: string): Promise<void> {
  try {
    // Unlike a rename, a link never replaces what is there.
    await Deno.link(draft, file);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    // A file system without hard links.
    await Deno.rename(draft, file);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}

async function trying<T>(
  action: string,
  file: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code } = cause as { code?: string };
    const [kind, state]: [StoreError["kind"], string] = code === "ENOSPC"
      ? ["full", "the disk is full"]
      : cause instanceof Deno.errors.AlreadyExists
      ? ["io", "there is a file of that name already"]
      : cause instanceof Deno.errors.NotFound
      ? ["io", "there is no such file or folder"]
      : cause instanceof Deno.errors.PermissionDenied
      ? ["readonly", "that is not allowed"]
      : ["io", "the disk or the file system failed"];
    throw new StoreError(kind, `Cannot ${action} "${file}": ${state}`, {
      cause,
    });
  }
}

export class FrameWriter {
  #writer: WritableStreamDefaultWriter<Uint8Array>;
  #gathered: Uint8Array[] = [];
  #size = 0;

  constructor(stream: WritableStream<Uint8Array>) {
    this.#writer = stream.getWriter();
  }

  async json(value: unknown): Promise<void> {
    await this.#flush();
    await this.#frame([encoder.encode(JSON.stringify(value))]);
  }

  /** More rows of a table. */
  async bytes(chunk: Uint8Array): Promise<void> {
    this.#gathered.push(chunk);
    this.#size += chunk.length;
    if (this.#size >= FRAME_BYTES) await this.#flush();
  }

  async endTable(): Promise<void> {
    await this.#flush();
    await this.#frame([]);
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  /** Gives up what is there so far. */
  async abort(): Promise<void> {
    await this.#writer.abort().catch(() => {});
  }

  async #flush(): Promise<void> {
    if (this.#size === 0) return;
    const chunks = this.#gathered;
    this.#gathered = [];
    this.#size = 0;
    await this.#frame(chunks);
  }

  async #frame(chunks: Uint8Array[]): Promise<void> {
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const frame = new Uint8Array(4 + length);
    new DataView(frame.buffer).setUint32(0, length);
    let at = 4;
    for (const chunk of chunks) {
      frame.set(chunk, at);
      at += chunk.length;
    }
    await this.#writer.write(frame);
  }
}

export class FrameReader {
  #file: string;
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #left = new Uint8Array(0);

  /** @param file Its name, for people. */
  constructor(file: string, stream: ReadableStream<Uint8Array>) {
    this.#file = file;
    this.#reader = stream.getReader();
  }

  async json<T>(): Promise<T> {
    const frame = await this.#frame();
    try {
      return JSON.parse(decoder.decode(frame));
    } catch (cause) {
      throw this.damaged(cause);
    }
  }

  /** The next rows of a table; null at its end. */
  async bytes(): Promise<Uint8Array | null> {
    const frame = await this.#frame();
    return frame.length === 0 ? null : frame;
  }

  /** Nothing may follow, and the sum that gzip keeps must be right. */
  async end(): Promise<void> {
    if (this.#left.length > 0 || await this.#more()) throw this.damaged();
  }

  /** Lets go of the file. */
  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }

  damaged(cause?: unknown): StoreError {
    return new StoreError(
      "damaged",
      `Cannot restore "${this.#file}": it is damaged, or no backup of ours`,
      { cause },
    );
  }

  async #frame(): Promise<Uint8Array> {
    const head = await this.#take(4);
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
    if (length > MOST_BYTES) throw this.damaged();
    return await this.#take(length);
  }

  async #take(length: number): Promise<Uint8Array> {
    const chunks = [this.#left];
    let have = this.#left.length;
    while (have < length) {
      if (!await this.#more()) throw this.damaged();
      chunks.push(this.#left);
      have += this.#left.length;
    }
    const last = chunks.pop()!;
    const wanted = length - (have - last.length);
    this.#left = last.slice(wanted);
    const taken = new Uint8Array(length);
    let at = 0;
    for (const chunk of [...chunks, last.subarray(0, wanted)]) {
      taken.set(chunk, at);
      at += chunk.length;
    }
    return taken;
  }

  async #more(): Promise<boolean> {
    try {
      const { done, value } = await this.#reader.read();
      this.#left = value === undefined ? new Uint8Array(0) : value.slice();
      return !done;
    } catch (cause) {
      throw this.damaged(cause);
    }
  }
}
