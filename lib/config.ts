/**
 * Every setting, read once from the environment. All wrong ones are reported
 * together, in plain words; a secret's value is never repeated.
 *
 * @module
 */
import { LOG_LEVELS, type LogLevel } from "./log.ts";
import { aboutUrl, isPostgresUrl, Reader } from "./config_reader.ts";
import { isLoopback } from "./loopback.ts";

export { ConfigError } from "./config_reader.ts";

/** What `OPENAI_MODEL` is when only a key for OpenAI itself is given. */
export const DEFAULT_MODEL = "gpt-5.4-mini";

export interface ModelConfig {
  /** A secret: for the model adapter and `redact`, nobody else. */
  apiKey: string | null;
  /** Without a trailing slash; null is OpenAI itself. */
  baseUrl: string | null;
  /** Null: the first chat model its server offers. */
  name: string | null;
}

export interface Config {
  /** 0 lets the system choose. */
  port: number;
  /** The address it listens on, without brackets. */
  hostname: string;
  /** `loopback`: this computer only. `public`: whoever can reach it. */
  access: "loopback" | "public";
  /** The folder of the database file, where `database` is null. */
  data: string;
  /**
   * A Postgres database instead of the file, as in "postgres://...". Holds a
   * password: for the store and `redact`, nobody else.
   */
  database: string | null;
  /** Null: looked for on this computer, else the built-in demo. */
  model: ModelConfig | null;
  /** `OPENAI_MODEL` where `model` is null: the standard among what is found. */
  localModel: string | null;
  /**
   * The models asked through the Responses API: names, or beginnings followed by
   * `*`. All others are asked through Chat Completions.
   */
  responsesModels: string[];
  /** The public origin behind a proxy, as in "https://chat.example.org". */
  origin: string | null;
  /** Further Host names it answers to, lower case, with a port or for any. */
  hosts: string[];
  /** Null: what the browser asks for. */
  lang: "zh" | "en" | null;
  /** Null: found out at start. */
  serveWith: "fresh" | "npm" | null;
  /** A file, folder or http(s) URL of a GTFS feed; null is the sample feed. */
  gtfsFeed: string | null;
  /**
   * The file that names MCP servers; null is `tickertape.mcp.json` in the working
   * folder, if there is one.
   */
  mcp: string | null;
  /**
   * Null: the agent reads no web pages. `allow` names the hosts it may read, null
   * is any public one: `corp.com` is that host alone, `.corp.com` also everything
   * below it.
   */
  webReader: { allow: string[] | null } | null;
  /** Chats are removed this many days after their last question; null: never. */
  keepDays: number | null;
  log: LogLevel;
  /** Not wrong, but probably not meant: one sentence each. */
  warnings: string[];
}

const SETTINGS = [
  "TICKERTAPE_ACCESS",
  "TICKERTAPE_DATA",
  // Read by the tests alone; no reason to warn of it.
  "TICKERTAPE_E2E",
  "TICKERTAPE_FAULTS",
  "TICKERTAPE_FAULTS_OUT",
  "TICKERTAPE_FULL",
  "TICKERTAPE_HOSTS",
  "TICKERTAPE_KEEP_DAYS",
  "TICKERTAPE_LANG",
  "TICKERTAPE_LOG",
  "TICKERTAPE_MCP",
  "TICKERTAPE_ORIGIN",
  "TICKERTAPE_SERVE_WITH",
  "TICKERTAPE_WEB_READER",
];

const NOT_BUILT = ["token", "users", "proxy"];

const RISK =
  "anyone who can reach this address can chat and spend your API key";

function readPort(read: Reader): number {
  const text = read.text("PORT");
  if (text === undefined) return 8000;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65535) return port;
  read.wrong("PORT", "must be a whole number from 0 to 65535", "8000");
  return 8000;
}

function readKeepDays(read: Reader): number | null {
  const text = read.text("TICKERTAPE_KEEP_DAYS");
  if (text === undefined) return null;
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (days > 0) return days;
  read.wrong(
    "TICKERTAPE_KEEP_DAYS",
    "must be a whole number of days, at least 1 (leave it out to keep all chats)",
    "365",
  );
  return null;
}

