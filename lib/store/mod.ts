/**
 * The store: chats, runs and their logs, behind one contract
 * ({@linkcode Store}). What is said to be stored is on the disk.
 *
 * @module
 */
import type { Store } from "./contract.ts";
import { type MemoryOptions, openMemory } from "./memory.ts";
import type { PostgresOptions } from "./postgres.ts";
import { openSqlite, type SqliteOptions } from "./sqlite.ts";

/** An engine in this process, and where it keeps things. */
export type EmbeddedOptions =
  | ({ kind: "memory" } & MemoryOptions)
  /** `path` of the database file; it and its directory are made if missing. */
  | ({ kind: "sqlite"; path: string } & SqliteOptions);

/** A database server, for several processes: `url` as in `DATABASE_URL`. */
export type ServerOptions = { kind: "postgres"; url: string } & PostgresOptions;

/**
 * Opens a store.
 *
 * @throws {StoreError} in plain words that name the database and the way out.
 */
export function openStore(options: EmbeddedOptions): Store;
export function openStore(options: ServerOptions): Promise<Store>;
export function openStore(
  options: EmbeddedOptions | ServerOptions,
): Store | Promise<Store> {
  switch (options.kind) {
    case "memory":
      return openMemory(options);
    case "sqlite":
      return openSqlite(options.path, options);
    case "postgres":
      // Its driver is loaded only where it is used.
      return import("./postgres.ts").then(({ openPostgres }) =>
        openPostgres(options.url, options)
      );
  }
}

/**
 * Opens the store the settings name.
 *
 * @param database The URL of a Postgres database, or null.
 * @param path The SQLite file where `database` is null.
 * @throws {StoreError} as {@linkcode openStore}.
 */
export async function openNamed(
  database: string | null,
  path: string,
): Promise<Store> {
  return database === null
    ? openStore({ kind: "sqlite", path })
    : await openStore({ kind: "postgres", url: database });
}

export * from "./contract.ts";
export { passwordOf } from "./postgres_target.ts";
