/**
 * The history checker finds each broken promise in a history made by hand, and
 * none in a good one. Without this, "0 violations" would say nothing.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { emptyAnswer } from "../../lib/chat/answer.ts";
import type { RunEvent } from "../../lib/chat/events.ts";
import { fold } from "../../lib/chat/fold.ts";
import { frameId } from "../../lib/chat/ids.ts";
import type { RunRow } from "../../lib/store/contract.ts";
import { check, type CheckOptions } from "./harness/checker.ts";
import type { Content } from "./harness/content.ts";
import { History, type Moment } from "./harness/history.ts";
import { question, wordText } from "./harness/script.ts";
import type { Call } from "./harness/upstream.ts";

const FIRST = "r_00000000000000000000000001";
const SECOND = "r_00000000000000000000000002";
const CHAT = "c_00000000000000000000000001";

/** A history and a store that a test spoils in one place. */
interface Scene extends CheckOptions {
  history: History;
  content: Content;
  calls: Call[];
  effects: Map<string, number>;
  rows: RunRow[];
  record: (moment: Moment) => void;
}

/** An answer of four words that broke off after two, and its continuation. */
function goodScene(): Scene {
  const text = question({ key: "a", words: 4 });
  const history = new History();
  const record = history.recorder(1);
  const content: Content = {
    chats: [{ id: CHAT, runs: [], queue: [] }],
    logs: new Map(),
    due: [],
  };
  const rows = content.chats[0]!.runs;
  rows.push(
    keep(content, FIRST, text, [
      ...begin(FIRST),
      ...says([[0, 1], [1, 1]]),
      { type: "text-end", id: "t", len: 10 },
      { type: "finish-step" },
      INTERRUPTED,
    ], [5]),
    keep(content, SECOND, text, [
      ...begin(SECOND, FIRST),
      { type: "text-delta", id: "t", off: 0, delta: spoken([[0, 1], [1, 1]]) },
      ...says([[2, 2], [3, 2]], 10),
      { type: "text-end", id: "t", len: 20 },
      { type: "finish-step", finishReason: "stop" },
      FINISH,
    ]),
  );
  record({ kind: "sent", key: "a", text, chat: null });
  record({ kind: "acked", key: "a", run: FIRST, chat: CHAT });
  show({ content, record }, 1, FIRST);
  record({ kind: "continued", key: "b", run: SECOND, chat: CHAT, of: FIRST });
  show({ content, record }, 2, SECOND);
  const call = (number: number, instance: string) =>
    ({ number, instance }) as Call;
  const calls = [call(1, "A"), call(2, "B")];
  return { history, content, calls, effects: new Map(), rows, record };
}

const INTERRUPTED: RunEvent = {
  type: "error",
  code: "run_interrupted",
  errorText: "interrupted",
  retryable: true,
};
const FINISH: RunEvent = {
  type: "finish",
  finishReason: "stop",
  messageMetadata: {
    usage: { input: 0, output: 0, total: 0 },
    steps: 1,
    ms: 1,
  },
};

function begin(run: string, continues?: string): RunEvent[] {
  return [
    {
      type: "start",
      messageId: run,
      messageMetadata: {
        chat_id: CHAT,
        model: "m",
        created_at: "2026-01-01T00:00:00Z",
        continues,
      },
    },
    { type: "start-step" },
    { type: "text-start", id: "t" },
  ];
}

/** Words as [index, call]. */
function spoken(words: [number, number][]): string {
  return words.map(([index, call]) => wordText({ index, call })).join("");
}

function says(words: [number, number][], off = 0): RunEvent[] {
  return words.map((word, n) => ({
    type: "text-delta",
    id: "t",
    off: off + n * spoken([word]).length,
    delta: spoken([word]),
  }));
}

/** Puts a run and its log into the content; after `takenAt` the epoch is 2. */
function keep(
  { logs }: Content,
  id: string,
  text: string,
  events: RunEvent[],
  [takenAt]: number[] = [],
): RunRow {
  const log = events.map((event, at) => ({
    epoch: takenAt !== undefined && at >= takenAt ? 2 : 1,
    seq: at + 1,
    json: JSON.stringify(event),
  }));
  logs.set(id, log);
  const row = {
    id,
    chat: CHAT,
    owner: "local",
    parent: null,
    text,
    options: "{}",
    status: "running",
    epoch: log.at(-1)!.epoch,
    leaseOwner: null,
    leaseUntil: 0,
    stopRequested: false,
    lastSeq: log.length,
    message: null,
    createdAt: 0,
    endedAt: null,
  } as RunRow;
  seal(row, log);
  return row;
}

