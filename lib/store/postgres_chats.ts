/**
 * How the Postgres engine takes a question: chat, run and first entries at once;
 * and what a person chose for a chat.
 *
 * @module
 */
import type { CreateOutcome, NewRun, RunRow } from "./contract.ts";
import { array } from "./postgres_bulk.ts";
import {
  dropKeys,
  judgeKey,
  keyName,
  lockChat,
  lockNames,
  setKey,
} from "./postgres_queue.ts";
import { findMessage, findRun } from "./postgres_reads.ts";
import type { Tx } from "./postgres_transaction.ts";
import { KEY_LIFE_MS, noParent } from "./rules.ts";

/** What is there already, and the keys of what is not. */
interface Place {
  /** Of the chat, and whose it is; null: it is to be made. */
  chat: { key: number; owner: string } | null;
  newChat: number;
  newRun: number;
  active: string | null;
  parent: number | null;
  exists: boolean;
}

const PLACE = `
  SELECT chat.key, chat.owner,
    nextval(pg_get_serial_sequence('tickertape.run', 'key')) AS "newRun",
    CASE WHEN chat.key IS NULL
      THEN nextval(pg_get_serial_sequence('tickertape.chat', 'key'))
    END AS "newChat",
    (SELECT run.id FROM tickertape.head JOIN tickertape.run ON run.key = head.run
      WHERE head.chat = chat.key AND head.status = 'running') AS active,
    (SELECT key FROM tickertape.run
      WHERE id = $2 AND run.chat = chat.key) AS parent,
    EXISTS (SELECT FROM tickertape.run WHERE id = $3) AS "exists"
  FROM (SELECT $1::text AS id) AS wish
    LEFT JOIN tickertape.chat ON chat.id = wish.id`;

// $1-$7 the chat if it is new, $8 its key, $9-$13 the run, $14 its lease, $16
// its first entries, $17-$18 what is kept for it.
const WRITE = `
  WITH new_chat AS (
    INSERT INTO tickertape.chat (key, id, owner, title, settings, hidden,
      newest_run, leaf, created_at, updated_at)
    SELECT $1::bigint, $2, $3, $4, $5, $6::boolean, $9::bigint, $9::bigint,
      $7::bigint, $7::bigint
    WHERE $1::bigint IS NOT NULL
  ), old_chat AS (
    UPDATE tickertape.chat SET newest_run = $9::bigint, leaf = $9::bigint,
      updated_at = $7::bigint
    WHERE key = $8::bigint
  ), new_run AS (
    INSERT INTO tickertape.run (key, id, chat, parent, text, options, created_at)
    VALUES ($9::bigint, $10, $8::bigint, $11::bigint, $12, $13, $7::bigint)
  ), new_head AS (
    INSERT INTO tickertape.head
      (run, chat, status, epoch, last_seq, lease_owner, lease_until)
    VALUES ($9::bigint, $8::bigint, 'running', 1, cardinality($16::text[]), $14,
      $15::bigint)
  ), new_entries AS (
    INSERT INTO tickertape.entry (run, seq, epoch, json)
    SELECT $9::bigint, seq, 1, json
    FROM unnest($16::text[]) WITH ORDINALITY AS entry (json, seq)
  )
  INSERT INTO tickertape.kept (run, name, text)
  SELECT DISTINCT ON (name) $9::bigint, name, text
  FROM unnest($17::text[], $18::text[]) WITH ORDINALITY AS k (name, text, nr)
  ORDER BY name, nr DESC`;

export class Chats {
  #swept = -Infinity;

