/**
 * What the person sent and the server has not confirmed. Kept on the device from
 * the first press, so that no reload, closed tab or expired login loses a word
 * (N9, R29) and no second try asks twice (N10).
 *
 * Every message has an entry of its own: tabs that read, change and write back
 * one list would lose each other's messages.
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
  /** "" where nothing was written: an answer made anew, or gone on with. */
  text: string;
  /** What was chosen for the new chat. */
  settings?: ChatSettings;
  /** The run it is another version of. */
  replaces?: string;
  /** The run whose broken-off answer is to go on. */
  continues?: string;
  /** The key of the message that begins the chat this one is for. */
  behind?: string;
  /** Messages are sent in this order. A count, not a clock (N12). */
  order: number;
}

export interface Outbox {
  /** Every message not yet confirmed, oldest first, whichever tab wrote it. */
  all(): Outgoing[];
  find(key: string): Outgoing | undefined;
  /** Keeps a message before the first attempt to send it, or keeps a change. */
  keep(message: Omit<Outgoing, "order"> & { order?: number }): Outgoing;
  /** Confirmed, refused for good, or taken back by its writer. */
  forget(key: string): void;
  /** Whether the device has it: a full or forbidden storage keeps nothing. */
  lasts(key: string): boolean;
}

type Storage = Pick<Environment, "read" | "write" | "keys">;

const ENTRY = "tt_outbox:";
/** One list of all messages, as pages before this one kept them. */
const LIST = "tt_outbox";

/** The outbox of this device; moves what an older page has left into it. */
export function createOutbox(storage: Storage): Outbox {
  /** What the storage did not take lives as long as the page. */
  const unkept = new Map<string, Outgoing>();

  const all = () => {
    const kept = storage.keys(ENTRY)
      .map((name) => parse(storage.read(name)))
      .filter((found) => isOutgoing(found))
      .filter(({ key }) => !unkept.has(key));
    return [...kept, ...unkept.values()].sort((a, b) =>
      a.order - b.order || (a.key < b.key ? -1 : 1)
    );
  };

  const outbox: Outbox = {
    all,
    find: (key) => all().find((message) => message.key === key),
    keep(draft) {
      const order = draft.order ?? (all().at(-1)?.order ?? 0) + 1;
      const message = { ...draft, order };
      const text = JSON.stringify(message);
      storage.write(ENTRY + message.key, text);
      if (storage.read(ENTRY + message.key) === text) {
        unkept.delete(message.key);
      } else unkept.set(message.key, message);
      return message;
    },
    forget(key) {
      unkept.delete(key);
      storage.write(ENTRY + key, null);
    },
    lasts: (key) => storage.read(ENTRY + key) !== null && !unkept.has(key),
  };
  moveList(storage, outbox);
  return outbox;
}

/** The key of the message an entry of the storage is about; null for others. */
export function entryOf(name: string): string | null {
  return name.startsWith(ENTRY) ? name.slice(ENTRY.length) : null;
}

/** Two tabs may do this at once: the same keys come to the same entries. */
function moveList(storage: Storage, outbox: Outbox): void {
  const list = parse(storage.read(LIST));
  if (Array.isArray(list)) {
    for (const old of list) {
      const message = { ...old, order: undefined };
      if (isOutgoing({ ...old, order: 0 })) outbox.keep(message);
    }
  }
  if (storage.read(LIST) !== null) storage.write(LIST, null);
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

/** Written by this or another version of the page, so every field is looked at. */
function isOutgoing(value: unknown): value is Outgoing {
  const message = value as Outgoing | null;
  return typeof message?.key === "string" && typeof message.text === "string" &&
    typeof message.order === "number" &&
    (message.chat === null || typeof message.chat === "string") &&
    [message.replaces, message.continues, message.behind].every((field) =>
      field === undefined || typeof field === "string"
    );
}
