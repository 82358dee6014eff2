/**
 * Postgres's troubles, told to people. No message names a user or a password.
 *
 * @module
 */
import { StoreError } from "./contract.ts";

/** What went wrong between us and the server. */
export interface Trouble {
  kind: StoreError["kind"];
  /** What exactly is the matter, if more is known than the kind. */
  state?: string;
  remedy?: string;
  /**
   * The connection is lost or was never made: nothing can be known of what was
   * under way, and another try may fare better.
   */
  lost?: true;
  /** The same, but another try would fare no better. */
  refused?: true;
  /** The server gave up what was under way; another try may fare better. */
  again?: true;
}

const UNREACHABLE: Trouble = {
  kind: "io",
  state: "the server cannot be reached",
  remedy: "Start it, or look at the network and at DATABASE_URL",
  lost: true,
};
const ENDED: Trouble = {
  kind: "io",
  state: "the server ended the connection",
  remedy: "Look at its log",
  lost: true,
};
const REFUSED: Trouble = {
  kind: "io",
  state: "the server refuses the user or the password",
  remedy: "Look at DATABASE_URL",
  refused: true,
};
const UNTRUSTED: Trouble = {
  kind: "io",
  state: "the server's certificate cannot be trusted",
  remedy: "Name its authority's file (sslrootcert), or look at sslmode",
  refused: true,
};
const POOLED: Trouble = {
  kind: "io",
  state: "a pooler in between gives each transaction another session",
  remedy: "Add prepare=false to the query of DATABASE_URL",
};

// https://www.postgresql.org/docs/current/errcodes-appendix.html, and codes of
// the driver and the system. The longest key that begins a code decides.
const CODES: Record<string, Trouble> = {
  "08": ENDED,
  "25006": { kind: "readonly" },
  "25P02": { kind: "busy", again: true },
  "25P03": ENDED,
  "26000": POOLED,
  "28": REFUSED,
  "3D000": {
    kind: "io",
    state: "the server has no such database",
    remedy: "Make it (CREATE DATABASE), or look at DATABASE_URL",
    refused: true,
  },
  "40": { kind: "busy", again: true },
  "42501": {
    kind: "readonly",
    state: "the user may not write there",
    remedy: "Make it the owner of the database, or of its schema tickertape",
  },
  "42703": { kind: "damaged" },
  "42P01": { kind: "damaged" },
  "42P05": POOLED,
  "3F000": { kind: "damaged" },
  "53": { kind: "io" },
  "53100": { kind: "full" },
  "53300": {
    kind: "busy",
    state: "the server has no connection left",
    remedy: "Raise its max_connections; an instance takes up to 5",
    lost: true,
  },
  "55P03": { kind: "busy" },
  "57014": { kind: "busy" },
  "57P": ENDED,
  "57P03": { ...UNREACHABLE, state: "the server is starting or ending" },
  "58": { kind: "io" },
  "XX001": { kind: "damaged" },
  "XX002": { kind: "damaged" },
  CONNECTION_CLOSED: ENDED,
  CONNECTION_DESTROYED: ENDED,
  CONNECTION_ENDED: ENDED,
  CONNECT_TIMEOUT: UNREACHABLE,
  SASL_SIGNATURE_MISMATCH: REFUSED,
  CERT_HAS_EXPIRED: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  ERR_TLS_CERT_ALTNAME_INVALID: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  SILENT: { ...UNREACHABLE, state: "the server does not answer" },
  EACCES: UNREACHABLE,
  EAI_AGAIN: UNREACHABLE,
  ECONNREFUSED: UNREACHABLE,
  ECONNRESET: ENDED,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ENOENT: UNREACHABLE,
  ENOTFOUND: UNREACHABLE,
  EPIPE: ENDED,
  ETIMEDOUT: UNREACHABLE,
};

const WORDS: Record<StoreError["kind"], [state: string, remedy: string]> = {
  full: ["the server's disk is full", "Free some space; no restart is needed"],
  busy: ["the server is too busy", "Wait, or look what else it is doing"],
  readonly: [
    "the server takes no writes: it is a standby, or was set read-only",
    "Name the primary in DATABASE_URL",
  ],
  damaged: [
    "its tables are not those of Tickertape, or are damaged",
    "They were left as they are. Restore a backup into an empty database",
  ],
  newer: [
    "it was written by a newer version of Tickertape",
    "It was left as it is. Start that version, " +
    "or restore a backup from before the upgrade into an empty database",
  ],
  io: ["the server failed", "Look at its log"],
};

/** No more can be asked over this connection. */
export function isLost(trouble: Trouble | null): boolean {
  return trouble?.lost === true || trouble?.refused === true;
}

/** What an error says about the server or the way to it; null: about the call. */
export function troubleOf(error: unknown): Trouble | null {
  const { code } = error as { code?: unknown };
  if (typeof code !== "string") return null;
  for (let end = code.length; end >= 2; end--) {
    const trouble = CODES[code.slice(0, end)];
    if (trouble !== undefined) return trouble;
  }
  return null;
}

/**
 * A {@linkcode StoreError} in the words all of them share.
 *
 * @param name What people call the database, without user and password.
 */
export function postgresError(
  action: string,
  name: string,
  trouble: Trouble,
  cause?: unknown,
): StoreError {
  const [usual, remedy] = WORDS[trouble.kind];
  return new StoreError(
    trouble.kind,
    `Cannot ${action} database "${name}": ${trouble.state ?? usual}. ` +
      `${trouble.remedy ?? remedy}.`,
    { cause },
  );
}
