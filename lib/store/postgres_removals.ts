/**
 * Deleting in the Postgres engine. A chat is unlinked in one transaction: from
 * then on nobody finds it. Its long parts, logs and kept texts, are taken out
 * afterwards in many short ones; after a crash whoever opens the store next goes
 * on.
 *
 * The server itself lets go of what was deleted when it vacuums, which it does
 * by itself, and of its log (WAL) in time; neither can be asked for here.
 *
 * @module
 */
import type { Query } from "./postgres_link.ts";
import { lockChat } from "./postgres_queue.ts";
import type { Tx } from "./postgres_transaction.ts";

/** Entries taken out by one statement. */
const SLICE = 2000;

const IDLE = `
  NOT EXISTS (SELECT FROM tickertape.head
    WHERE head.chat = chat.key AND head.status = 'running')
  AND NOT EXISTS (SELECT FROM tickertape.queued WHERE queued.chat = chat.key)`;

const ITS_RUNS = "(SELECT key FROM tickertape.run WHERE chat = $1)";

const STEPS = [
  // Whoever appends or keeps has the head's lock, and finds no head then.
  "SELECT FROM tickertape.head WHERE chat = $1 ORDER BY run FOR UPDATE",
  `INSERT INTO tickertape.removed ${ITS_RUNS}`,
  "DELETE FROM tickertape.queued WHERE chat = $1",
  "DELETE FROM tickertape.idempotency WHERE chat = $1",
  `DELETE FROM tickertape.answer WHERE run IN ${ITS_RUNS}`,
  "DELETE FROM tickertape.head WHERE chat = $1",
  "DELETE FROM tickertape.run WHERE chat = $1",
  "DELETE FROM tickertape.chat WHERE key = $1",
];

export async function unlink(
  tx: Tx,
  owner: string,
  id: string,
): Promise<boolean> {
  const chat = await lockChat(tx, owner, id);
  if (chat === null) return false;
  await unlinkChat(tx, chat);
  return true;
}

/** Chats last asked before `before` that nobody waits in. */
export async function findOlder(
  tx: Tx,
  before: number,
  limit: number,
): Promise<number[]> {
  const rows = await tx.query(
    `SELECT key FROM tickertape.chat WHERE updated_at < $1 AND ${IDLE}
     ORDER BY updated_at, key LIMIT $2`,
    [before, Number.isFinite(limit) ? Math.max(0, limit) : null],
  );
  return rows.map(({ key }) => key as number);
}

/** False if somebody asked there meanwhile. */
export async function unlinkOlder(
  tx: Tx,
  chat: number,
  before: number,
): Promise<boolean> {
  const [, found] = await Promise.all([
    tx.query("SELECT FROM tickertape.chat WHERE key = $1 FOR UPDATE", [chat]),
    tx.query(
      `SELECT FROM tickertape.chat
       WHERE key = $1 AND updated_at < $2 AND ${IDLE}`,
      [chat, before],
    ),
  ]);
  if (found.length === 0) return false;
  await unlinkChat(tx, chat);
  return true;
}

async function unlinkChat(tx: Tx, chat: number): Promise<void> {
  const [active] = await tx.query(
    `SELECT run.id FROM tickertape.head JOIN tickertape.run ON run.key = head.run
     WHERE head.chat = $1 AND head.status = 'running'`,
    [chat],
  );
  await Promise.all(STEPS.map((step) => tx.query(step, [chat])));
  if (active !== undefined) tx.ring("log", active.id as string);
}

/** Takes out what is unlinked, in short transactions. */
export async function wipe(query: Query): Promise<void> {
  const runs = await query("SELECT run FROM tickertape.removed");
  for (const { run } of runs) {
    const key = run as number;
    let count: number;
    do {
      ({ count } = await query(
        `DELETE FROM tickertape.entry WHERE run = $1 AND seq <=
           (SELECT max(seq) FROM (SELECT seq FROM tickertape.entry
              WHERE run = $1 ORDER BY seq LIMIT ${SLICE}) AS first)`,
        [key],
      ));
    } while (count === SLICE);
    await query("DELETE FROM tickertape.kept WHERE run = $1", [key]);
    await query("DELETE FROM tickertape.removed WHERE run = $1", [key]);
  }
}
