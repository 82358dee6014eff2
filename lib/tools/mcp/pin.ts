/**
 * What every tool of every server was when it was first seen. A tool that is
 * something else today is not called until a person has looked (threat 16, case
 * T06). Pins belong to a server, not to a visitor: whoever comes later must not
 * be offered in silence what was changed under the others' eyes.
 *
 * @module
 */
import { canonical, type Definition, MAX_DESCRIPTION } from "./definition.ts";

/** Where pins are kept. Both may reject; nothing is offered then. */
export interface PinStore {
  /** The JSON that was put under this key, or null. */
  get(key: string): Promise<string | null>;
  put(key: string, json: string): Promise<void>;
}

/** A tool as it was accepted. */
export interface Pin {
  hash: string;
  description: string;
  /** The schema as canonical JSON, its beginning: to show what changed. */
  schema: string;
  /** ISO 8601. */
  at: string;
}

/** Of the schema, as much as a person will compare. */
const SHOWN_SCHEMA = 4_000;
/** New tools of one server in the life of this process; more is an attack. */
const MAX_NEW = 1_000;

export class Pins {
  #known = new Map<string, Pin>();
  #counts = new Map<string, number>();
  /** Pins are read and written one after another: first sight happens once. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: PinStore,
    private readonly now: () => Date,
  ) {}

  /**
   * What the tool was pinned as; pins it if it was never seen. It is unchanged
   * if the hash is that of `tool`. Null: the server has shown more tools than
   * anybody could look at, so this one is not taken.
   */
  pinned(server: string, tool: Definition): Promise<Pin | null> {
    const key = keyOf(server, tool.name);
    const known = this.#known.get(key);
    if (known?.hash === tool.hash) return Promise.resolve(known);
    return this.#next(async () => {
      // Another process may have confirmed it meanwhile.
      const json = await this.store.get(key);
      if (json !== null) {
        const pin: Pin = JSON.parse(json);
        this.#known.set(key, pin);
        return pin;
      }
      const count = (this.#counts.get(server) ?? 0) + 1;
      if (count > MAX_NEW) return null;
      this.#counts.set(server, count);
      return await this.#put(key, tool);
    });
  }

  /** Accepts the tool as it is now. */
  accept(server: string, tool: Definition): Promise<Pin> {
    return this.#next(() => this.#put(keyOf(server, tool.name), tool));
  }

  async #put(key: string, tool: Definition): Promise<Pin> {
    const pin: Pin = {
      hash: tool.hash,
      description: tool.description.slice(0, MAX_DESCRIPTION),
      schema: schemaText(tool),
      at: this.now().toISOString(),
    };
    await this.store.put(key, JSON.stringify(pin));
    this.#known.set(key, pin);
    return pin;
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

/** The schema as a person compares it. */
export function schemaText(tool: Definition): string {
  return (canonical(tool.schema) ?? "").slice(0, SHOWN_SCHEMA);
}

/** Unambiguous: a server's name holds no slash. */
const keyOf = (server: string, tool: string) => `${server}/${tool}`;
