/**
 * Appends and renewals of many runs in one statement. The fence is in the insert
 * itself: a row lock on each run's head, taken in one order, decides under which
 * epoch its entries go in, and holds until they are committed.
 *
 * @module
 */
import type { AppendOutcome, Draft, Seal } from "./contract.ts";
import type { Query, Value } from "./postgres_link.ts";
import { entries, findRun } from "./postgres_reads.ts";
import { CLOCK, DURABLE } from "./postgres_transaction.ts";
import { judgeAppend } from "./rules.ts";

export interface Append {
  kind: "append";
  run: string;
  epoch: number;
  entries: Draft[];
  seal: Seal | undefined;
}

export interface Renew {
  kind: "renew";
  run: string;
  epoch: number;
  leaseMs: number;
}

/** What became of one of them. */
export type Settled = { value: unknown } | { error: unknown };

// $1-$6 one row per append, $7-$9 one per entry, $10-$12 one per renewal, $13
// the time. `next` sees each head as it is once the lock is had, not as it was
// when the statement began. A run's key is looked up on its own: joined, the
// planner was seen to compare every call with every head first.
const BULK = `
  WITH call AS MATERIALIZED (
    SELECT call.*, (SELECT key FROM tickertape.run WHERE run.id = call.id) AS run
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[],
      $5::text[], $6::text[])
      WITH ORDINALITY AS call (id, epoch, first, last, status, message, nr)
  ), next AS MATERIALIZED (
    SELECT call.nr, head.run, call.epoch, call.last, call.status, call.message
    FROM call JOIN tickertape.head ON head.run = call.run
    WHERE head.status = 'running' AND head.lease_owner IS NOT NULL
      AND head.epoch = call.epoch AND head.last_seq = call.first - 1
    ORDER BY head.run
    FOR NO KEY UPDATE OF head
  ), moved AS (
    UPDATE tickertape.head SET last_seq = next.last,
      status = coalesce(next.status, head.status),
      lease_owner = CASE WHEN next.status IS NULL THEN head.lease_owner END,
      lease_until = CASE WHEN next.status IS NULL THEN head.lease_until
        ELSE 0 END
    FROM next WHERE head.run = next.run
  ), sealed AS (
    UPDATE tickertape.run SET message = next.message,
      ended_at = coalesce($13::bigint, ${CLOCK})
    FROM next WHERE run.key = next.run AND next.status IS NOT NULL
  ), written AS (
    INSERT INTO tickertape.entry (run, seq, epoch, json)
    SELECT next.run, entry.seq, next.epoch, entry.json
    FROM unnest($7::bigint[], $8::bigint[], $9::text[])
      AS entry (nr, seq, json) JOIN next ON next.nr = entry.nr
  ), renewal AS MATERIALIZED (
    SELECT call.*, (SELECT key FROM tickertape.run WHERE run.id = call.id) AS run
    FROM unnest($10::text[], $11::bigint[], $12::bigint[])
      WITH ORDINALITY AS call (id, epoch, ms, nr)
  ), renewed AS (
    UPDATE tickertape.head
    SET lease_until = coalesce($13::bigint, ${CLOCK}) + renewal.ms
    FROM renewal
    WHERE head.run = renewal.run AND head.status = 'running'
      AND head.lease_owner IS NOT NULL AND head.epoch = renewal.epoch
    RETURNING renewal.nr
  )
  SELECT 'append' AS kind, nr, ${DURABLE} FROM next
  UNION ALL SELECT 'renew', nr, ${DURABLE} FROM renewed`;

/** How often an append that lost a race with itself is judged anew. */
const TRIES = 5;

/**
 * Does all of them at once; each names another run. What is not simply the next
 * entry of its run is judged afterwards, which is rare and may cost more.
 *
 * @param now Instead of the database's clock.
 */
export async function bulk(
  query: Query,
  calls: (Append | Renew)[],
  now: number | null,
): Promise<Settled[]> {
  const appends = calls.filter((call) => call.kind === "append");
  const renewals = calls.filter((call) => call.kind === "renew");
  const rows = await query(BULK, values(appends, renewals, now));
  const done = new Set<Append | Renew>();
  for (const { kind, nr } of rows) {
    const list = kind === "append" ? appends : renewals;
    done.add(list[nr as number - 1]!);
  }
  const settled: Settled[] = [];
  for (const call of calls) {
    settled.push(
      call.kind === "renew"
        ? { value: done.has(call) }
        : done.has(call)
        ? { value: "ok" }
        : await judge(query, call, now),
    );
  }
  return settled;
}

async function judge(
  query: Query,
  call: Append,
  now: number | null,
): Promise<Settled> {
  const { run, epoch, entries: drafts, seal } = call;
  for (let tries = 0; tries < TRIES; tries++) {
    const row = await findRun(query, run);
    if (row === null) return { value: "fenced" };
    const stored = row.lastSeq < drafts[0]!.seq
      ? []
      : await entries(query, run, drafts[0]!.seq - 1, drafts.length);
    let outcome: AppendOutcome;
    try {
      outcome = judgeAppend(row, epoch, drafts, seal, () => stored);
    } catch (error) {
      return { error };
    }
    if (outcome !== "ok") return { value: outcome };
    // It was not when it was tried, and is now.
    const again = await query(BULK, values([call], [], now));
    if (again.length === 1) return { value: "ok" };
  }
  throw new Error(`Cannot judge an append to run "${run}"`);
}

function values(
  appends: Append[],
  renewals: Renew[],
  now: number | null,
): Value[] {
  const drafts = appends.flatMap(({ entries }, index) =>
    entries.map((entry) => ({ nr: index + 1, ...entry }))
  );
  return [
    array(appends.map(({ run }) => run)),
    array(appends.map(({ epoch }) => epoch)),
    array(appends.map(({ entries }) => entries[0]!.seq)),
    array(appends.map(({ entries }) => entries.at(-1)!.seq)),
    array(appends.map(({ seal }) => seal?.status ?? null)),
    array(appends.map(({ seal }) => seal?.message ?? null)),
    array(drafts.map(({ nr }) => nr)),
    array(drafts.map(({ seq }) => seq)),
    array(drafts.map(({ json }) => json)),
    array(renewals.map(({ run }) => run)),
    array(renewals.map(({ epoch }) => epoch)),
    array(renewals.map(({ leaseMs }) => leaseMs)),
    now,
  ];
}

/**
 * An array as Postgres writes it.
 * https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function array(items: Value[]): string {
  const parts = items.map((item) =>
    typeof item === "string"
      ? `"${item.replace(/[\\"]/g, "\\$&")}"`
      : item === null
      ? "NULL"
      : String(item)
  );
  return `{${parts.join(",")}}`;
}