function seal(
  row: RunRow,
  log: { epoch: number; seq: number; json: string }[],
) {
  const answer = emptyAnswer(row.id);
  for (const entry of log) {
    fold(answer, { ...entry, event: JSON.parse(entry.json) });
  }
  row.status = answer.status;
  row.message = JSON.stringify(answer);
  row.lastSeq = log.length;
}

/** A reading of the whole log. */
function show(
  { content, record }: Pick<Scene, "content" | "record">,
  reading: number,
  run: string,
): void {
  record({ kind: "opened", reading, run, after: null });
  for (const entry of content.logs.get(run)!) {
    const id = frameId(run, entry);
    record({ kind: "shown", reading, run, id, json: entry.json });
  }
  record({ kind: "ended", reading, run });
}

/** Changes an event of a log, as it was shown too. */
function rewrite(
  { content, history, rows }: Scene,
  run: string,
  seq: number,
  change: (event: RunEvent) => RunEvent,
): void {
  const log = content.logs.get(run)!;
  const entry = log[seq - 1]!;
  entry.json = JSON.stringify(change(JSON.parse(entry.json)));
  for (const shown of history.of("shown")) {
    if (shown.id === frameId(run, entry)) shown.json = entry.json;
  }
  seal(rows.find(({ id }) => id === run)!, log);
}

function shown(scene: Scene, run: string, seq: number) {
  return scene.history.of("shown").find(({ id }) =>
    id.startsWith(run) && id.endsWith(`-${seq}`)
  )!;
}

function drop(scene: Scene, record: { at: number }): void {
  const at = scene.history.records.findIndex((each) => each === record);
  scene.history.records.splice(at, 1);
}

Deno.test("check() finds nothing in a history where every promise was kept", () => {
  assertEquals(check(goodScene()), []);
});

Deno.test("check() takes merged neighbours for what they are (protocol 2.4)", () => {
  const scene = goodScene();
  drop(scene, shown(scene, FIRST, 4));
  shown(scene, FIRST, 5).json = JSON.stringify({
    type: "text-delta",
    id: "t",
    off: 0,
    delta: spoken([[0, 1], [1, 1]]),
  });
  assertEquals(check(scene), []);
});

