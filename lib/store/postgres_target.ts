/**
 * `DATABASE_URL`, as what the driver wants to know.
 *
 * @module
 */
import { StoreError } from "./contract.ts";

/** Where the database is, and how to get in. */
export interface Target {
  /** What people may call it: `host:port/database`, no user, no password. */
  name: string;
  user: string;
  password: string;
  database: string;
  /** One of them is enough; tried in turn. */
  hosts: { host: string; port: number }[];
  /** A unix socket, instead of `hosts`. */
  path: string | null;
  ssl: "require" | "allow" | "prefer" | "verify-full" | false;
  /** The authority that vouches for the server, as PEM. */
  authority: string | null;
  /** False where a pooler gives each transaction another session. */
  prepare: boolean;
  standby: "read-write" | "primary" | undefined;
  /** Sent to the server as they are. */
  settings: Record<string, string>;
}

const PORT = 5432;

/**
 * Reads `postgres://user:password@host:port/database`, perhaps with several
 * hosts and commas between them, and with the parameters people copy from their
 * provider: `sslmode`, `sslrootcert`, `host` (a directory: the unix socket in it),
 * `target_session_attrs`, `options`, `application_name`, and `prepare=false`.
 * Others are for other programs and left alone.
 *
 * @throws {StoreError} that does not repeat the address, which has a password.
 */
export function readTarget(address: string): Target {
  const { url, hosts } = parse(address) ?? {};
  if (url === undefined || hosts === undefined) {
    throw new StoreError(
      "io",
      "Cannot open the database in DATABASE_URL (value not shown): it must be " +
        "like postgres://user:password@host:5432/database, with %-escapes for " +
        "what is special in a URL",
    );
  }
  const given = url.searchParams;
  const user = decodeURIComponent(url.username) || given.get("user") ||
    "postgres";
  const database = decodeURIComponent(url.pathname.slice(1)) || user;
  const socketDir = given.get("host");
  const path = socketDir?.startsWith("/")
    ? `${socketDir}/.s.PGSQL.${hosts[0]!.port}`
    : null;
  const settings: Record<string, string> = { application_name: "tickertape" };
  for (const name of ["application_name", "options"]) {
    const value = given.get(name);
    if (value !== null) settings[name] = value;
  }
  const attrs = given.get("target_session_attrs");
  const where = path ?? hosts.map(({ host, port }) => `${host}:${port}`);
  return {
    name: `${where}/${database}`,
    user,
    password: decodeURIComponent(url.password) || given.get("password") || "",
    database,
    hosts,
    path,
    ssl: path === null ? readSsl(given.get("sslmode")) : false,
    authority: readAuthority(given.get("sslrootcert")),
    prepare: given.get("prepare") !== "false",
    standby: attrs === "read-write" || attrs === "primary" ? attrs : undefined,
    settings,
  };
}

/** The password in it, which no log may show; empty if there is none. */
export function passwordOf(address: string): string {
  return readTarget(address).password;
}

/** As libpq: encrypted if the server can, unless told otherwise. */
function readSsl(mode: string | null): Target["ssl"] {
  if (mode === null || mode === "prefer") return "prefer";
  if (mode === "disable" || mode === "false") return false;
  if (mode === "allow" || mode === "require") return mode;
  return "verify-full";
}

function readAuthority(file: string | null): string | null {
  if (file === null || file === "system") return null;
  try {
    return Deno.readTextFileSync(file);
  } catch (cause) {
    throw new StoreError(
      "io",
      `Cannot read "${file}", the sslrootcert in DATABASE_URL: look whether ` +
        "it is there and may be read",
      { cause },
    );
  }
}

function parse(
  address: string,
): { url: URL; hosts: Target["hosts"] } | null {
  const scheme = address.match(/^postgres(?:ql)?:\/\//i)?.[0];
  if (scheme === undefined) return null;
  const [authority = ""] = address.slice(scheme.length).split(/[/?#]/);
  const at = scheme.length + authority.lastIndexOf("@") + 1;
  const list = authority.slice(authority.lastIndexOf("@") + 1);
  const rest = address.slice(scheme.length + authority.length);
  const urls = list.split(",").map((host) =>
    // A host's name is optional where a parameter names a socket.
    URL.parse(`${address.slice(0, at)}${host || "localhost"}${rest}`)
  );
  if (urls.some((url) => url === null)) return null;
  const [url] = urls as URL[];
  try {
    [url!.username, url!.password, url!.pathname].map(decodeURIComponent);
  } catch {
    return null;
  }
  return {
    url: url!,
    hosts: (urls as URL[]).map(({ hostname, port }) => ({
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: port === "" ? PORT : Number(port),
    })),
  };
}
