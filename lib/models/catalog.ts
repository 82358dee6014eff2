/**
 * The models people can choose from, and the one that answers where nobody
 * chose. With settings these are what the server of the settings offers
 * (`configured_catalog.ts`), without them what is found on this computer, else
 * the demo (`local_catalog.ts`).
 *
 * @module
 */
import type { Model } from "../agent/contracts.ts";
import type { ModelsView } from "../chat/views.ts";
import { configuredCatalog } from "./configured_catalog.ts";
import type { DemoUpstream } from "./demo/mod.ts";
import type { LocalPort } from "./find.ts";
import { localCatalog } from "./local_catalog.ts";

export interface Catalog {
  /**
   * What answers where a chat has no choice of its own. The first call may have
   * to look around or ask for the list; call it once at the start, so that
   * `about` and `words` know. Where no model can be had, its answer is the error
   * that says what to do.
   */
  standard(): Promise<Model>;
  /**
   * The model with this id, always the same object, so that it remembers what
   * its server refused. Null: not offered.
   */
  find(id: string): Promise<Model | null>;
  /** What can be chosen, looked up anew when that was long ago. Never rejects. */
  view(): Promise<ModelsView>;
  /** The standard, as far as it is known now. */
  about(): { id: string; demo: boolean };
  /** The standard and where it comes from, for the start's announcement. */
  words(): string;
  /** Leaves off asking, and ends the demo. */
  close(): Promise<void>;
}

/** The model server of the settings. */
export interface ServerSettings {
  /** A secret: sent to `baseUrl` and nowhere else (S07). */
  apiKey: string | null;
  /** Without a trailing slash; null is OpenAI itself. */
  baseUrl: string | null;
  /** Null: the first chat model it offers. */
  name: string | null;
}

export interface CatalogOptions {
  /** The part of the settings that is about models. */
  config: {
    /** Our own, which is never asked for models. */
    port: number;
    /** Null: looked for on this computer. */
    model: ServerSettings | null;
    /** The standard among what is found on this computer, if it is there. */
    localModel: string | null;
    /** Models of the Responses API, as `usesResponses` reads them. */
    responsesModels: readonly string[];
  };
  /** Starts the demo; called once, and only when it has to speak. */
  demo: () => Promise<
    Pick<DemoUpstream, "apiKey" | "baseUrl" | "model" | "close">
  >;
  /** Hears what is not as it should be; safe to log. */
  warn: (message: string) => void;
  /** Instead of the usual ports of model servers. */
  ports?: readonly LocalPort[];
  /** Milliseconds that only grow; lists grow old by it. */
  now?: () => number;
}

/** The catalog these settings ask for. Opens nothing before it is asked. */
export function createCatalog(options: CatalogOptions): Catalog {
  return options.config.model === null
    ? localCatalog(options)
    : configuredCatalog(options.config.model, options);
}

/** A catalog with this one model. */
export function soleModel(model: Model): Catalog {
  const { id } = model;
  return {
    standard: () => Promise.resolve(model),
    find: (wanted) => Promise.resolve(wanted === id ? model : null),
    view: () => Promise.resolve({ standard: id, models: [{ id, from: id }] }),
    about: () => ({ id, demo: false }),
    words: () => id,
    close: () => Promise.resolve(),
  };
}