  async create(tx: Tx, input: NewRun): Promise<CreateOutcome> {
    const { owner, queued } = input;
    const waiting = queued === null
      ? null
      : await findMessage(tx.query, owner, input.chat, queued);
    if (queued !== null && waiting === null) return { kind: "gone" };
    const key = waiting?.idempotencyKey ?? input.idempotencyKey;
    const names = [JSON.stringify(["chat", input.chat])];
    if (key !== null) names.push(keyName(owner, key));
    await lockNames(tx, names);
    if (queued !== null && !await stillWaits(tx, input, queued)) {
      return { kind: "gone" };
    }
    if (key !== null) {
      await this.#sweepKeys(tx);
      const seen = await judgeKey(tx, owner, key);
      const itself = seen?.kind === "waiting" && seen.message.id === queued;
      if (seen && !itself) return seen;
    }
    const [, place] = await Promise.all([
      lockChat(tx, owner, input.chat),
      findPlace(tx, input),
    ]);
    if (place.chat === null && input.newChatTitle === null) {
      return { kind: "no-chat" };
    }
    if (place.chat !== null && place.chat.owner !== owner) {
      return { kind: "no-chat" };
    }
    if (place.active !== null) {
      const run = await findRun(tx.query, place.active);
      return { kind: "active", run: run! };
    }
    if (input.parent !== null && place.parent === null) throw noParent(input);
    if (place.exists) {
      throw new RangeError(`Cannot create run "${input.run}": it exists`);
    }
    await write(tx, input, place);
    if (key !== null) {
      const chat = place.chat?.key ?? place.newChat;
      await setKey(tx, owner, key, chat, place.newRun);
    }
    if (queued !== null) {
      await tx.query("DELETE FROM tickertape.queued WHERE id = $1", [queued]);
    }
    tx.ring("log", input.run);
    return { kind: "created", run: newRow(tx, input) };
  }

  /** At most once an hour. */
  async #sweepKeys(tx: Tx): Promise<void> {
    if (tx.now - this.#swept < KEY_LIFE_MS / 24) return;
    this.#swept = tx.now;
    await dropKeys(tx);
  }
}

/** Looked at again once others can no longer take it. */
async function stillWaits(
  tx: Tx,
  { owner, chat }: NewRun,
  id: string,
): Promise<boolean> {
  const [, message] = await Promise.all([
    lockChat(tx, owner, chat),
    findMessage(tx.query, owner, chat, id),
  ]);
  return message !== null;
}

async function findPlace(tx: Tx, input: NewRun): Promise<Place> {
  const [row] = await tx.query(PLACE, [input.chat, input.parent, input.run]);
  const { key, owner, ...rest } = row as unknown as
    & Place
    & { key: number | null; owner: string };
  return { ...rest, chat: key === null ? null : { key, owner } };
}

async function write(tx: Tx, input: NewRun, place: Place): Promise<void> {
  await tx.query(WRITE, [
    place.newChat,
    input.chat,
    input.owner,
    JSON.stringify(input.newChatTitle ?? ""),
    input.newChatSettings,
    input.newChatHidden,
    tx.now,
    place.chat?.key ?? place.newChat,
    place.newRun,
    input.run,
    place.parent,
    JSON.stringify(input.text),
    input.options,
    input.leaseOwner,
    tx.now + input.leaseMs,
    array(input.begin.map((event) => JSON.stringify(event))),
    array(input.keep.map(({ name }) => name)),
    array(input.keep.map(({ text }) => JSON.stringify(text))),
  ]);
}

/** The row that was just written, as reading it would give it. */
function newRow(tx: Tx, input: NewRun): RunRow {
  const { run: id, chat, owner, parent, text, options, leaseOwner } = input;
  return {
    id,
    chat,
    owner,
    parent,
    text,
    options,
    status: "running",
    epoch: 1,
    leaseOwner,
    leaseUntil: tx.now + input.leaseMs,
    stopRequested: false,
    lastSeq: input.begin.length,
    message: null,
    createdAt: tx.now,
    endedAt: null,
  };
}

export async function setChat(
  tx: Tx,
  owner: string,
  id: string,
  settings: string,
): Promise<boolean> {
  const { count } = await tx.query(
    `UPDATE tickertape.chat SET settings = $3 WHERE id = $1 AND owner = $2`,
    [id, owner, settings],
  );
  return count === 1;
}

export async function setLeaf(
  tx: Tx,
  owner: string,
  id: string,
  run: string,
): Promise<boolean> {
  const { count } = await tx.query(
    `UPDATE tickertape.chat SET leaf = run.key FROM tickertape.run
     WHERE chat.id = $1 AND chat.owner = $2 AND run.id = $3
       AND run.chat = chat.key`,
    [id, owner, run],
  );
  return count === 1;
}
