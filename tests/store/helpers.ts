/**
 * Small makers of what a store takes.
 *
 * @module
 */
import { newChatId, newRunId } from "../../lib/chat/ids.ts";
import type {
  Draft,
  NewRun,
  RunRow,
  Seal,
  Store,
} from "../../lib/store/mod.ts";

export const LEASE_MS = 10_000;

/** A clock that stands still until told to pass. */
export class Clock {
  #ms = 1_800_000_000_000;
  now = (): number => this.#ms;
  pass(ms: number): void {
    this.#ms += ms;
  }
}

/** A question of "ann" in a new chat, unless told otherwise. */
export function ask(input: Partial<NewRun> = {}): NewRun {
  const run = input.run ?? newRunId();
  const chat = input.chat ?? newChatId();
  return {
    run,
    chat,
    newChatTitle: "Title",
    owner: "ann",
    text: "Question?",
    options: "{}",
    newChatSettings: "{}",
    newChatHidden: false,
    keep: [],
    parent: null,
    idempotencyKey: null,
    leaseOwner: "node-1",
    leaseMs: LEASE_MS,
    begin: [{
      type: "start",
      messageId: run,
      messageMetadata: {
        chat_id: chat,
        model: "scripted",
        created_at: "2027-01-15T08:00:00.000Z",
      },
    }],
    queued: null,
    ...input,
  };
}

/** Creates the run and gives its row; fails for any other outcome. */
export async function created(store: Store, input: NewRun): Promise<RunRow> {
  const outcome = await store.create(input);
  if (outcome.kind !== "created") throw new Error(`create: ${outcome.kind}`);
  return outcome.run;
}

/** Creates a run and parks it; gives its row. */
export async function parked(
  store: Store,
  until: number,
  questions: string[] = [],
): Promise<RunRow> {
  const { id } = await created(store, ask());
  const outcome = await store.park(id, 1, until, questions);
  if (outcome !== "parked") throw new Error(`park: ${outcome}`);
  return (await store.run(id))!;
}

export function delta(seq: number, text = `word ${seq}`): Draft {
  const event = { type: "text-delta", id: "t", off: seq, delta: text };
  return { seq, json: JSON.stringify(event) };
}

export function seal(
  status: Seal["status"] = "complete",
  message = "{}",
): Seal {
  return { status, message };
}

/** Runs `body` with a fresh directory and removes that afterwards. */
export async function inTempDir(
  body: (dir: string) => Promise<void> | void,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "tickertape-store-" });
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A test with a directory of its own. */
export function testInDir(
  sentence: string,
  body: (dir: string) => Promise<void> | void,
): void {
  Deno.test(sentence, () => inTempDir(body));
}
