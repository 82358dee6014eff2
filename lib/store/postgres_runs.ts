/**
 * The writes of the Postgres engine to a run that is there, apart from its log.
 * Each locks the run's head first; the next statement then sees what whoever had
 * the lock before has done.
 *
 * @module
 */
import type { ParkOutcome, RunRow } from "./contract.ts";
import { array } from "./postgres_bulk.ts";
import { findRun, runsByKey } from "./postgres_reads.ts";
import type { Tx } from "./postgres_transaction.ts";
import { judgePark } from "./rules.ts";

const LOCK = `
  SELECT FROM tickertape.head JOIN tickertape.run ON run.key = head.run
  WHERE run.id = $1 FOR NO KEY UPDATE OF head`;

const ITS_HEAD = "head.run = (SELECT key FROM tickertape.run WHERE id = $1)";

// Whoever sweeps next takes a parked run, should nobody do so at once.
const CALLED = `lease_until = CASE WHEN lease_owner IS NULL
  THEN least(lease_until, $2) ELSE lease_until END`;

export async function takeExpired(
  tx: Tx,
  leaseOwner: string,
  leaseMs: number,
): Promise<RunRow[]> {
  // One that is locked is being written to, so somebody is there after all.
  const rows = await tx.query(
    `WITH expired AS MATERIALIZED (
       SELECT run FROM tickertape.head
       WHERE status = 'running' AND lease_until <= $1
       ORDER BY run FOR NO KEY UPDATE SKIP LOCKED
     )
     UPDATE tickertape.head
     SET epoch = epoch + 1, lease_owner = $2, lease_until = $1 + $3
     FROM expired WHERE head.run = expired.run RETURNING head.run`,
    [tx.now, leaseOwner, leaseMs],
  );
  if (rows.length === 0) return [];
  return await runsByKey(tx.query, array(rows.map(({ run }) => run as number)));
}

export async function take(
  tx: Tx,
  id: string,
  leaseOwner: string,
  leaseMs: number,
): Promise<RunRow | null> {
  const { count } = await tx.query(
    `UPDATE tickertape.head
     SET epoch = epoch + 1, lease_owner = $2, lease_until = $3
     WHERE ${ITS_HEAD} AND status = 'running' AND lease_owner IS NULL`,
    [id, leaseOwner, tx.now + leaseMs],
  );
  return count === 0 ? null : await findRun(tx.query, id);
}

export async function park(
  tx: Tx,
  id: string,
  epoch: number,
  until: number,
  questions: string[],
): Promise<ParkOutcome> {
  const [, { count: answers }, row] = await Promise.all([
    tx.query(LOCK, [id]),
    tx.query(
      `SELECT FROM tickertape.answer
       WHERE run = (SELECT key FROM tickertape.run WHERE id = $1)
         AND question = ANY ($2::text[]) LIMIT 1`,
      [id, array(questions)],
    ),
    findRun(tx.query, id),
  ]);
  const outcome = judgePark(row, epoch, () => answers > 0);
  if (outcome === "parked") {
    await tx.query(
      `UPDATE tickertape.head SET lease_owner = NULL, lease_until = $2
       WHERE ${ITS_HEAD}`,
      [id, until],
    );
    tx.ring("log", id);
  }
  return outcome;
}

export async function answer(
  tx: Tx,
  id: string,
  question: string,
  json: string,
): Promise<"recorded" | "taken"> {
  const [, { count }] = await Promise.all([
    tx.query(LOCK, [id]),
    tx.query(
      `INSERT INTO tickertape.answer (run, question, json)
       SELECT head.run, $2, $3 FROM tickertape.head
       WHERE ${ITS_HEAD} AND head.status = 'running'
       ON CONFLICT DO NOTHING`,
      [id, question, json],
    ),
  ]);
  if (count === 0) return "taken";
  await tx.query(`UPDATE tickertape.head SET ${CALLED} WHERE ${ITS_HEAD}`, [
    id,
    tx.now,
  ]);
  tx.ring("call", id);
  return "recorded";
}

export async function requestStop(tx: Tx, id: string): Promise<RunRow | null> {
  const [, , row] = await Promise.all([
    tx.query(LOCK, [id]),
    tx.query(
      `UPDATE tickertape.head SET stop_requested = true, ${CALLED}
       WHERE ${ITS_HEAD} AND status = 'running'`,
      [id, tx.now],
    ),
    findRun(tx.query, id),
  ]);
  if (row?.status === "running") tx.ring("call", id);
  return row;
}

/** Text goes in as a JSON string: Postgres has no NUL. */
export async function keep(
  tx: Tx,
  id: string,
  name: string,
  text: string,
): Promise<void> {
  await Promise.all([
    // Not to be deleted in between.
    tx.query(LOCK, [id]),
    tx.query(
      `INSERT INTO tickertape.kept (run, name, text)
       SELECT head.run, $2, $3 FROM tickertape.head WHERE ${ITS_HEAD}
       ON CONFLICT (run, name) DO UPDATE SET text = excluded.text`,
      [id, name, JSON.stringify(text)],
    ),
  ]);
}
