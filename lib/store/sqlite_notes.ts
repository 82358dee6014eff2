/**
 * Notes in the SQLite engine: shelves of small records that belong to no chat.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { NoteRow } from "./contract.ts";
import { checkNote } from "./rules.ts";

function prepare(db: DatabaseSync) {
  return {
    put: db.prepare("REPLACE INTO note VALUES (?, ?, ?)"),
    drop: db.prepare("DELETE FROM note WHERE shelf = ? AND key = ?"),
    note: db.prepare("SELECT json FROM note WHERE shelf = ? AND key = ?"),
    notes: db.prepare(
      "SELECT key, json FROM note WHERE shelf = ? ORDER BY key",
    ),
  };
}

export class Notes {
  #sql: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#sql = prepare(db);
  }

  put(shelf: string, key: string, json: string): void {
    checkNote(shelf, key, json);
    this.#sql.put.run(shelf, key, json);
  }

  drop(shelf: string, key: string): boolean {
    return this.#sql.drop.run(shelf, key).changes === 1;
  }

  note(shelf: string, key: string): string | null {
    const row = this.#sql.note.get(shelf, key);
    return row === undefined ? null : row.json as string;
  }

  notes(shelf: string): NoteRow[] {
    return this.#sql.notes.all(shelf)
      .map((row) => ({ ...row }) as unknown as NoteRow);
  }
}
