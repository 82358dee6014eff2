/**
 * One transaction on one connection, and what became of it if the connection was
 * lost while it was being committed.
 *
 * @module
 */
import { setTimeout } from "node:timers";
import type { Line, Query, Rows } from "./postgres_link.ts";
import { troubleOf } from "./postgres_error.ts";

/** What a write is done with. */
export interface Tx {
  query: Query;
  /** When the transaction began by the database's clock, ms since 1970. */
  now: number;
  /** Others are told of it once it is committed. */
  ring(kind: "log" | "call", run: string): void;
}

/** What {@linkcode Tx.ring} was told. */
export type Rings = { kind: "log" | "call"; run: string }[];

/** The database's clock in ms; every lease and timestamp is judged by it (X07). */
export const CLOCK = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/**
 * Makes this transaction's commit wait for the disk, whatever the session is set
 * to. Within the transaction, because a pooler may give the next one another
 * session.
 */
export const DURABLE = `CASE WHEN current_setting('synchronous_commit') IN
  ('off', 'local') THEN set_config('synchronous_commit', 'on', true) END`;

// A process that stands still in mid-transaction must not hold its locks: others
// could neither stop its runs nor take them over.
const BEGIN = `BEGIN; SELECT ${DURABLE},
  set_config('idle_in_transaction_session_timeout', '4000', true),
  set_config('lock_timeout', '4000', true),
  CASE current_setting('transaction_read_only')
    WHEN 'off' THEN pg_current_xact_id()::text END AS xid,
  ${CLOCK} AS now`;

const RETRY_MS = 100;

/** The connection was lost after COMMIT was sent: it may have been done. */
export class CommitLost extends Error {
  override name = "CommitLost";
  constructor(readonly xid: string, readonly rings: Rings, cause: unknown) {
    super("The connection was lost during COMMIT", { cause });
  }
}

/**
 * Runs `work` and commits. If it throws nothing is committed.
 *
 * @param now Instead of the database's clock.
 * @throws {CommitLost} if it cannot be known whether it was committed.
 */
export async function transact(
  line: Line,
  now: number | null,
  work: (tx: Tx) => Promise<void>,
): Promise<Rings> {
  const rings: Rings = [];
  await line.use(async (query) => {
    const [begun, first] = await query(BEGIN) as unknown as [Rows, Rows];
    const { xid, now: clock } = first[0] as { xid: string; now: number };
    const { pid } = begun.state;
    const same: Query = async (text, values) => {
      const rows = await query(text, values);
      // Another connection would be outside of the transaction.
      if (rows.state.pid === pid) return rows;
      line.cut();
      throw Object.assign(new Error("The connection changed"), {
        code: "CONNECTION_CLOSED",
      });
    };
    try {
      await work({
        query: same,
        now: now ?? clock,
        ring: (kind, run) => rings.push({ kind, run }),
      });
    } catch (error) {
      // A connection that cannot even do this must not be used again.
      await query("ROLLBACK").catch(() => line.cut());
      throw error;
    }
    let done: Rows;
    try {
      done = await same("COMMIT");
    } catch (error) {
      if (!troubleOf(error)?.lost) throw error;
      throw new CommitLost(xid, rings, error);
    }
    if (done.command !== "COMMIT") throw new Error(`COMMIT: ${done.command}`);
  });
  return rings;
}

/**
 * Whether a transaction was committed, waiting for one still under way.
 *
 * @param until On the clock of `performance.now()`; then it gives up.
 * @throws the trouble that kept it from knowing.
 */
export async function wasCommitted(
  line: Line,
  xid: string,
  until: number,
): Promise<boolean> {
  while (true) {
    let trouble: unknown;
    try {
      const [row] = await line.query(
        "SELECT pg_xact_status($1::text::xid8) AS status",
        [xid],
      );
      if (row!.status === "committed") return true;
      if (row!.status === "aborted") return false;
    } catch (error) {
      trouble = error;
      if (!troubleOf(error)?.lost) throw error;
    }
    if (performance.now() > until) {
      throw trouble ?? Object.assign(new Error("still being committed"), {
        code: "SILENT",
      });
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
