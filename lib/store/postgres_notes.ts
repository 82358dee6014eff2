/**
 * Writing notes in the Postgres engine.
 *
 * @module
 */
import type { Tx } from "./postgres_transaction.ts";

export async function putNote(
  tx: Tx,
  shelf: string,
  key: string,
  json: string,
): Promise<void> {
  await tx.query(
    `INSERT INTO tickertape.note (shelf, key, json) VALUES ($1, $2, $3)
     ON CONFLICT (shelf, key) DO UPDATE SET json = excluded.json`,
    [shelf, key, json],
  );
}

export async function dropNote(
  tx: Tx,
  shelf: string,
  key: string,
): Promise<boolean> {
  const { count } = await tx.query(
    "DELETE FROM tickertape.note WHERE shelf = $1 AND key = $2",
    [shelf, key],
  );
  return count === 1;
}