/** What is done to a good history, and the promise that is broken then. */
const SPOILED: [promise: string, how: string, spoil: (it: Scene) => void][] = [
  ["N1", "an acknowledged message is not there", (it) => {
    it.record({ kind: "sent", key: "x", text: "x", chat: CHAT });
    const run = "r_00000000000000000000000009";
    it.record({ kind: "acked", key: "x", run, chat: CHAT });
  }],
  ["N1", "an acknowledged message has other words", (it) => {
    it.history.of("sent")[0]!.text += " ";
    it.rows.push({ ...it.rows[0]!, id: "r_x", text: it.rows[0]!.text + " " });
    it.content.logs.set("r_x", it.content.logs.get(FIRST)!);
  }],
  ["N1", "a message that was to wait is gone", (it) => {
    it.record({ kind: "sent", key: "x", text: "x", chat: CHAT });
    it.record({ kind: "queued", key: "x", chat: CHAT, id: "m" });
  }],
  ["N1", "an acknowledged Continue is not there", (it) => {
    const run = "r_00000000000000000000000009";
    it.record({ kind: "continued", key: "c", run, chat: CHAT, of: FIRST });
  }],
  ["N1", "nobody sends a message whose turn it is", (it) => {
    it.content.due.push({ id: "m", chat: CHAT } as never);
  }],
  ["N2", "a shown frame is not in the log", (it) => {
    const reading = 2;
    const id = frameId(SECOND, { epoch: 1, seq: 99 });
    it.record({ kind: "shown", reading, run: SECOND, id, json: "{}" });
  }],
  ["N2", "the log has other bytes than were shown", (it) => {
    shown(it, FIRST, 4).json += " ";
  }],
  ["N2", "an entry was shown under an epoch that lost", (it) => {
    const frame = shown(it, FIRST, 4);
    frame.id = frameId(FIRST, { epoch: 2, seq: 4 });
  }],
  ["N3", "an old owner writes after a new one", (it) => {
    it.content.logs.get(FIRST)![4]!.epoch = 2;
    it.content.logs.get(FIRST)![5]!.epoch = 1;
  }],
  ["N3", "two instances write in one epoch", (it) => {
    rewrite(it, SECOND, 5, (event) => ({
      ...event,
      delta: wordText({ index: 2, call: 1 }),
    } as RunEvent));
  }],
  ["N3", "one call writes in two epochs", (it) => {
    const log = it.content.logs.get(FIRST)!;
    log[4]!.epoch = 2;
    shown(it, FIRST, 5).id = frameId(FIRST, log[4]!);
    seal(it.rows[0]!, log);
  }],
  ["N3", "there is an entry after the end", (it) => {
    const log = it.content.logs.get(FIRST)!;
    log.push({ epoch: 2, seq: 9, json: JSON.stringify(INTERRUPTED) });
    it.rows[0]!.lastSeq = 9;
  }],
  ["N3", "the answer is not what the log tells", (it) => {
    it.rows[1]!.message = it.rows[0]!.message;
  }],
  ["N3", "the log has a hole", (it) => {
    it.content.logs.get(FIRST)!.splice(3, 1);
  }],
  ["N4", "a run is over without an end", (it) => {
    it.content.logs.get(FIRST)!.pop();
    it.rows[0]!.lastSeq = 7;
  }],
  ["N4", "a run is running for ever", (it) => {
    it.rows[0]!.status = "running";
    it.rows[0]!.leaseOwner = "gone";
    it.content.logs.get(FIRST)!.pop();
    it.rows[0]!.lastSeq = 7;
  }],
  ["N4", "a run is sealed as something else", (it) => {
    it.rows[0]!.status = "complete";
  }],
  ["N5", "the continuation takes back what was shown", (it) => {
    rewrite(it, SECOND, 4, (event) => ({
      ...event,
      delta: spoken([[0, 2], [1, 2]]),
    } as RunEvent));
  }],
  ["N5", "the continuation repeats a word", (it) => {
    rewrite(it, SECOND, 5, (event) => ({
      ...event,
      delta: wordText({ index: 1, call: 2 }),
    } as RunEvent));
  }],
  ["N5", "a complete answer lacks its last word", (it) => {
    const text = question({ key: "a", words: 5 });
    for (const row of it.rows) row.text = text;
    it.history.of("sent")[0]!.text = text;
  }],
  ["N6", "a reading has a gap", (it) => {
    drop(it, shown(it, FIRST, 6));
  }],
  ["N6", "a reading has an entry twice", (it) => {
    const { reading, run, id, json } = shown(it, SECOND, 5);
    it.record({ kind: "shown", reading, run, id, json });
  }],
  ["N6", "merged neighbours have other bytes", (it) => {
    drop(it, shown(it, FIRST, 4));
  }],
  ["N6", "a reading ends without the end", (it) => {
    drop(it, shown(it, FIRST, 8));
  }],
  ["N6", "a reader is told to forget what it has", (it) => {
    it.record({ kind: "resync", reading: 2, run: SECOND });
  }],
  ["N8", "a tool with an effect ran twice", (it) => {
    it.effects.set("a", 2);
  }],
  ["N10", "one key was told two runs", (it) => {
    it.record({ kind: "acked", key: "a", run: SECOND, chat: CHAT });
  }],
  ["N10", "one key has two runs in the store", (it) => {
    it.rows.push({ ...it.rows[0]!, id: "r_x" });
    it.content.logs.set("r_x", it.content.logs.get(FIRST)!);
  }],
  ["N10", "a waiting message was sent and waits on", (it) => {
    const { text } = it.rows[0]!;
    it.record({ kind: "queued", key: "a", chat: CHAT, id: "m" });
    it.content.chats[0]!.queue.push({ id: "m", text } as never);
  }],
  ["N10", "a continuation nobody was told of", (it) => {
    drop(it, it.history.of("continued")[0]!);
  }],
  ["N12", "a later question stands before an earlier one", (it) => {
    const text = question({ key: "z", words: 4 });
    it.record({ kind: "sent", key: "z", text, chat: CHAT });
    const run = "r_00000000000000000000000003";
    it.record({ kind: "acked", key: "z", run, chat: CHAT });
    it.rows.unshift(
      keep(it.content, run, text, [...begin(run), INTERRUPTED]),
    );
  }],
];

for (const [promise, how, spoil] of SPOILED) {
  Deno.test(`check() finds ${promise} broken: ${how}`, () => {
    const scene = goodScene();
    spoil(scene);
    const found = check(scene);
    assert(
      found.some((violation) => violation.promise === promise),
      `found ${JSON.stringify(found)}`,
    );
  });
}
