/**
 * What a process does to its files, as strace sees it; and faults put into it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Change } from "./disk.ts";

/** Something the process did, in the order it did it. */
export type Event =
  | { kind: "change"; change: Change }
  /** A line on its standard output. */
  | { kind: "said"; line: string };

/** Which calls fail, and how: the `when`-th of their kind, and `more` after it. */
export interface Fault {
  calls: "pwrite64" | "fsync" | "ftruncate";
  error: "EIO" | "ENOSPC";
  when: number;
  more: number;
}

export interface Recording {
  events: Event[];
  /** How the process ended, and what it complained about. */
  code: number;
  complaint: string;
  /** Whether the fault came to pass. */
  struck: boolean;
}

const SEEN = [
  ...["openat", "mkdir", "mkdirat", "unlink", "unlinkat", "rmdir"],
  ...["rename", "renameat", "renameat2", "link", "linkat", "symlink"],
  ...["write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile"],
  ...["ftruncate", "truncate", "fallocate", "copy_file_range", "mmap"],
  ...["fsync", "fdatasync", "sync_file_range", "msync", "sync", "syncfs"],
];

/**
 * Runs a script of this directory under strace with `args`.
 *
 * @param root The directory whose files are the disk; nothing else is recorded.
 * @param fault Makes one call fail. Only SQLite's calls are counted: nothing
 * else in the process uses these.
 */
export async function record(
  script: string,
  args: string[],
  root: string,
  fault?: Fault,
): Promise<Recording> {
  const log = await Deno.makeTempFile({ prefix: "tickertape-strace-" });
  try {
    const { code, stderr } = await new Deno.Command("strace", {
      args: [
        ...["-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "20000000"],
        ...["-o", log, "-e", `trace=${SEEN.join()}`],
        ...fault ? ["-e", injected(fault)] : [],
        ...[Deno.execPath(), "run", "--no-config", "-A"],
        ...[new URL(script, import.meta.url).pathname, ...args],
      ],
      stdout: "piped",
      stderr: "piped",
    }).output();
    const text = await Deno.readTextFile(log);
    return {
      events: [...events(text, root)],
      code,
      complaint: new TextDecoder().decode(stderr),
      struck: text.includes("(INJECTED)"),
    };
  } finally {
    await Deno.remove(log);
  }
}

/** For an `-e` of strace's. */
export function injected({ calls, error, when, more }: Fault): string {
  return `inject=${calls}:error=${error}:when=${when}..${when + more}`;
}

/** Calls cut in two because another thread spoke in between are put together. */
function* calls(text: string): Generator<string> {
  const begun = new Map<string, string>();
  for (const line of text.split("\n")) {
    const pid = line.slice(0, line.indexOf(" "));
    const rest = line.slice(pid.length).trimStart();
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest);
    if (rest.endsWith("<unfinished ...>")) {
      begun.set(pid, rest.slice(0, -"<unfinished ...>".length));
    } else if (resumed) {
      yield begun.get(pid)! + rest.slice(resumed[0].length);
    } else if (/^\w+\(/.test(rest)) {
      yield rest;
    }
  }
}

/** The files there are, and where a `write` to each goes on. */
type Files = Map<string, number>;

function* events(text: string, root: string): Generator<Event> {
  const files: Files = new Map();
  for (const call of calls(text)) {
    const head = /^(\w+)\((\d+)?/.exec(call)!;
    const name = head[1]!;
    if (name === "write" && head[2] === "1") {
      for (const line of said(call).split("\n")) {
        if (line !== "") yield { kind: "said", line };
      }
      continue;
    }
    if (!concerns(call, root)) continue;
    const change = toChange(name, call, root, files);
    if (change === null) continue;
    if (change.do === "make") files.set(change.path, 0);
    if (change.do === "remove") files.delete(change.path);
    if (change.do === "link" || change.do === "rename") files.set(change.to, 0);
    if (change.do === "rename") files.delete(change.path);
    yield { kind: "change", change };
  }
}

function concerns(call: string, root: string): boolean {
  return call.includes(toHex(`${root}/`)) || call.includes(`${toHex(root)}>`);
}

function toHex(text: string): string {
  return [...new TextEncoder().encode(text)]
    .map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

const bytesOf = (hex: string): Uint8Array =>
  new Uint8Array(Buffer.from(hex.replaceAll("\\x", ""), "hex"));
const textOf = (hex: string) => new TextDecoder().decode(bytesOf(hex));

function said(call: string): string {
  return textOf(/"([^"]*)"/.exec(call)![1]!);
}

/**
 * What a call means for the disk; null for nothing. A call this reader does not
 * know is an error: an image without it would prove nothing.
 */
function toChange(
  name: string,
  call: string,
  root: string,
  files: Files,
): Change | null {
  const end = / = (-?\w+)[^=]*$/.exec(call);
  const failed = end === null || end[1]!.startsWith("-");
  const inDisk = (hex: string) => textOf(hex).slice(root.length) || "/";
  const strings = [...call.matchAll(/"((?:\\x\w\w)*)"/g)].map((m) => m[1]!);
  const fd = /[( ]\d+<([^>]*)>(\(deleted\))?/.exec(call);
  const path = fd ? inDisk(fd[1]!) : inDisk(strings[0] ?? "");
  // Memory that processes share; SQLite builds it anew after a crash.
  if (path.endsWith("-shm") || fd?.[2]) return null;
  const numbers = call.slice(0, end?.index).match(/\d+/g) ?? [];

  if (name === "fsync" || name === "fdatasync") {
    return { do: "sync", path, ...(failed && { failed }) };
  }
  if (failed) return null;
  switch (name) {
    case "openat": {
      const isNew = !files.has(path);
      if (!isNew) files.set(path, 0);
      if (isNew && call.includes("O_CREAT")) return { do: "make", path };
      return call.includes("O_TRUNC") ? { do: "size", path, size: 0 } : null;
    }
    case "mkdir":
    case "mkdirat":
      return { do: "make-dir", path };
    case "unlink":
    case "unlinkat":
      return { do: "remove", path };
    case "link":
    case "linkat":
      return { do: "link", path, to: inDisk(strings[1]!) };
    case "rename":
    case "renameat":
    case "renameat2":
      return { do: "rename", path, to: inDisk(strings[1]!) };
    case "ftruncate":
      return { do: "size", path, size: Number(numbers.at(-1)) };
    case "write":
    case "pwrite64": {
      const bytes = bytesOf(strings[0]!).subarray(0, Number(end![1]));
      const at = name === "write" ? files.get(path)! : Number(numbers.at(-1));
      if (name === "write") files.set(path, at + bytes.length);
      return { do: "write", path, at, bytes };
    }
    default:
      throw new Error(`Not expected: ${call.slice(0, 200)}`);
  }
}
