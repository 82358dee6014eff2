/**
 * The store: chats, runs and their logs, behind one contract
 * ({@linkcode Store}). What is said to be stored is on the disk.
 *
 * @module
 */
import type { Store } from "./contract.ts";
import { type MemoryOptions, openMemory } from "./memory.ts";
import { openSqlite, type SqliteOptions } from "./sqlite.ts";

/** Which engine, and where it keeps things. */
export type StoreOptions =
  | ({ kind: "memory" } & MemoryOptions)
  /** `path` of the database file; it and its directory are made if missing. */
  | ({ kind: "sqlite"; path: string } & SqliteOptions);

/**
 * Opens a store.
 *
 * @throws {StoreError} in plain words that name the file and the way out.
 */
export function openStore(options: StoreOptions): Store {
  return options.kind === "memory"
    ? openMemory(options)
    : openSqlite(options.path, options);
}

export * from "./contract.ts";
