/**
 * The file that names the servers of tools, in the format other MCP clients use:
 * `{"mcpServers": {"files": {"command": "…"}, "web": {"url": "https://…"}}}`.
 *
 * It is read from disk, once, at the start. Nothing that comes over the network
 * can add a server or a command (threat 18, case T11), and what stands in it is
 * taken as it stands: `${NAME}` is text, never a variable (threat 20, case T12).
 *
 * @module
 */
import * as z from "zod";

/** Where the file is looked for when no setting names one. */
const DEFAULT_FILE = "tickertape.mcp.json";

/** A server as the operator described it. */
export interface ServerSpec {
  /** What its tools' names begin with. */
  name: string;
  link: StdioLink | HttpLink;
  /** The tools the operator vouches for: they only read. */
  read: string[];
  /** By the operator's word it passes nothing on that it is told. */
  local: boolean;
  /** Most a call may take, in milliseconds. */
  deadlineMs: number;
  /** What it was given and must not be repeated, whoever says it. */
  secrets: string[];
}

export interface StdioLink {
  kind: "stdio";
  command: string;
  args: string[];
  /** All the program gets to see of the environment. */
  env: Record<string, string>;
  cwd: string | null;
}

export interface HttpLink {
  kind: "http";
  url: string;
  headers: Record<string, string>;
}

export interface McpFile {
  servers: ServerSpec[];
  /** Values that must not be shown or logged. */
  secrets: string[];
  /** Not wrong, but probably not meant: one sentence each. */
  warnings: string[];
}

/** The file is wrong; the message lists every reason and repeats no value. */
export class McpFileError extends Error {
  override name = "McpFileError";
  constructor(
    /** One sentence per reason. */
    readonly problems: readonly string[],
  ) {
    super(
      `the list of tool servers (MCP) is wrong:\n${
        problems.map((text) => `  - ${text}`).join("\n")
      }`,
    );
  }
}

/** One MB: a list of servers, not a data file. */
const FILE_BYTES = 1_000_000;
/** Calls of MCP tools go to other programs and other people's servers. */
const DEADLINE_S = 60;

/** What a started program may see besides what the file gives it. */
const PASSED_ON = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  // Windows: without these a program does not even start.
  "APPDATA",
  "COMSPEC",
  "LOCALAPPDATA",
  "PATHEXT",
  "PROGRAMDATA",
  "PROGRAMFILES",
  "SYSTEMDRIVE",
  "SYSTEMROOT",
  "TEMP",
  "TMP",
  "USERPROFILE",
  "WINDIR",
];

/** Names of headers and variables whose values are nobody's business. */
const SECRET = /auth|token|key|secret|cookie|pass|pwd|cred|(^|[_-])pat$/i;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;
/** One `_` at a time: the `__` behind a server's name ends it for certain. */
const SERVER_NAME = /^[A-Za-z0-9]+([_-][A-Za-z0-9]+)*$/;

type Env = Record<string, string | undefined>;

const texts = z.record(z.string(), z.string());
const entry = z.looseObject({
  type: z.string().optional(),
  command: z.string().trim().min(1).optional(),
  args: z.array(z.string()).optional(),
  env: texts.optional(),
  cwd: z.string().min(1).optional(),
  url: z.string().optional(),
  headers: texts.optional(),
  tokenEnv: z.string().optional(),
  read: z.array(z.string()).optional(),
  local: z.boolean().optional(),
  deadline_s: z.number().positive().max(3600).optional(),
  disabled: z.boolean().optional(),
});
type Entry = z.infer<typeof entry>;

const OF_STDIO = ["command", "args", "env", "cwd"];
const OF_HTTP = ["url", "headers", "tokenEnv"];
const OF_BOTH = ["type", "read", "local", "deadline_s", "disabled"];

/**
 * Reads the servers.
 *
 * @param path the file, or null for {@linkcode DEFAULT_FILE} if there is one.
 * @param env the environment (`Deno.env.toObject()`), for `tokenEnv` and for the
 * few variables a started program gets.
 * @throws {McpFileError} when the file is wrong, or named and not there.
 */
export async function readMcpFile(
  path: string | null,
  env: Env,
): Promise<McpFile> {
  const file = path ?? DEFAULT_FILE;
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    if (missing && path === null) {
      return { servers: [], secrets: [], warnings: [] };
    }
    const why = missing ? "there is no such file" : "it cannot be read";
    throw new McpFileError([`${quoted(file)}: ${why}`]);
  }
  return parseMcpFile(text, quoted(file), env);
}

/** {@linkcode readMcpFile} for a text at hand; `file` is how errors name it. */
export function parseMcpFile(text: string, file: string, env: Env): McpFile {
  const problems: string[] = [];
  const warnings: string[] = [];
  const servers: ServerSpec[] = [];
  const allSecrets = new Set<string>();
  for (const [name, value] of entriesOf(text, file)) {
    const where = `${file}, server ${quoted(name)}`;
    const wrong = (what: string) => problems.push(`${where}: ${what}`);
    if (!SERVER_NAME.test(name) || name.length > 32) {
      wrong(
        "its name must be 1 to 32 letters, digits and single - or _ between them",
      );
      continue;
    }
    const parsed = entry.safeParse(value);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) wrong(complaint(issue));
      continue;
    }
    const server = parsed.data;
    if (server.disabled === true) continue;
    for (const key of Object.keys(server)) {
      if ([...OF_STDIO, ...OF_HTTP, ...OF_BOTH].includes(key)) continue;
      warnings.push(`${where}: ${quoted(key)} is not known and ignored`);
    }
    const secrets = new Set<string>();
    const link = linkOf(server, env, wrong, secrets);
    if (link === null) continue;
    secrets.forEach((secret) => allSecrets.add(secret));
    if (link.kind === "http" && isExposed(link)) {
      warnings.push(
        `${where}: plain http to another computer, so its token travels ` +
          "unencrypted",
      );
    }
    servers.push({
      name,
      link,
      read: server.read ?? [],
      local: server.local ?? false,
      deadlineMs: Math.round((server.deadline_s ?? DEADLINE_S) * 1000),
      secrets: [...secrets],
    });
  }
  if (problems.length > 0) throw new McpFileError(problems);
  return { servers, secrets: [...allSecrets], warnings };
}

