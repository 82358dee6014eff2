/**
 * The people: many readers at once, each of whom checks what it was given.
 *
 * @module
 */
import { exchange } from "./http.ts";
import { question, type Script } from "./script.ts";
import { nowMicros, TokenReader } from "./tokens.ts";

/** A server as its clients see it. */
export interface Door {
  url: URL;
  /** The request's body for a question. */
  ask(text: string): unknown;
  /** The text in one event of the stream, "" for none. */
  textOf(event: Json): string;
}

// deno-lint-ignore no-explicit-any -- events of two formats, read by path
type Json = any;

/** The provider's own format, as the raw proxy passes it on. */
export function rawDoor(server: URL): Door {
  return {
    url: new URL("/v1/chat/completions", server),
    ask: (text) => ({
      model: "bench",
      stream: true,
      messages: [{ role: "user", content: text }],
    }),
    textOf: (event) => event.choices[0]?.delta.content ?? "",
  };
}

/** `POST /api/runs`, answered with the events of the run. */
export function ourDoor(server: URL): Door {
  return {
    url: new URL("/api/runs", server),
    ask: (text) => ({ text, idempotency_key: crypto.randomUUID() }),
    textOf: ourText,
  };
}

export const ourText = (event: Json): string =>
  event.type === "text-delta" ? event.delta : "";

/** What a crowd of readers saw. */
export interface Crowd {
  /** Tokens that arrived. */
  tokens: number;
  /** Frames that arrived: text, tool, ends, everything with data. */
  frames: number;
  /** Streams in which a token was lost, repeated or out of order, or the hash wrong. */
  broken: number;
  /** Why, for the first of them. */
  reason: string | null;
  /** How long each token travelled, ms, ascending. */
  delays: number[];
  /** From asking to the first token of each stream, ms, ascending. */
  first: number[];
  /** Wall time, s. */
  seconds: number;
  /** Hashes of the texts read; one if all read the same. */
  texts: Set<string>;
}

/**
 * Asks `streams` times, spread over `rampMs`, and reads every answer to its end.
 */
export function ask(
  door: Door,
  options: { streams: number; script: Partial<Script>; rampMs: number },
): Promise<Crowd> {
  const { streams, script, rampMs } = options;
  return gather(streams, rampMs, script.tokens ?? 0, (onText) =>
    exchange({
      method: "POST",
      url: door.url,
      accept: "text/event-stream",
      body: door.ask(question(script)),
    }, onText), door.textOf);
}

/** Opens `streams` readers on one URL of ours. */
export function read(
  url: URL,
  options: { streams: number; tokens: number; rampMs: number },
): Promise<Crowd> {
  return gather(
    options.streams,
    options.rampMs,
    options.tokens,
    (onText) =>
      exchange({ method: "GET", url, accept: "text/event-stream" }, onText),
    ourText,
  );
}

async function gather(
  streams: number,
  rampMs: number,
  tokens: number,
  open: (onText: (text: string) => void) => Promise<number>,
  textOf: (event: Json) => string,
): Promise<Crowd> {
  const began = performance.now();
  const crowd: Crowd = {
    tokens: 0,
    frames: 0,
    broken: 0,
    reason: null,
    delays: [],
    first: [],
    seconds: 0,
    texts: new Set(),
  };
  await Promise.all(
    Array.from({ length: streams }, async (_, i) => {
      await new Promise((go) => setTimeout(go, i * rampMs / streams));
      const reason = await one(crowd, tokens, open, textOf);
      if (reason === null) return;
      crowd.broken++;
      crowd.reason ??= reason;
    }),
  );
  crowd.seconds = (performance.now() - began) / 1000;
  const ascending = (a: number, b: number) => a - b;
  crowd.delays.sort(ascending);
  crowd.first.sort(ascending);
  return crowd;
}

/** Reads one stream; answers what is wrong with it, or null. */
async function one(
  crowd: Crowd,
  tokens: number,
  open: (onText: (text: string) => void) => Promise<number>,
  textOf: (event: Json) => string,
): Promise<string | null> {
  const asked = performance.now();
  const reader = new TokenReader((micros) => {
    crowd.delays.push(micros / 1000);
  });
  let rest = "";
  try {
    const status = await open((text) => {
      const now = nowMicros();
      const first = reader.count === 0;
      rest = events(rest + text, (event) => {
        crowd.frames++;
        reader.push(textOf(event), now);
      });
      if (first && reader.count > 0) {
        crowd.first.push(performance.now() - asked);
      }
    });
    if (status !== 200) return `status ${status}`;
  } catch (error) {
    return String(error);
  }
  crowd.tokens += reader.count;
  crowd.texts.add(String(reader.hash));
  if (reader.count !== tokens) return `${reader.count} of ${tokens} tokens`;
  if (!reader.inOrder) return "tokens out of order";
  return reader.sealed ? null : "the text's hash is wrong";
}

/** Hands over every complete event's data; returns what is not complete yet. */
function events(text: string, onEvent: (event: Json) => void): string {
  let at = 0;
  for (let end; (end = text.indexOf("\n\n", at)) !== -1; at = end + 2) {
    const data = text.indexOf("data: {", at);
    if (data !== -1 && data < end) {
      onEvent(JSON.parse(text.slice(data + 6, end)));
    }
  }
  return text.slice(at);
}
