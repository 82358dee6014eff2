/**
 * Messages that wait in the Postgres engine, and what idempotency keys stand
 * for. Each write locks the chat first; the next statement then sees what
 * whoever had the lock before has done.
 *
 * @module
 */
import {
  type EnqueueOutcome,
  type NewMessage,
  QUEUE_LIMIT,
  type QueuedRow,
} from "./contract.ts";
import { array } from "./postgres_bulk.ts";
import {
  findMessage,
  findRun,
  messageOfKey,
  queueOf,
} from "./postgres_reads.ts";
import type { Rows } from "./postgres_link.ts";
import type { Tx } from "./postgres_transaction.ts";
import { isOrderOf, type Judged, KEY_LIFE_MS } from "./rules.ts";

/**
 * Locks the chat until the end of the transaction, so that of two who ask,
 * queue or delete there the second sees what the first did.
 *
 * @returns its key if it is this owner's.
 */
export async function lockChat(
  tx: Tx,
  owner: string,
  id: string,
): Promise<number | null> {
  const [row] = await tx.query(
    `SELECT key FROM tickertape.chat WHERE id = $1 AND owner = $2
     FOR NO KEY UPDATE`,
    [id, owner],
  );
  return row === undefined ? null : row.key as number;
}

/**
 * Makes whoever else comes with one of these names wait until the end of the
 * transaction, also for what is not there yet.
 */
export function lockNames(tx: Tx, names: string[]): Promise<Rows> {
  return tx.query(
    `SELECT pg_advisory_xact_lock(place) FROM (
       SELECT hashtextextended(name, 0) AS place
       FROM unnest($1::text[]) AS name ORDER BY 1) AS places`,
    [array(names)],
  );
}

/** What {@linkcode lockNames} calls an idempotency key. */
export function keyName(owner: string, key: string): string {
  return JSON.stringify(["key", owner, key]);
}

/** What the key stands for (N10); null if it is free. */
export async function judgeKey(
  tx: Tx,
  owner: string,
  key: string,
): Promise<Judged | null> {
  const [message, [seen]] = await Promise.all([
    messageOfKey(tx.query, owner, key),
    tx.query(
      `SELECT run.id FROM tickertape.idempotency
         LEFT JOIN tickertape.run ON run.key = idempotency.run
       WHERE idempotency.owner = $1 AND idempotency.key = $2
         AND idempotency.created_at > $3`,
      [owner, key, tx.now - KEY_LIFE_MS],
    ),
  ]);
  if (message !== null) return { kind: "waiting", message };
  if (seen === undefined) return null;
  const run = seen.id === null
    ? null
    : await findRun(tx.query, seen.id as string);
  return run === null ? { kind: "withdrawn" } : { kind: "existing", run };
}

/** Forgets idempotency keys older than 24 h. */
export async function dropKeys(tx: Tx): Promise<void> {
  await tx.query("DELETE FROM tickertape.idempotency WHERE created_at <= $1", [
    tx.now - KEY_LIFE_MS,
  ]);
}

export async function enqueue(
  tx: Tx,
  input: NewMessage,
): Promise<EnqueueOutcome> {
  const { owner, idempotencyKey } = input;
  if (idempotencyKey !== null) {
    await lockNames(tx, [keyName(owner, idempotencyKey)]);
    const seen = await judgeKey(tx, owner, idempotencyKey);
    if (seen) return seen;
  }
  const chat = await lockChat(tx, owner, input.chat);
  if (chat === null) return { kind: "no-chat" };
  const [active, [places]] = await Promise.all([
    // Waits for a commit that is just ending it: that one is over then.
    tx.query(
      `SELECT FROM tickertape.head WHERE chat = $1 AND status = 'running'
       FOR SHARE`,
      [chat],
    ),
    tx.query(
      `SELECT count(*) AS many, coalesce(max(place), 0) AS last
       FROM tickertape.queued WHERE chat = $1`,
      [chat],
    ),
  ]);
  if (active.length === 0) return { kind: "idle" };
  if (places!.many as number >= QUEUE_LIMIT) return { kind: "full" };
  await tx.query(
    `INSERT INTO tickertape.queued
       (id, chat, owner, place, text, options, keep, idempotency_key, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      input.id,
      chat,
      owner,
      (places!.last as number) + 1,
      JSON.stringify(input.text),
      input.options,
      JSON.stringify(input.keep.map(({ name, text }) => ({ name, text }))),
      idempotencyKey,
      tx.now,
    ],
  );
  const message = await findMessage(tx.query, owner, input.chat, input.id);
  return { kind: "queued", message: message! };
}

export async function withdraw(
  tx: Tx,
  owner: string,
  chat: string,
  id: string,
): Promise<QueuedRow | null> {
  const key = await lockChat(tx, owner, chat);
  const message = await findMessage(tx.query, owner, chat, id);
  if (key === null || message === null) return null;
  await tx.query("DELETE FROM tickertape.queued WHERE id = $1", [id]);
  if (message.idempotencyKey !== null) {
    await setKey(tx, owner, message.idempotencyKey, key, null);
  }
  return message;
}

/** @param run Null: its message was taken back. */
export async function setKey(
  tx: Tx,
  owner: string,
  key: string,
  chat: number,
  run: number | null,
): Promise<void> {
  await tx.query(
    `INSERT INTO tickertape.idempotency (owner, key, chat, run, created_at)
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (owner, key) DO UPDATE
     SET chat = excluded.chat, run = excluded.run,
       created_at = excluded.created_at`,
    [owner, key, chat, run, tx.now],
  );
}

export async function reorder(
  tx: Tx,
  owner: string,
  chat: string,
  ids: string[],
): Promise<boolean> {
  if (await lockChat(tx, owner, chat) === null) return false;
  if (!isOrderOf(await queueOf(tx.query, owner, chat), ids)) return false;
  await tx.query(
    `UPDATE tickertape.queued SET place = wish.place
     FROM unnest($1::text[]) WITH ORDINALITY AS wish (id, place)
     WHERE queued.id = wish.id`,
    [array(ids)],
  );
  return true;
}

export async function hurry(
  tx: Tx,
  owner: string,
  chat: string,
  id: string,
): Promise<boolean> {
  const key = await lockChat(tx, owner, chat);
  const { count } = await tx.query(
    `UPDATE tickertape.queued SET now = true, place =
       (SELECT min(place) - 1 FROM tickertape.queued WHERE chat = $1)
     WHERE chat = $1 AND id = $2`,
    [key, id],
  );
  return count === 1;
}
