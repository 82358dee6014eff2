/**
 * The log of a SQLite database (-wal), looked at before SQLite does.
 *
 * SQLite reads the log up to the first frame whose checksum is wrong and takes
 * that for the end: what a crash tore off. Damage in the middle looks the same to
 * it, and it would drop every commit behind without a word. Two things tell them
 * apart, because each commit is synced before the next one is written:
 *
 * - A frame that carries on the checksum of a commit was written when that commit
 *   was on the disk, with all before it.
 * - The index (-shm) counts a frame when it is on the disk. It outlives a killed
 *   process, not always a power failure; then it counts too few, never too many.
 *
 * What nobody can see: damage in the last commit after a power failure, and a log
 * that is gone altogether.
 *
 * @see https://sqlite.org/fileformat2.html#walformat
 * @see https://sqlite.org/walformat.html#the_wal_index_file_format
 * @module
 */

const HEADER = 32;
const FRAME_HEADER = 24;
/** Frames read at once. */
const CHUNK = 64;
/** A process that writes while we read may look like damage, but never twice. */
const LOOKS = 5;

/**
 * Where the log of the database at `path` is damaged; null if it is whole, or
 * torn as by a crash.
 */
export function damageInLog(path: string): string | null {
  let before: string | null = null;
  for (let look = 0; look < LOOKS; look++) {
    // Before the log: it may grow meanwhile, it must not be behind its index.
    const counted = countedFrames(`${path}-shm`);
    const found = damageIn(`${path}-wal`, counted);
    if (found === null) return null;
    const same = `${found.salts} ${found.state}`;
    if (same === before) return found.state;
    before = same;
  }
  return null;
}

interface Damage {
  /** Of the use of the file it was found in. */
  salts: bigint;
  state: string;
}

function damageIn(path: string, counted: Counted | null): Damage | null {
  let log: Deno.FsFile;
  try {
    log = Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  using _ = log;
  const header = readAt(log, 0, HEADER);
  if (header.length < HEADER) return null;
  const view = new DataView(header.buffer);
  const magic = view.getUint32(0);
  const pageSize = view.getUint32(8);
  const salts = view.getBigUint64(16);
  const sum = new Checksum(magic === 0x377f0682);
  sum.add(header.subarray(0, 24));
  const known = (magic & ~1) === 0x377f0682 && pageSize >= 512 &&
    pageSize <= 65536 && (pageSize & (pageSize - 1)) === 0;
  if (!known || !sum.is(view, 24)) {
    // It is synced before any frame is written.
    const state = "its log (-wal) has a damaged header";
    return hasContent(log) ? { salts, state } : null;
  }

  let before: Frame = { sum, inChain: true, commit: false, ours: true };
  let whole = 0, number = 0, commits = 0, proof = false;
  for (const frame of frames(log, pageSize, salts, before)) {
    number++;
    if (frame.inChain && whole === number - 1) whole = number;
    else {
      if (frame.ours && frame.commit) commits++;
      proof ||= frame.inChain && before.ours && before.commit;
    }
    before = frame;
  }
  const missing = counted?.salts === salts && counted.frames > whole;
  if (!proof && !missing) return null;
  const state = `its log (-wal) is damaged at frame ${whole + 1}, and ` +
    `${Math.max(1, commits)} or more of the latest changes would be lost`;
  return { salts, state };
}

interface Frame {
  /** The checksum it carries, right or not. */
  sum: Checksum;
  /** It carries on the checksum of the frame before. */
  inChain: boolean;
  /** It ends a transaction. */
  commit: boolean;
  /** It belongs to this use of the file, not to one before. */
  ours: boolean;
}

function* frames(
  log: Deno.FsFile,
  pageSize: number,
  salts: bigint,
  header: Frame,
): Generator<Frame> {
  const length = FRAME_HEADER + pageSize;
  let { sum } = header;
  for (let at = HEADER;; at += CHUNK * length) {
    const chunk = readAt(log, at, CHUNK * length);
    for (let from = 0; from + length <= chunk.length; from += length) {
      const view = new DataView(chunk.buffer, from, length);
      const ours = view.getBigUint64(8) === salts;
      if (ours) {
        sum.add(chunk.subarray(from, from + 8));
        sum.add(chunk.subarray(from + FRAME_HEADER, from + length));
      }
      const inChain = ours && sum.is(view, 16);
      sum = sum.carriedBy(view, 16);
      yield { sum, inChain, commit: view.getUint32(4) !== 0, ours };
    }
    if (chunk.length < CHUNK * length) return;
  }
}

/** The checksum of the log: over pairs of words, each frame's on the one before. */
class Checksum {
  #a = 0;
  #b = 0;

  constructor(readonly littleEndian: boolean) {}

  add(bytes: Uint8Array<ArrayBuffer>): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const little = this.littleEndian;
    let a = this.#a, b = this.#b;
    for (let at = 0; at < bytes.length; at += 8) {
      a = (a + view.getInt32(at, little) + b) | 0;
      b = (b + view.getInt32(at + 4, little) + a) | 0;
    }
    this.#a = a;
    this.#b = b;
  }

  is(view: DataView, at: number): boolean {
    return view.getInt32(at) === this.#a && view.getInt32(at + 4) === this.#b;
  }

  carriedBy(view: DataView, at: number): Checksum {
    const other = new Checksum(this.littleEndian);
    other.#a = view.getInt32(at);
    other.#b = view.getInt32(at + 4);
    return other;
  }
}

interface Counted {
  frames: number;
  salts: bigint;
}

/** How many frames the index says the log has; null if it says nothing sure. */
function countedFrames(path: string): Counted | null {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    using index = Deno.openSync(path);
    bytes = readAt(index, 0, 96);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  // Two copies, written one after the other; the one before may be half.
  const copies = [bytes.subarray(0, 48), bytes.subarray(48)];
  if (bytes.length < 96 || `${copies[0]}` !== `${copies[1]}`) return null;
  // Numbers are in the machine's own order; the salts are as in the log.
  const view = new DataView(bytes.buffer);
  const little = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
  const sum = new Checksum(little);
  sum.add(bytes.subarray(0, 40));
  const stored = new DataView(new ArrayBuffer(8));
  stored.setInt32(0, view.getInt32(40, little));
  stored.setInt32(4, view.getInt32(44, little));
  if (!sum.is(stored, 0)) return null;
  return { frames: view.getUint32(16, little), salts: view.getBigUint64(32) };
}

/** Whether anything but zeros comes after the header. */
function hasContent(log: Deno.FsFile): boolean {
  const size = 1 << 18;
  for (let at = HEADER;; at += size) {
    const bytes = readAt(log, at, size);
    if (bytes.some((byte) => byte !== 0)) return true;
    if (bytes.length < size) return false;
  }
}

/** Fewer bytes only at the end of the file. */
function readAt(
  file: Deno.FsFile,
  at: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  file.seekSync(at, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < length) {
    const read = file.readSync(bytes.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}
