/**
 * The SQLite schema, as numbered steps. A step that was released is never
 * changed again; the next one is added below it.
 *
 * @module
 */

/** "TAPE": marks the file as ours, so that another program's is refused. */
export const APPLICATION_ID = 0x54415045;

/**
 * Step n brings a file from schema n-1 to schema n (`user_version`), in one
 * transaction. Each statement stands alone.
 */
export const MIGRATIONS: readonly (readonly string[])[] = [
  // 1: chats, runs and their log.
  [
    // Keys are the order things happened in (N12) and never come back: the one
    // of a deleted run must not lead a late append into another run's log.
    // What people typed is stored as a JSON string: SQLite cuts text at a NUL.
    `CREATE TABLE chat (
       key INTEGER PRIMARY KEY AUTOINCREMENT,
       id TEXT NOT NULL UNIQUE,
       owner TEXT NOT NULL,
       title TEXT NOT NULL,
       newest_run INTEGER NOT NULL DEFAULT 0,
       created_at INTEGER NOT NULL,
       updated_at INTEGER NOT NULL
     ) STRICT`,
    "CREATE INDEX chat_by_owner ON chat (owner, newest_run)",
    `CREATE TABLE run (
       key INTEGER PRIMARY KEY AUTOINCREMENT,
       id TEXT NOT NULL UNIQUE,
       chat INTEGER NOT NULL REFERENCES chat (key),
       parent INTEGER REFERENCES run (key),
       text TEXT NOT NULL,
       message TEXT,
       stop_requested INTEGER NOT NULL DEFAULT 0,
       created_at INTEGER NOT NULL,
       ended_at INTEGER
     ) STRICT`,
    "CREATE INDEX run_by_chat ON run (chat)",
    // What every append reads and writes, apart from `run` and a few bytes
    // wide, so that a thousand runs answered at once fit on a few pages.
    `CREATE TABLE head (
       run INTEGER PRIMARY KEY REFERENCES run (key),
       status TEXT NOT NULL DEFAULT 'running',
       epoch INTEGER NOT NULL,
       last_seq INTEGER NOT NULL,
       last_entry INTEGER NOT NULL
     ) STRICT`,
    // One row per running run, gone when it is sealed. A chat answers one
    // question at a time (N3).
    `CREATE TABLE lease (
       run INTEGER PRIMARY KEY REFERENCES run (key),
       chat INTEGER NOT NULL UNIQUE REFERENCES chat (key),
       owner TEXT NOT NULL,
       until INTEGER NOT NULL
     ) STRICT`,
    // The log of all runs, only ever written at its end. An index over (run,
    // seq) would dirty a page of its own per entry, which costs more than the
    // entry: instead each entry knows the one before it in its run, `head` knows
    // the last one, and every 64th has an index entry, from where a reader in
    // the middle of a long log begins. No foreign key: an entry is written only
    // by the statement that found its run's head.
    `CREATE TABLE entry (
       id INTEGER PRIMARY KEY,
       run INTEGER NOT NULL,
       seq INTEGER NOT NULL,
       epoch INTEGER NOT NULL,
       prev INTEGER NOT NULL,
       json TEXT NOT NULL
     ) STRICT`,
    "CREATE UNIQUE INDEX entry_mark ON entry (run, seq) WHERE seq & 63 = 0",
    // What a tool said beyond what the log takes; the log names it.
    `CREATE TABLE kept (
       run INTEGER NOT NULL REFERENCES run (key),
       name TEXT NOT NULL,
       text TEXT NOT NULL,
       PRIMARY KEY (run, name)
     ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE idempotency (
       owner TEXT NOT NULL,
       key TEXT NOT NULL,
       run INTEGER NOT NULL REFERENCES run (key),
       created_at INTEGER NOT NULL,
       PRIMARY KEY (owner, key)
     ) STRICT, WITHOUT ROWID`,
  ],
  // 2: choices, questions to people, and notes. Only ever additions, so that a
  // server of the version before, still running on the file, goes on.
  //
  // A parked run has the status 'parked' in `head`, where an append looks
  // anyway. Its lease stays, which keeps its chat busy (N3) and says until when
  // it waits; the lease's owner is then whoever drove it last.
  [
    "ALTER TABLE run ADD COLUMN options TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE chat ADD COLUMN settings TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE chat ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0",
    // A program may ask in a million hidden chats: the list skips none of them.
    "DROP INDEX chat_by_owner",
    `CREATE INDEX chat_listed ON chat (owner, newest_run) WHERE hidden = 0`,
    // Keys are the order the answers came in.
    `CREATE TABLE answer (
       key INTEGER PRIMARY KEY,
       run INTEGER NOT NULL REFERENCES run (key),
       question TEXT NOT NULL,
       json TEXT NOT NULL,
       UNIQUE (run, question)
     ) STRICT`,
    `CREATE TABLE note (
       shelf TEXT NOT NULL,
       key TEXT NOT NULL,
       json TEXT NOT NULL,
       PRIMARY KEY (shelf, key)
     ) STRICT, WITHOUT ROWID`,
  ],
  // 3: branches to choose from, messages that wait, and deleting. Only additions
  // again, and none to a table that an older version fills by place.
  [
    "ALTER TABLE chat ADD COLUMN leaf INTEGER",
    // A trigger, so that a question asked through an older version chooses too.
    `CREATE TRIGGER chat_asked AFTER UPDATE OF newest_run ON chat BEGIN
       UPDATE chat SET leaf = NEW.newest_run WHERE key = NEW.key;
     END`,
    // Keys are the order they came in, places the order they are sent in. What
    // is long stands last: whoever looks for the next one does not read it.
    `CREATE TABLE queued (
       key INTEGER PRIMARY KEY,
       id TEXT NOT NULL UNIQUE,
       chat INTEGER NOT NULL REFERENCES chat (key),
       place INTEGER NOT NULL,
       now INTEGER NOT NULL DEFAULT 0,
       owner TEXT NOT NULL,
       idempotency_key TEXT,
       created_at INTEGER NOT NULL,
       text TEXT NOT NULL,
       options TEXT NOT NULL,
       keep TEXT NOT NULL
     ) STRICT`,
    "CREATE INDEX queued_by_chat ON queued (chat, place)",
    `CREATE UNIQUE INDEX queued_by_key ON queued (owner, idempotency_key)
       WHERE idempotency_key IS NOT NULL`,
    // Idempotency keys of messages that were taken back.
    `CREATE TABLE withdrawn (
       owner TEXT NOT NULL,
       key TEXT NOT NULL,
       chat INTEGER NOT NULL,
       at INTEGER NOT NULL,
       PRIMARY KEY (owner, key)
     ) STRICT, WITHOUT ROWID`,
    // Runs that nobody finds any more (they have no head), but whose rows are
    // still to be deleted, and the newest entry of each that is left.
    `CREATE TABLE removed (
       run INTEGER PRIMARY KEY,
       chat INTEGER NOT NULL,
       entry INTEGER NOT NULL
     ) STRICT`,
    // Without these, deleting a run would look through all of both tables.
    "CREATE INDEX run_by_parent ON run (parent)",
    "CREATE INDEX idempotency_by_run ON idempotency (run)",
    "CREATE INDEX chat_by_age ON chat (updated_at)",
    "CREATE INDEX chat_by_owner ON chat (owner, newest_run)",
  ],
];

/** Every how many entries of a run `entry_mark` has one. */
export const MARK_EVERY = 64;
