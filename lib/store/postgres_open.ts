/**
 * Opening a Postgres database: what is refused, what is made. Nothing is written
 * to a database before it is known to be ours or to have nothing of our name.
 *
 * @module
 */
import { setTimeout } from "node:timers";
import { StoreError } from "./contract.ts";
import { postgresError, troubleOf } from "./postgres_error.ts";
import { Line, type Query } from "./postgres_link.ts";
import { MIGRATION_LOCK, MIGRATIONS, TABLES } from "./postgres_schema.ts";
import { readTarget, type Target } from "./postgres_target.ts";

/** A migration may have to write a large table anew. */
const MIGRATE_MS = 600_000;
const LOOK_MS = 5000;
const RETRY_MS = 200;

/**
 * Brings the database to the newest schema, whichever of several processes gets
 * there first. Waits a moment for a server that is just starting.
 *
 * @param patienceMs How long to try while it cannot be reached.
 * @throws {StoreError} `damaged` for tables that are not ours, `newer` for those
 * of a later version, `readonly`, `busy`, `full` or `io`.
 */
export async function openDatabase(
  target: Target,
  patienceMs: number,
): Promise<void> {
  const until = performance.now() + patienceMs;
  while (true) {
    try {
      return await migrate(target);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      const trouble = troubleOf(error);
      const again = trouble?.lost || trouble?.again;
      if (!again || performance.now() > until) {
        throw postgresError(
          "open",
          target.name,
          trouble ?? { kind: "io" },
          error,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** What a server says of itself. */
export interface Look {
  /** `host:port/database` */
  name: string;
  version: string;
  /** 0: our tables will be made at the first start. */
  schema: number;
  /** Whether what it calls committed survives a loss of power. */
  durable: boolean;
  /** How many connections it allows in all. */
  connections: number;
}

/**
 * Looks at a database and changes nothing.
 *
 * @throws {StoreError} if it does not answer, or is not ours.
 */
export async function lookAtPostgres(url: string): Promise<Look> {
  const target = readTarget(url);
  const line = new Line(target, { max: 1, silenceMs: LOOK_MS });
  try {
    const [row] = await line.query(
      `SELECT current_setting('server_version') AS version,
         current_setting('fsync') = 'on'
           AND current_setting('full_page_writes') = 'on' AS durable,
         current_setting('max_connections')::integer AS connections`,
    );
    const schema = await schemaVersion(line.query, target);
    return { name: target.name, schema, ...row } as Look;
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const trouble = troubleOf(error) ?? { kind: "io" };
    throw postgresError("open", target.name, trouble, error);
  } finally {
    await line.close();
  }
}

/** The schema's number; 0 if there is none. */
export async function schemaVersion(
  query: Query,
  target: Target,
): Promise<number> {
  const [found] = await query(
    `SELECT to_regnamespace('tickertape') IS NOT NULL AS named,
       to_regclass('tickertape.migration') IS NOT NULL AS ours,
       EXISTS (SELECT FROM pg_class
         WHERE relnamespace = to_regnamespace('tickertape')) AS "used"`,
  );
  if (!found!.ours) {
    // An administrator may have made the schema for us.
    if (!found!.used) return 0;
    throw damaged(target, 'its schema "tickertape" belongs to another program');
  }
  const [row] = await query(
    "SELECT coalesce(max(number), 0) AS number FROM tickertape.migration",
  );
  return row!.number as number;
}

async function migrate(target: Target): Promise<void> {
  const line = new Line(target, { max: 1, silenceMs: MIGRATE_MS });
  try {
    let schema = await line.use((query) => schemaVersion(query, target));
    while (schema < MIGRATIONS.length) {
      schema = await line.use((query) => step(query, target));
    }
    if (schema > MIGRATIONS.length) {
      throw postgresError("open", target.name, {
        kind: "newer",
        state: "it was written by a newer version of Tickertape (it has " +
          `schema ${schema}, this version knows ${MIGRATIONS.length})`,
      });
    }
    await line.use((query) => check(query));
  } finally {
    await line.close();
  }
}

/**
 * One step in one transaction with its number, whoever gets there first; to
 * `last` at most.
 *
 * @returns the number the schema has then.
 */
export async function step(
  query: Query,
  target: Target,
  last = MIGRATIONS.length,
): Promise<number> {
  await query("BEGIN");
  try {
    await query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    const schema = await schemaVersion(query, target);
    if (schema < last) {
      if (schema === 0) await prepare(query);
      for (const statement of MIGRATIONS[schema]!) await query(statement);
      await query("INSERT INTO tickertape.migration VALUES ($1)", [schema + 1]);
    }
    await query("COMMIT");
    return Math.max(schema, Math.min(schema + 1, last));
  } catch (error) {
    // Where the connection is lost there is nothing left to undo.
    await query("ROLLBACK").catch(() => {});
    throw error;
  }
}

async function prepare(query: Query): Promise<void> {
  // Not IF NOT EXISTS: that needs the right to make one even where one is.
  const [found] = await query(
    "SELECT to_regnamespace('tickertape') IS NOT NULL AS named",
  );
  if (!found!.named) await query("CREATE SCHEMA tickertape");
  await query(
    `CREATE TABLE tickertape.migration (
       number integer PRIMARY KEY,
       done_at timestamptz NOT NULL DEFAULT now()
     )`,
  );
}

/** Names a missing table now and not in the middle of an answer. */
async function check(query: Query): Promise<void> {
  for (const table of TABLES) {
    await query(`SELECT FROM tickertape.${table} LIMIT 0`);
  }
  const [row] = await query(
    "SELECT current_setting('transaction_read_only') AS \"readonly\"",
  );
  if (row!.readonly === "on") {
    throw Object.assign(new Error("read-only"), { code: "25006" });
  }
}

function damaged(target: Target, state: string): StoreError {
  return postgresError("open", target.name, {
    kind: "damaged",
    state,
    remedy: "It was left as it is. Name another database in DATABASE_URL",
  });
}
