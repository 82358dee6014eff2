/**
 * What is being written and was never sent: of every chat, and of every question
 * that is being edited. Kept on the device with every key pressed (N9).
 *
 * @module
 */
import type { Environment } from "./environment.ts";

type Storage = Pick<Environment, "read" | "write">;

/** @param place A chat, or the run whose question is edited; null: a new chat. */
const nameOf = (place: string | null) => `tt_draft:${place ?? "new"}`;

/** The draft kept for a place; "" without one. */
export function draftOf(storage: Storage, place: string | null): string {
  return storage.read(nameOf(place)) ?? "";
}

/** Keeps a draft; an empty one is forgotten. */
export function keepDraft(
  storage: Storage,
  place: string | null,
  text: string,
): void {
  storage.write(nameOf(place), text === "" ? null : text);
}
