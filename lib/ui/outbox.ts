/**
 * What the person wrote and the server has not confirmed: drafts, and messages on
 * their way. Kept on the device, so that no reload loses a word (N9) and no
 * second try asks twice (N10).
 *
 * @module
 */
import type { ChatSettings } from "../chat/settings.ts";
import type { Environment } from "./environment.ts";

/** A message from the first press until the server's 202. */
export interface Outgoing {
  /** The idempotency key; the same for every try. */
  key: string;
  /** Null begins a new chat. */
  chat: string | null;
  text: string;
  /** What was chosen for the new chat. */
  settings?: ChatSettings;
}

type Storage = Pick<Environment, "read" | "write">;

const OUTBOX = "tt_outbox";
const draftKey = (chat: string | null) => `tt_draft:${chat ?? "new"}`;

/** Every message not yet confirmed, oldest first. */
export function outgoing(storage: Storage): Outgoing[] {
  try {
    const kept: unknown = JSON.parse(storage.read(OUTBOX) ?? "[]");
    return Array.isArray(kept) ? kept.filter(isOutgoing) : [];
  } catch {
    return [];
  }
}

/** Keeps a message before the first attempt to send it. */
export function keep(storage: Storage, message: Outgoing): void {
  save(storage, [...outgoing(storage), message]);
}

/** Forgets a message: confirmed, refused for good, or taken back by its writer. */
export function forget(storage: Storage, key: string): void {
  save(storage, outgoing(storage).filter((kept) => kept.key !== key));
}

/** The draft of a chat; null is the new chat's. */
export function draftOf(storage: Storage, chat: string | null): string {
  return storage.read(draftKey(chat)) ?? "";
}

/** Keeps a draft; an empty one is forgotten. */
export function keepDraft(
  storage: Storage,
  chat: string | null,
  text: string,
): void {
  storage.write(draftKey(chat), text === "" ? null : text);
}

function save(storage: Storage, messages: Outgoing[]): void {
  storage.write(OUTBOX, messages.length ? JSON.stringify(messages) : null);
}

function isOutgoing(value: unknown): value is Outgoing {
  const message = value as Outgoing | null;
  return typeof message?.key === "string" && typeof message.text === "string" &&
    (message.chat === null || typeof message.chat === "string");
}
