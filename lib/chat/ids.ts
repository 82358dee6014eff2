/**
 * Ids. Runs and chats carry 128 random bits (threat 27: an id cannot be guessed);
 * a frame's id is its place in the log (protocol 2.2).
 *
 * @module
 */
import type { Cursor } from "./answer.ts";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

function random128(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(26));
  let id = "";
  for (const byte of bytes) id += ALPHABET[byte & 31];
  return id;
}

/** A new run id. */
export const newRunId = (): string => `r_${random128()}`;
/** A new chat id. */
export const newChatId = (): string => `c_${random128()}`;

/** A new id of a question to a person. */
export const newApprovalId = (): string => `a_${random128()}`;

/** A new id of a message that waits. */
export const newMessageId = (): string => `m_${random128()}`;

const RUN = /^r_[0-9a-z]{26}$/;
const CHAT = /^c_[0-9a-z]{26}$/;

/** Whether this could be a run id; anything else never reaches the store. */
export const isRunId = (text: string): boolean => RUN.test(text);
/** Whether this could be a chat id. */
export const isChatId = (text: string): boolean => CHAT.test(text);

const APPROVAL = /^a_[0-9a-z]{26}$/;
/** Whether this could be the id of a question to a person. */
export const isApprovalId = (text: string): boolean => APPROVAL.test(text);

const MESSAGE = /^m_[0-9a-z]{26}$/;
/** Whether this could be the id of a message that waits. */
export const isMessageId = (text: string): boolean => MESSAGE.test(text);

/** A frame's id: `<run>.<epoch>-<seq>`. */
export function frameId(run: string, at: Cursor): string {
  return `${run}.${at.epoch}-${at.seq}`;
}

const FRAME = /^(r_[0-9a-z]{26})\.([1-9][0-9]{0,8})-([1-9][0-9]{0,14})$/;

/** Reads a frame id; null if it is not one (a reader then gets a full replay). */
export function parseFrameId(
  text: string,
): { run: string; cursor: Cursor } | null {
  const match = FRAME.exec(text);
  if (match === null) return null;
  return {
    run: match[1]!,
    cursor: { epoch: Number(match[2]), seq: Number(match[3]) },
  };
}
