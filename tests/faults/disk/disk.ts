/**
 * A disk that remembers what was written to it and what was synced, and can say
 * what may be left of it after the power fails.
 *
 * The rules are the weakest that a file system with 512-byte sectors and a page
 * cache is known to keep; POSIX promises no more:
 *
 * - What was written before a sync of its file that succeeded is there.
 * - Of what came later, any sector may be there or not, whatever the order.
 * - A file may have its old size, or a new one with zeros where data is missing.
 * - A name made, moved or taken away is durable after a sync of its directory,
 *   not of the file; a directory is a name too.
 * - A sync that failed has left its pages clean: no later sync writes them,
 *   unless somebody writes to them again (the "fsyncgate" of 2018).
 *
 * @module
 */
import { basename, dirname } from "node:path";
import type { Random } from "./random.ts";

/** What a process did to its files, in order. */
export type Change =
  | { do: "make" | "make-dir" | "remove" | "sync"; path: string; failed?: true }
  | { do: "write"; path: string; at: number; bytes: Uint8Array }
  | { do: "size"; path: string; size: number }
  | { do: "link" | "rename"; path: string; to: string };

const SECTOR = 512;
const PAGE = 4096;

type Pending =
  /** Never across a page; `doomed` by a sync that failed. */
  | { at: number; bytes: Uint8Array; doomed: boolean }
  | { size: number };

type Bytes = Uint8Array<ArrayBuffer>;

interface File {
  kind: "file";
  bytes: Bytes;
  pending: Pending[];
}

type Node = File | Dir;

/** What one operation does to the names of a directory; all of it, or nothing. */
type Renaming = [name: string, node: Node | null][];

interface Dir {
  kind: "dir";
  /** As the running system sees it. */
  now: Map<string, Node>;
  durable: Map<string, Node>;
  pending: Renaming[];
}

const newDir = (): Dir => ({
  kind: "dir",
  now: new Map(),
  durable: new Map(),
  pending: [],
});

export class Disk {
  #root = newDir();

  /** Does what the process did. Paths begin at the disk's root: `/data/a`. */
  apply(change: Change): void {
    const { path } = change;
    switch (change.do) {
      case "make":
        return this.#rename(path, { kind: "file", bytes: empty, pending: [] });
      case "make-dir":
        return this.#rename(path, newDir());
      case "remove":
        return this.#rename(path, null);
      case "link":
        return this.#rename(change.to, this.#find(path));
      case "rename": {
        if (dirname(path) !== dirname(change.to)) throw unknown(change);
        const moved = this.#set(change.to, this.#find(path));
        this.#dir(path).pending.push(moved.concat(this.#set(path, null)));
        return;
      }
      case "write":
        this.#file(path).pending.push(...pieces(change.at, change.bytes));
        return;
      case "size":
        this.#file(path).pending.push({ size: change.size });
        return;
      case "sync": {
        const node = this.#find(path);
        if (node.kind === "file") return syncFile(node, change.failed === true);
        if (change.failed) return;
        for (const renaming of node.pending) renameIn(node.durable, renaming);
        node.pending = [];
      }
    }
  }

  /** What may be left after a power failure now: path → bytes. */
  image(random: Random): Map<string, Uint8Array> {
    const found = new Map<string, Uint8Array>();
    collect(this.#root, "", random, found);
    return found;
  }

  #rename(path: string, node: Node | null): void {
    this.#dir(path).pending.push(this.#set(path, node));
  }

  #set(path: string, node: Node | null): Renaming {
    const renaming: Renaming = [[basename(path), node]];
    renameIn(this.#dir(path).now, renaming);
    return renaming;
  }

  #dir(path: string): Dir {
    const parent = this.#find(dirname(path));
    if (parent.kind === "dir") return parent;
    throw new Error(`Not a directory on the disk: "${dirname(path)}"`);
  }

  #file(path: string): File {
    const node = this.#find(path);
    if (node.kind === "file") return node;
    throw new Error(`Not a file on the disk: "${path}"`);
  }

  #find(path: string): Node {
    if (path === "/") return this.#root;
    const node = this.#dir(path).now.get(basename(path));
    if (node === undefined) throw new Error(`Not on the disk: "${path}"`);
    return node;
  }
}

