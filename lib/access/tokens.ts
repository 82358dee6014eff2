/**
 * Tokens for programs: made and taken back at the command line, sent as
 * `Authorization: Bearer tt_...`. The database has only their SHA-256, so nobody
 * who reads it can ask in their name.
 *
 * A token is found by its hash: how long that takes says nothing about a token
 * that is not the same in every bit.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Where tokens are kept: the notes of the store. */
export interface Notes {
  putNote(shelf: string, key: string, json: string): Promise<void>;
  note(shelf: string, key: string): Promise<string | null>;
  notes(shelf: string): Promise<{ key: string; json: string }[]>;
  dropNote(shelf: string, key: string): Promise<boolean>;
}

/** What is known of a token; never the token. */
export interface TokenInfo {
  /** 128 random bits; what it asks belongs to `token:<id>` in public. */
  id: string;
  name: string;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601, to the minute; null if it never was. */
  lastUsed: string | null;
}

const SHELF = "token";
/**
 * Kept apart from the tokens: a server that notes a use must not bring back what
 * another process has just revoked.
 */
const USES = "token-use";
const USE_EVERY_MS = 60_000;

const BYTES = 32;
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Digits of base 62 that 32 bytes need. */
const LENGTH = 43;
const TOKEN = new RegExp(`^tt_[0-9A-Za-z]{${LENGTH}}$`);
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u;

/** A name that cannot be given to a token; the message says why. */
export class TokenNameError extends Error {
  override name = "TokenNameError";
}

export class Tokens {
  readonly #notes: Notes;
  readonly #now: () => Date;
  /** When a use of a token was noted last, by its key, in milliseconds. */
  readonly #noted = new Map<string, number>();

  constructor(notes: Notes, now: () => Date = () => new Date()) {
    this.#notes = notes;
    this.#now = now;
  }

  /**
   * Makes a token.
   *
   * @returns the token itself, for the only time.
   * @throws {TokenNameError} if the name is odd or taken.
   */
  async add(name: string): Promise<string> {
    if (!NAME.test(name)) {
      throw new TokenNameError(
        `Cannot name a token ${
          JSON.stringify(name)
        }: use 1 to 64 letters, digits, spaces and . _ -`,
      );
    }
    if ((await this.list()).some((token) => token.name === name)) {
      throw new TokenNameError(
        `Cannot name a token "${name}": there is one of that name`,
      );
    }
    const token = newToken();
    const about = {
      id: crypto.randomUUID().replaceAll("-", ""),
      name,
      created_at: this.#now().toISOString(),
    };
    await this.#notes.putNote(SHELF, keyOf(token), JSON.stringify(about));
    return token;
  }

  /** Every token there is, the oldest first. */
  async list(): Promise<TokenInfo[]> {
    const uses = new Map(
      (await this.#notes.notes(USES)).map(({ key, json }) => [key, json]),
    );
    const rows = await this.#notes.notes(SHELF);
    return rows.map(({ key, json }) => {
      const { id, name, created_at } = JSON.parse(json);
      const use = uses.get(key);
      const lastUsed = use === undefined ? null : JSON.parse(use).last_used;
      return { id, name, createdAt: created_at, lastUsed };
    }).sort((a, b) => a.createdAt < b.createdAt ? -1 : 1);
  }

  /** Takes a token back; it is refused from then on. False if there is none. */
  async revoke(name: string): Promise<boolean> {
    const rows = await this.#notes.notes(SHELF);
    let revoked = false;
    for (const { key, json } of rows) {
      if (JSON.parse(json).name !== name) continue;
      revoked = await this.#notes.dropNote(SHELF, key) || revoked;
      await this.#notes.dropNote(USES, key);
    }
    return revoked;
  }

  /** The id of a token as a client sent it; null if it is none of ours. */
  async find(token: string): Promise<string | null> {
    if (!TOKEN.test(token)) return null;
    const key = keyOf(token);
    const json = await this.#notes.note(SHELF, key);
    if (json === null) return null;
    this.#used(key);
    return JSON.parse(json).id;
  }

  /** Whether there is any token at all. */
  async any(): Promise<boolean> {
    return (await this.#notes.notes(SHELF)).length > 0;
  }

  #used(key: string): void {
    const now = this.#now();
    const last = this.#noted.get(key) ?? -Infinity;
    if (now.getTime() - last < USE_EVERY_MS) return;
    this.#noted.set(key, now.getTime());
    const use = JSON.stringify({ last_used: now.toISOString() });
    // Nobody waits for it, and a full disk must not refuse a good token.
    this.#notes.putNote(USES, key, use).catch(() => this.#noted.delete(key));
  }
}

function newToken(): string {
  let number = 0n;
  for (const byte of crypto.getRandomValues(new Uint8Array(BYTES))) {
    number = number << 8n | BigInt(byte);
  }
  let digits = "";
  while (digits.length < LENGTH) {
    digits = DIGITS[Number(number % 62n)] + digits;
    number /= 62n;
  }
  return `tt_${digits}`;
}

function keyOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
