/**
 * Answers of real providers, each in its own dialect, and how to play them.
 * `tests/fixtures/upstream/README.md` says what the files are.
 *
 * @module
 */
import type { Script, Step } from "../helpers/scripted_upstream.ts";

const FOLDER = new URL("../fixtures/upstream/", import.meta.url);

/** One answer as a provider gives it. */
export interface Recorded {
  /** Status line and headers, as they travel. */
  head: string;
  /** The body's text; chunk framing is left to the player. */
  body: string;
  /** The body in the pieces a provider flushes: one event or comment each. */
  events: string[];
  status: number;
  streams: boolean;
}

/** The answer in `<provider>/<name>.http`. */
export function recorded(provider: string, name: string): Recorded {
  const text = Deno.readTextFileSync(
    new URL(`${provider}/${name}.http`, FOLDER),
  );
  const end = text.indexOf("\n\n");
  const head = `${text.slice(0, end).replaceAll("\n", "\r\n")}\r\n\r\n`;
  const body = text.slice(end + 2);
  const streams = /^transfer-encoding: chunked/mi.test(head);
  return {
    head,
    body,
    events: body.split(/(?<=\n\n)/),
    status: Number(head.split(" ")[1]),
    streams,
  };
}

/** Every answer there is, as `<provider>/<name>`. */
export function everyRecorded(): string[] {
  const names: string[] = [];
  for (const { name: provider, isDirectory } of Deno.readDirSync(FOLDER)) {
    if (!isDirectory) continue;
    for (const { name } of Deno.readDirSync(new URL(`${provider}/`, FOLDER))) {
      names.push(`${provider}/${name.replace(/\.http$/, "")}`);
    }
  }
  return names.sort();
}

/** Plays an answer; its body in these steps, else one write per event. */
export function play(answer: Recorded, steps?: Step[]): Script {
  return {
    head: answer.head,
    framing: answer.streams ? "chunked" : "length",
    steps: steps ?? (answer.streams ? answer.events : [answer.body]),
  };
}

const encoder = new TextEncoder();

/**
 * The body cut where a careless reader stumbles: inside every character of more
 * than one byte, between the two line ends of a blank line, before and after
 * every colon of a field, and behind every backslash.
 */
export function awkward(body: string): Uint8Array[] {
  const bytes = encoder.encode(body);
  const LF = 10, COLON = 58, BACKSLASH = 92;
  const pieces: Uint8Array[] = [];
  let from = 0;
  let lineStart = 0;
  for (let at = 1; at < bytes.length; at++) {
    const before = bytes[at - 1]!, here = bytes[at]!;
    if (before === LF) lineStart = at;
    const insideCharacter = (here & 0xc0) === 0x80;
    const inField = at - lineStart < 7 && (before === COLON || here === COLON);
    const inBlankLine = before === LF && here === LF;
    if (insideCharacter || inField || inBlankLine || before === BACKSLASH) {
      pieces.push(bytes.slice(from, at));
      from = at;
    }
  }
  pieces.push(bytes.slice(from));
  return pieces;
}

/** A `fetch` whose answer is read exactly byte by byte, without a socket. */
export function byteByByteFetch(answer: Recorded, lineEnd: string) {
  const [first = "", ...lines] = answer.head.trim().split("\r\n");
  const headers = lines
    .map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    })
    .filter(([name]) => name.toLowerCase() !== "transfer-encoding");
  const status = Number(first.split(" ")[1]);
  return () => {
    const bytes = encoder.encode(answer.body.replaceAll("\n", lineEnd));
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at < bytes.length) controller.enqueue(bytes.slice(at, ++at));
        else controller.close();
      },
    }, { highWaterMark: 0 });
    return Promise.resolve(new Response(body, { status, headers }));
  };
}