function readHostname(read: Reader): string {
  const text = read.text("HOST") ?? "127.0.0.1";
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  const v6 = bare.includes(":") && URL.canParse(`http://[${bare}]`);
  if (!v6 && !/^[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?$/i.test(bare)) {
    const rule = /^[^:]+:\d+$/.test(bare)
      ? "is an address without a port (the port is PORT)"
      : "must be an IP address or a host name";
    read.wrong("HOST", rule, "127.0.0.1");
    return "127.0.0.1";
  }
  return bare;
}

function readAccess(read: Reader, hostname: string): "loopback" | "public" {
  const text = read.text("TICKERTAPE_ACCESS");
  if (text === "public") return "public";
  if (text !== undefined && NOT_BUILT.includes(text)) {
    read.wrong(
      "TICKERTAPE_ACCESS",
      `is designed but not built yet; today there is "loopback" (this ` +
        `computer only) and "public" (${RISK})`,
      "loopback",
    );
    return "loopback";
  }
  if (text !== undefined && text !== "loopback") {
    read.wrong(
      "TICKERTAPE_ACCESS",
      `must be "loopback" (this computer only) or "public" (${RISK})`,
      "loopback",
    );
    return "loopback";
  }
  if (!isLoopback(hostname)) {
    read.wrong(
      "HOST",
      `other computers could connect, and there is no login yet: ${RISK}. ` +
        `Leave HOST out, or accept that with TICKERTAPE_ACCESS=public`,
      "127.0.0.1",
    );
  }
  return "loopback";
}

function readBaseUrl(read: Reader): string | null {
  const text = read.text("OPENAI_BASE_URL");
  if (text === undefined) return null;
  const { url, problem } = aboutUrl(text);
  if (problem !== null) {
    read.wrong("OPENAI_BASE_URL", problem, "https://api.openai.com/v1");
    return null;
  }
  if (url.search !== "" || url.hash !== "") {
    read.wrongSecret(
      "OPENAI_BASE_URL",
      "must not have a query (?...) or a fragment (#...)",
      "https://api.openai.com/v1",
    );
  }
  return url.href.replace(/\/+$/, "");
}

function readModel(read: Reader): ModelConfig | null {
  const apiKey = read.text("OPENAI_API_KEY") ?? null;
  if (apiKey !== null && !/^[\x21-\x7e]+$/.test(apiKey)) {
    read.wrongSecret(
      "OPENAI_API_KEY",
      "has a space, a line break or a character that no key has",
      "sk-...",
    );
  }
  const asked = read.has("OPENAI_BASE_URL");
  const baseUrl = readBaseUrl(read);
  const name = read.text("OPENAI_MODEL") ?? null;
  if (apiKey === null && !asked) return null;
  const host = baseUrl === null ? "" : new URL(baseUrl).hostname;
  if (apiKey !== null && baseUrl?.startsWith("http:") && !isLoopback(host)) {
    read.warn(
      "OPENAI_BASE_URL is plain http to another computer: the key travels " +
        "unencrypted.",
    );
  }
  const openai = host === "" || host === "api.openai.com";
  return { apiKey, baseUrl, name: name ?? (openai ? DEFAULT_MODEL : null) };
}

function readResponsesModels(read: Reader): string[] {
  const text = read.text("OPENAI_API");
  const word = text?.toLowerCase() ?? "chat";
  if (text === undefined || word === "chat") return [];
  if (word === "responses") return ["*"];
  const names = text.split(/[\s,]+/).filter((name) => name);
  // The two words are for all models, and would be no one's name.
  const fine = (name: string) =>
    /^[^*]*\*?$/.test(name) && name !== "chat" && name !== "responses";
  if (names.every(fine)) return names;
  read.wrong(
    "OPENAI_API",
    'must be "chat", "responses", or the names of the models that are asked ' +
      "through the Responses API, with commas between them (a * at the end " +
      "stands for any ending)",
    "gpt-5*,o3",
  );
  return [];
}

function readDatabase(read: Reader): string | null {
  const text = read.text("DATABASE_URL");
  if (text === undefined || isPostgresUrl(text)) return text ?? null;
  read.wrongSecret(
    "DATABASE_URL",
    "must be the URL of a Postgres database, with %-escapes for what is " +
      "special in a URL; leave it out and the database is a SQLite file in " +
      "TICKERTAPE_DATA",
    "postgres://user:password@host:5432/database",
  );
  return null;
}

function readOrigin(read: Reader): string | null {
  const text = read.text("TICKERTAPE_ORIGIN");
  if (text === undefined) return null;
  const { url, problem } = aboutUrl(text);
  if (problem !== null) {
    read.wrong("TICKERTAPE_ORIGIN", problem, "https://chat.example.org");
    return null;
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    read.wrong(
      "TICKERTAPE_ORIGIN",
      "must be an origin: scheme, host and perhaps a port, nothing after",
      url.origin,
    );
  }
  return url.origin;
}

const HOST_NAME =
  /^(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9._-]{0,252}[a-z0-9_])?)(:\d{1,5})?$/;

