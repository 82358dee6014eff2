/**
 * Everything a provider can do wrong with one question, drawn by a seed.
 *
 * @module
 */
import {
  choice,
  chunk,
  cut,
  done,
  event,
  finish,
  hang,
  pause,
  refuses,
  reply,
  reset,
  role,
  type Script,
  silent,
  sse,
  sseWith,
  type Step,
  toolCall,
  usage,
} from "../helpers/scripted_upstream.ts";

/** One question's provider. */
export interface Fault {
  /** For a message: what is done wrong, and where. */
  what: string;
  /** Answers the next request. */
  answer(): Script;
  /** All the provider would say. */
  whole: string;
  /** All it did say; null if that depends on the network. */
  shown: string | null;
  /** The answer is complete in spite of it. */
  recovers: boolean;
  /** What the tool is asked to say, each once. */
  calls: string[];
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const WORDS = [
  "The ",
  "next ",
  "bus ",
  "8:30 ",
  "火车站",
  "👩‍👩‍👧",
  "\n\n",
  "a\r\nb",
  "ha ",
  "ha ",
  "data: x",
  '{"',
  "é",
  "\u0000",
];

/** Where in an answer something happens: after so many of its chunks. */
interface Place {
  /** The answer's chunks: role, words, end. */
  chunks: string[];
  /** Words that are out before it. */
  words: string[];
  at: number;
}

/** What a kind of fault makes of one step. */
interface Outcome {
  /** Scripts of the step's requests, in order. */
  scripts: Script[];
  /** Words that come through; null if that depends on the network. */
  shown: string[] | null;
  recovers: boolean;
  /** Words the provider really said, where it said more than the plain ones. */
  said?: string[];
}

type Kind = (place: Place, draw: () => number) => Outcome;

/** A fault after which the step is over: what was out stays. */
const ending =
  (how: (place: Place) => Step[], exact = true): Kind => (place) => {
    const { chunks, words, at } = place;
    const script = sseWith(
      { framing: "close" },
      ...chunks.slice(0, at),
      ...how(place),
    );
    if (words.length > 0) {
      return {
        scripts: [script],
        shown: exact ? words : null,
        recovers: false,
      };
    }
    // Nothing was shown, so it is asked again, and again.
    return { scripts: [script, script, script], shown: [], recovers: false };
  };

/** Refused so many times; the third refusal is the last. */
const refusing = (status: number): Kind => ({ chunks }, draw) => {
  const times = 1 + Math.floor(draw() * 3);
  const refusal = refuses(status, {}, { "retry-after-ms": "2" });
  const scripts = Array.from({ length: times }, () => refusal);
  return times < 3
    ? { scripts: [...scripts, sse(...chunks)], shown: null, recovers: true }
    : { scripts, shown: [], recovers: false };
};

/** Never asked again, whatever was shown before. */
const final = (how: (place: Place) => Step[]): Kind => (place) => {
  const { chunks, words, at } = place;
  return {
    scripts: [sse(...chunks.slice(0, at), ...how(place))],
    shown: words,
    recovers: false,
  };
};

/** The answer is whole; something in it comes twice or too late. */
const harmless = (how: (chunks: string[]) => Step[]): Kind => ({ chunks }) => ({
  scripts: [sse(...how(chunks))],
  shown: null,
  recovers: true,
});

const FAULTS: Record<string, Kind> = {
  "429": refusing(429),
  "500": refusing(500),
  "502": refusing(502),
  "503": refusing(503),
  "529": refusing(529),
  "400": () => ({ scripts: [refuses(400)], shown: [], recovers: false }),
  "a login page": () => ({
    scripts: [reply(200, "<html>", { "content-type": "text/html" })],
    shown: [],
    recovers: false,
  }),
  "an empty body": () => ({ scripts: [sse()], shown: [], recovers: false }),
  "a reset before the headers": ({ chunks }) => ({
    scripts: [silent(reset()), sse(...chunks)],
    shown: null,
    recovers: true,
  }),
  "silence before the headers": () => ({
    scripts: [silent(hang())],
    shown: [],
    recovers: false,
  }),
  "a cut": ending(() => [cut()]),
  "a cut inside a chunk": ending(({ chunks, at }) => [
    chunks[at]!.slice(0, 40),
    cut(),
  ]),
  "a cut inside a character": ending(() => [
    // Behind it come 7 bytes; of its own 4 half are sent.
    new TextEncoder().encode(chunk({ content: "👍" })).slice(0, -9),
    cut(),
  ]),
  "a reset": ending(() => [reset()], false),
  "an unfinished chunk, then a reset": ending(({ chunks, at }) => [
    chunks[at]!.slice(0, 30),
    reset(),
  ], false),
  "a stall": final(() => [hang()]),
  // For a minute, if anybody listens that long.
  "a stall with comments": final(() =>
    Array.from({ length: 3_000 }, () => [": busy\n\n", pause(20)]).flat()
  ),
  "broken JSON": final(() => ["data: {oops\n\n", chunk({ content: "never" })]),
  "an error object": final(() => [event({ error: { code: "bad_voice" } })]),
  "a cut inside a call": final(() => [
    toolCall({ index: 0, id: "c", name: "echo", arguments: '{"say":"never' }),
  ]),
  "an error event": final(() => [`event: error\n${event({ code: "bad" })}`]),
  "a word twice": ({ chunks, words, at }) => {
    const all = chunks.slice(1, -3).map(wordOf);
    return {
      scripts: [sse(...chunks.slice(0, at), ...chunks.slice(at - 1))],
      shown: null,
      recovers: true,
      // What is said twice was said twice: nobody can know better.
      said: at === 1 ? all : [...words, words.at(-1)!, ...all.slice(at - 1)],
    };
  },
  "the role twice": harmless(([first, ...rest]) => [first!, first!, ...rest]),
  "the end twice": harmless((chunks) => [...chunks, ...chunks.slice(-3)]),
  "words after the end": harmless((chunks) => [
    ...chunks.slice(0, -2),
    chunk({ content: "late" }),
    ...chunks.slice(-2),
    chunk({ content: "later" }),
  ]),
  "other choices": harmless((chunks) =>
    chunks.flatMap((piece) => [
      choice({ index: 1, delta: { content: "not me" } }),
      piece,
    ])
  ),
};

const NAMES = Object.keys(FAULTS);
export const KINDS = NAMES.length;

const wordOf = (piece: string): string =>
  JSON.parse(piece.slice("data: ".length)).choices[0].delta.content;

/** A fault of every kind in turn, at every place in turn; the rest is drawn. */
export function fault(seed: number, n: number): Fault {
  const draw = random(seed + n * 7919);
  const upTo = (limit: number) => Math.floor(draw() * limit);
  const what = NAMES[n % NAMES.length]!;

  const words = Array.from(
    { length: 3 + upTo(8) },
    () => WORDS[upTo(WORDS.length)]!,
  );
  const chunks = [
    role(),
    ...words.map((content) => chunk({ content })),
    finish("stop"),
    usage(9, words.length),
    done(),
  ];
  // Every place in turn: after the role at the earliest, after the last word at
  // the latest.
  const at = 1 + Math.floor(n / NAMES.length) % (words.length + 1);
  const outcome = FAULTS[what]!(
    { chunks, words: words.slice(0, at - 1), at },
    draw,
  );
  const said = (outcome.said ?? words).join("");

  // Every third question calls a tool first, in the middle of its text.
  const calling = n % 3 === 0;
  const say = `${seed}-${n}`;
  const before = "Let me look. ";
  const call = toolCall({
    index: 0,
    id: "call_1",
    name: "echo",
    arguments: JSON.stringify({ say }),
  });
  // Said twice, and the reason does not matter: it runs once.
  const asking = sse(
    role(),
    chunk({ content: before }),
    call,
    ...(upTo(2) === 0 ? [call] : []),
    finish(upTo(2) === 0 ? "stop" : "tool_calls"),
    done(),
  );
  const scripts = [...(calling ? [asking] : []), ...outcome.scripts];
  const whole = `${calling ? before : ""}${said}`;
  let asked = 0;
  return {
    what: `${what} after ${at} of ${chunks.length} chunks${
      calling ? ", behind a tool call" : ""
    }`,
    answer: () => scripts[asked++] ?? refuses(400, { code: "asked_too_often" }),
    whole,
    shown: outcome.shown === null
      ? null
      : `${calling ? before : ""}${outcome.shown.join("")}`,
    recovers: outcome.recovers,
    calls: calling ? [say] : [],
  };
}