const empty = new Uint8Array(0);

function unknown(change: Change): Error {
  return new Error(`The disk does not know how to ${JSON.stringify(change)}`);
}

function renameIn(names: Map<string, Node>, renaming: Renaming): void {
  for (const [name, node] of renaming) {
    if (node === null) names.delete(name);
    else names.set(name, node);
  }
}

/** A write as the page cache takes it. */
function pieces(at: number, bytes: Uint8Array): Pending[] {
  const found: Pending[] = [];
  while (bytes.length > 0) {
    const length = Math.min(bytes.length, PAGE - at % PAGE);
    found.push({ at, bytes: bytes.subarray(0, length), doomed: false });
    at += length;
    bytes = bytes.subarray(length);
  }
  return found;
}

const page = (pending: { at: number }) => Math.floor(pending.at / PAGE);

function syncFile(file: File, failed: boolean): void {
  if (failed) {
    for (const piece of file.pending) if ("at" in piece) piece.doomed = true;
    return;
  }
  const dirty = new Set<number>();
  const isLost = (piece: Pending) =>
    "at" in piece && piece.doomed && !dirty.has(page(piece));
  // Backwards: a page written to once more takes along what was doomed before.
  for (const piece of file.pending.toReversed()) {
    if ("at" in piece && !piece.doomed) dirty.add(page(piece));
  }
  file.bytes = written(file.bytes, file.pending.filter((p) => !isLost(p)));
  file.pending = file.pending.filter(isLost);
}

function written(before: Bytes, pending: Pending[]): Bytes {
  let bytes = before.slice();
  for (const piece of pending) {
    if ("size" in piece) {
      bytes = resized(bytes, piece.size);
    } else {
      const end = piece.at + piece.bytes.length;
      if (end > bytes.length) bytes = resized(bytes, end);
      bytes.set(piece.bytes, piece.at);
    }
  }
  return bytes;
}

function resized(bytes: Bytes, size: number): Bytes {
  const other = new Uint8Array(size);
  other.set(bytes.subarray(0, size));
  return other;
}

/** How much of what is not durable is there all the same. */
const SHARES = [0, 0.1, 0.5, 0.9, 1];

function collect(
  dir: Dir,
  path: string,
  random: Random,
  found: Map<string, Uint8Array>,
): void {
  const names = new Map(dir.durable);
  const kept = survivors(dir.pending, random);
  for (const renaming of kept) renameIn(names, renaming);
  for (const [name, node] of names) {
    if (node.kind === "dir") collect(node, `${path}/${name}`, random, found);
    else found.set(`${path}/${name}`, leftOf(node, random));
  }
}

/** In order up to some point, as a journal keeps them, or any of them. */
function survivors<T>(pending: T[], random: Random): T[] {
  if (random.chance(0.5)) {
    return pending.slice(0, random.below(pending.length + 1));
  }
  const share = random.pick(SHARES);
  return pending.filter(() => random.chance(share));
}

function leftOf(file: File, random: Random): Bytes {
  if (file.pending.length === 0) return file.bytes;
  const torn = random.chance(0.5);
  const share = random.pick(SHARES);
  const kept = torn
    ? file.pending.flatMap((piece) => sectors(piece))
      .filter(() => random.chance(share))
    : survivors(file.pending, random);
  const bytes = written(file.bytes, kept);
  const size = random.chance(0.8) ? bytes.length : random.chance(0.5)
    // The data came, the new size did not.
    ? Math.min(bytes.length, file.bytes.length)
    // The new size came, the data did not.
    : Math.max(bytes.length, written(file.bytes, file.pending).length);
  return size === bytes.length ? bytes : resized(bytes, size);
}

function sectors(piece: Pending): Pending[] {
  if ("size" in piece) return [piece];
  const found: Pending[] = [];
  const { at, bytes, doomed } = piece;
  for (let from = 0; from < bytes.length;) {
    const end = Math.min(
      bytes.length,
      from + SECTOR - (at + from) % SECTOR,
    );
    found.push({ at: at + from, bytes: bytes.subarray(from, end), doomed });
    from = end;
  }
  return found;
}