/** The names and descriptions in the file, before anything is known of them. */
function entriesOf(text: string, file: string): [string, unknown][] {
  if (text.length > FILE_BYTES) {
    throw new McpFileError([`${file}: is larger than 1 MB`]);
  }
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    // The parser's message quotes the text, and with it perhaps a token.
    throw new McpFileError([`${file}: is not valid JSON`]);
  }
  const servers = (json as { mcpServers?: unknown } | null)?.mcpServers;
  if (
    typeof servers !== "object" || servers === null || Array.isArray(servers)
  ) {
    throw new McpFileError([
      `${file}: must be an object with "mcpServers", an object of servers by name`,
    ]);
  }
  return Object.entries(servers);
}

function linkOf(
  server: Entry,
  env: Env,
  wrong: (what: string) => void,
  secrets: Set<string>,
): StdioLink | HttpLink | null {
  if ((server.command === undefined) === (server.url === undefined)) {
    wrong('needs either "command" or "url"');
    return null;
  }
  const kind = server.url === undefined ? "stdio" : "http";
  for (const key of kind === "stdio" ? OF_HTTP : OF_STDIO) {
    if (Object.hasOwn(server, key)) {
      wrong(
        `"${key}" does not go with "${kind === "stdio" ? "command" : "url"}"`,
      );
    }
  }
  if (!typesOf(kind).includes(server.type ?? kind)) {
    wrong(
      server.type === "sse"
        ? "the old transport with two addresses (sse) is not spoken here; " +
          "ask the server's maker for its streamable HTTP address"
        : `"type" must be ${
          typesOf(kind).map(quoted).join(" or ")
        }, or left out`,
    );
  }
  return kind === "stdio"
    ? stdioLink(server, env, secrets)
    : httpLink(server, env, wrong, secrets);
}

const typesOf = (kind: "stdio" | "http"): string[] =>
  kind === "stdio"
    ? ["stdio"]
    : ["http", "streamable-http", "streamableHttp", "streamable_http"];

function stdioLink(server: Entry, env: Env, secrets: Set<string>): StdioLink {
  const given: Record<string, string> = {};
  for (const name of PASSED_ON) {
    if (env[name] !== undefined) given[name] = env[name];
  }
  for (const [name, value] of Object.entries(server.env ?? {})) {
    if (SECRET.test(name)) secrets.add(value);
  }
  return {
    kind: "stdio",
    command: server.command!,
    args: server.args ?? [],
    env: { ...given, ...server.env },
    cwd: server.cwd ?? null,
  };
}

function httpLink(
  server: Entry,
  env: Env,
  wrong: (what: string) => void,
  secrets: Set<string>,
): HttpLink | null {
  const url = URL.parse(server.url!);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    wrong('"url" must begin with http:// or https://');
    return null;
  }
  if (url.username !== "" || url.password !== "") {
    wrong('"url" must not carry a user name or password; use "headers"');
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(server.headers ?? {})) {
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value)) {
      wrong(`header ${quoted(name)} is not one that can be sent`);
      continue;
    }
    headers[name.toLowerCase()] = value;
    // Without the scheme: "Bearer" alone is no secret.
    if (SECRET.test(name)) secrets.add(value.replace(/^(bearer|basic) +/i, ""));
  }
  if (server.tokenEnv !== undefined) {
    const token = env[server.tokenEnv]?.trim() ?? "";
    if (server.tokenEnv === "OPENAI_API_KEY") {
      // A key is bound to its host (threat 21).
      wrong('"tokenEnv" must not be the key of the model provider');
    } else if (!/^[\x21-\x7e]+$/.test(token)) {
      wrong(
        `"tokenEnv" names ${
          quoted(server.tokenEnv)
        }, which is not set to a token`,
      );
    } else if (headers.authorization !== undefined) {
      wrong('has both "tokenEnv" and a header "authorization"');
    } else {
      headers.authorization = `Bearer ${token}`;
      secrets.add(token);
    }
  }
  return { kind: "http", url: url.href, headers };
}

/** Whether whoever is on the way can read the token. */
function isExposed({ url, headers }: HttpLink): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && headers.authorization !== undefined &&
    !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Says where and what kind, and repeats no value. */
function complaint(issue: z.core.$ZodIssue): string {
  const at = issue.path.map(String).join(".");
  const what = issue.code === "invalid_type"
    ? `must be ${
      /^[aeiou]/.test(issue.expected) ? "an" : "a"
    } ${issue.expected}`
    : at === "deadline_s"
    ? "must be a number of seconds from 0 to 3600"
    : "must not be empty";
  return at === "" ? what : `${quoted(at)} ${what}`;
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80));
