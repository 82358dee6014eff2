/**
 * A committed entry as readers see it: the event, and its JSON made once for the
 * log and every reader.
 *
 * @module
 */
import type { LogEntry, RunEvent } from "../chat/events.ts";
import type { StoredEntry } from "../store/contract.ts";

export interface Entry extends LogEntry {
  json: string;
  /** The frame's bytes, made by the first reader and shared by all. */
  frame?: Uint8Array;
}

/** An entry read back from the store. */
export function fromStored(stored: StoredEntry): Entry {
  return { ...stored, event: JSON.parse(stored.json) as RunEvent };
}
