/**
 * Looks for model servers on this computer: one short question each, all at
 * once, without a key. Something else on such a port (a web page, a redirect, a
 * flood, silence) is no model server.
 *
 * @module
 */
import { type Listing, listModels } from "./model_list.ts";

/** A port where a model server usually listens. */
export interface LocalPort {
  /** The server's name, as people know it. */
  name: string;
  port: number;
  /** Its `owned_by`, where the port alone does not tell whose it is. */
  owner?: string;
}

/** The best known first: it is preferred where several answer. */
export const LOCAL_PORTS: readonly LocalPort[] = [
  { name: "Ollama", port: 11434 },
  { name: "LM Studio", port: 1234 },
  { name: "llama.cpp", port: 8080, owner: "llamacpp" },
  { name: "vLLM", port: 8000, owner: "vllm" },
];

/** How long a server on this computer has, ms; the start waits for this. */
const PATIENCE = 250;

/** A model server that answered. */
export interface Found {
  /** As people know it: "Ollama". */
  name: string;
  /** What its requests call its models, in its order; there may be none yet. */
  models: string[];
}

/** Where to ask a server on this computer. */
export const localUrl = ({ port }: LocalPort) => `http://127.0.0.1:${port}/v1`;

/**
 * The ports to look at: all but our own, on which we would find ourselves (8000
 * is vLLM's and ours).
 */
export function portsToAsk(
  own: number,
  ports: readonly LocalPort[] = LOCAL_PORTS,
): LocalPort[] {
  return ports.filter(({ port }) => port !== own);
}

/**
 * Asks one port. `late` is a server too busy to say, or anything else that
 * hangs; null is none that could be used.
 */
export async function askPort(
  place: LocalPort,
  signal?: AbortSignal,
): Promise<Found | "late" | null> {
  const listing = await listModels({
    apiKey: null,
    baseUrl: localUrl(place),
    ms: PATIENCE,
    signal,
  });
  if (listing.kind === "late") return "late";
  if (!isModelServer(listing)) return null;
  const models = listing.models.map(({ name }) => name);
  return { name: nameOf(place, listing), models };
}

type Models = Extract<Listing, { kind: "list" }>;

/**
 * Whether a list is one of models. Tickertape offers models too (its owner's
 * name is in every row): one of two on this computer must not ask the other.
 */
function isModelServer(listing: Listing): listing is Models {
  return listing.kind === "list" && listing.enveloped &&
    !listing.models.some(({ owner }) => owner === "tickertape");
}

function nameOf(place: LocalPort, { models }: Models): string {
  const known = place.owner === undefined ||
    models.some(({ owner }) => owner === place.owner);
  return known ? place.name : `port ${place.port}`;
}