function readHosts(read: Reader): string[] {
  const text = read.text("TICKERTAPE_HOSTS");
  if (text === undefined) return [];
  const hosts = text.toLowerCase().split(/[\s,]+/).filter((name) => name);
  if (!hosts.every((name) => HOST_NAME.test(name))) {
    read.wrong(
      "TICKERTAPE_HOSTS",
      "must be host names with commas between them, each perhaps with a port " +
        "(no scheme, no path, no *)",
      "chat.local,box:8000",
    );
    return [];
  }
  return hosts;
}

function readFeed(read: Reader): string | null {
  const text = read.text("GTFS_FEED");
  if (text === undefined) return null;
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) {
    const { problem } = aboutUrl(text);
    if (problem !== null) {
      read.wrong("GTFS_FEED", `${problem}, or be a path`, "./feed.zip");
    }
  }
  return text;
}

/** A host as requests will name it, perhaps with a dot before it; else null. */
function readableHost(entry: string): string | null {
  if (/[:/\\@?#]/.test(entry)) return null;
  const dot = entry.startsWith(".") ? "." : "";
  // The parser knows the letters of DNS, and writes IPv4 as four numbers.
  const url = URL.parse(`http://${entry.slice(dot.length)}/`);
  const host = url?.hostname.replace(/\.$/, "") ?? "";
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(host)) return null;
  if (/(^|\.)\d+$/.test(host)) return null;
  // A word alone is no public host, but probably meant "on".
  return dot !== "" || host.includes(".") ? dot + host : null;
}

function readWebReader(read: Reader): Config["webReader"] {
  const text = read.text("TICKERTAPE_WEB_READER") ?? "off";
  if (text.toLowerCase() === "off") return null;
  if (text.toLowerCase() === "on") return { allow: null };
  const hosts = text.split(/[\s,]+/).filter((name) => name).map(readableHost);
  if (hosts.length > 0 && !hosts.includes(null)) {
    return { allow: hosts as string[] };
  }
  read.wrong(
    "TICKERTAPE_WEB_READER",
    'must be "off", "on" (any public host), or the names of the hosts that may ' +
      "be read, with commas between them (no scheme, port or path; a dot before " +
      "a name adds everything below it)",
    "docs.example.org,.wikipedia.org",
  );
  return null;
}

/**
 * Reads the settings from an environment (`Deno.env.toObject()`). An empty value
 * counts as not set.
 *
 * @throws {ConfigError} naming every wrong setting.
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const read = new Reader(env);
  const hostname = readHostname(read);
  const model = readModel(read);
  const config: Config = {
    port: readPort(read),
    hostname,
    access: readAccess(read, hostname),
    data: read.text("TICKERTAPE_DATA") ?? "./data",
    database: readDatabase(read),
    model,
    localModel: model === null ? read.text("OPENAI_MODEL") ?? null : null,
    responsesModels: readResponsesModels(read),
    origin: readOrigin(read),
    hosts: readHosts(read),
    lang: read.choice("TICKERTAPE_LANG", ["zh", "en"]),
    serveWith: read.choice("TICKERTAPE_SERVE_WITH", ["fresh", "npm"]),
    gtfsFeed: readFeed(read),
    mcp: read.text("TICKERTAPE_MCP") ?? null,
    webReader: readWebReader(read),
    keepDays: readKeepDays(read),
    log: read.choice("TICKERTAPE_LOG", LOG_LEVELS) ?? "info",
    warnings: [],
  };
  read.unknown("TICKERTAPE_", SETTINGS);
  config.warnings = read.finish();
  return config;
}
