/**
 * The steps of a plan, done to a store, and everything a store then shows.
 *
 * @module
 */
import type { RunEvent } from "../../../lib/chat/events.ts";
import { type Store, StoreError } from "../../../lib/store/mod.ts";
import type { Step } from "./plan.ts";

/** Times are no part of what is compared: they stand still. */
export const now = (): number => 1_800_000_000_000;

const OWNER = "ann";
const SHELF = "shelf";

/** What stands in every text of a run, or message, and in no other. */
export const wordsOf = (id: string): string => ` of ${id}: `;

/** As long as wished. */
const textOf = (what: string, id: string, length: number) =>
  `${what}${wordsOf(id)}`.repeat(Math.ceil(length / (what.length + 12)));

/**
 * Does a step.
 *
 * @throws {Error} if it ends as it should not, for whatever reason but a
 * {@linkcode StoreError}, which is thrown as it is.
 */
export async function perform(store: Store, step: Step): Promise<void> {
  const outcome = await outcomeOf(store, step);
  const [wanted, again] = EXPECTED[step.do];
  if (outcome !== wanted && outcome !== again) {
    throw new Error(`${JSON.stringify(step)}: ${outcome}`);
  }
}

/** How a step ends, and how if it is asked for again after an answer got lost. */
const EXPECTED: Record<Step["do"], [string, string?]> = {
  "ask": ["created", "existing"],
  "append": ["ok", "duplicate"],
  "enqueue": ["queued", "waiting"],
  "withdraw": ["true", "false"],
  "show": ["true"],
  "answer": ["recorded", "taken"],
  "keep": ["done"],
  "stop": ["true"],
  "choose": ["true"],
  "note": ["done"],
  "drop-note": ["true", "false"],
  "remove": ["true", "false"],
};

async function outcomeOf(store: Store, step: Step): Promise<string> {
  switch (step.do) {
    case "ask":
      return (await store.create(newRun(step))).kind;
    case "append": {
      const { run, from, count, length, seal } = step;
      const drafts = Array.from({ length: count }, (_, index) => ({
        seq: from + index,
        json: entry(run, from + index, length),
      }));
      const message = JSON.stringify(textOf("answer", run, length));
      const ends = seal === null ? undefined : { status: seal, message };
      return await store.append(run, 1, drafts, ends);
    }
    case "enqueue": {
      const { chat, id, key } = step;
      const outcome = await store.enqueue({
        id,
        chat,
        owner: OWNER,
        text: textOf("text", id, 60),
        options: "{}",
        keep: [],
        idempotencyKey: key,
      });
      return outcome.kind;
    }
    case "withdraw":
      return `${await store.withdraw(OWNER, step.chat, step.id) !== null}`;
    case "show":
      return `${await store.setLeaf(OWNER, step.chat, step.run)}`;
    case "answer":
      return await store.answer(step.run, "question", '"yes"');
    case "keep":
      await store.keep(step.run, "late", textOf("kept", step.run, 9_000));
      return "done";
    case "stop":
      return `${await store.requestStop(step.run) !== null}`;
    case "choose":
      return `${await store.setChat(OWNER, step.chat, `{"n":${step.n}}`)}`;
    case "note":
      await store.putNote(SHELF, step.key, `${step.n}`);
      return "done";
    case "drop-note":
      return `${await store.dropNote(SHELF, step.key)}`;
    case "remove":
      return `${await store.remove(OWNER, step.chat)}`;
  }
}

function entry(run: string, seq: number, length: number): string {
  const delta = textOf(`word ${seq}`, run, length);
  return JSON.stringify({ type: "text-delta", id: "t", off: seq, delta });
}

function newRun(step: Step & { do: "ask" }) {
  const { run, chat, parent, key, queued, begin, keep } = step;
  const events = Array.from(
    { length: begin },
    (_, index) => JSON.parse(entry(run, index + 1, 30)) as RunEvent,
  );
  return {
    run,
    chat,
    newChatTitle: `Title of ${chat}`,
    owner: OWNER,
    text: textOf("text", run, 100),
    options: "{}",
    newChatSettings: "{}",
    newChatHidden: false,
    keep: keep ? [{ name: "image", text: textOf("image", run, 9_000) }] : [],
    parent,
    idempotencyKey: key,
    leaseOwner: "node-1",
    leaseMs: 10_000,
    begin: events,
    queued,
  };
}

/** Everything the store shows, as text: equal texts, equal stores. */
export async function shown(store: Store): Promise<string> {
  const lines: unknown[] = [];
  for (const chat of await store.chats(OWNER, 1e6, "all")) {
    lines.push(chat, await store.queue(OWNER, chat.id));
    for (const run of await store.runs(chat.id)) {
      lines.push(run, await store.answers(run.id));
      for (const { epoch, seq, json } of await store.read(run.id, 0, 1e6)) {
        lines.push(`${epoch} ${seq} ${json}`);
      }
      for (const name of ["image", "late"]) {
        lines.push(await store.kept(run.id, name));
      }
    }
  }
  lines.push(await store.notes(SHELF), await store.due(1e6));
  return lines.map((line) =>
    typeof line === "string" ? line : JSON.stringify(sorted(line))
  ).join("\n");
}

/** Engines may put the fields of a row in any order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1),
  );
}

/** The kind of a store's trouble; null for any other error. */
export function troubleOf(error: unknown): StoreError["kind"] | null {
  return error instanceof StoreError ? error.kind : null;
}
