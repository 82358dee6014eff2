/**
 * `deno task doctor`: says what would keep the app from working, one line each,
 * with what to do about it. Ends with 1 if anything would.
 *
 * @module
 */
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { type Config, ConfigError, readConfig } from "../lib/config.ts";
import { scrub } from "../lib/log.ts";
import { askPort, portsToAsk } from "../lib/models/find.ts";
import {
  type ListedModel,
  listModels,
  whyNoList,
} from "../lib/models/model_list.ts";
import { DEMO, isChatModel } from "../lib/models/model_names.ts";
import { openStore } from "../lib/store/mod.ts";
import type { Look } from "../lib/store/postgres_open.ts";
import { configFlags, environment, exists, findHost, ROOT } from "./launch.ts";

type Verdict = "ok" | "warn" | "fail";

/** What was found, and what to do about it if it is not well. */
interface Finding {
  verdict: Verdict;
  subject: string;
  words: string;
}

/** How long the model's server may take to answer, ms. */
const PATIENCE = 3_000;

const BROWSERS = [
  Deno.env.get("CHROMIUM_PATH"),
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

let failed = false;

function tell({ verdict, subject, words }: Finding): void {
  failed ||= verdict === "fail";
  console.log(`${verdict.padEnd(5)}${subject.padEnd(10)}${scrub(words)}`);
}

function finding(verdict: Verdict, subject: string, words: string): Finding {
  return { verdict, subject, words };
}

function aboutDeno(): Finding {
  const { deno } = Deno.version;
  const [major = 0, minor = 0] = deno.split(".").map(Number);
  const fits = major > 2 || major === 2 && minor >= 9;
  return fits
    ? finding("ok", "deno", deno)
    : finding("fail", "deno", `${deno}: 2.9 or later is needed (deno upgrade)`);
}

async function aboutHost(): Promise<Finding> {
  const { host, why } = await findHost();
  return finding("ok", "host", `${host}: ${why}`);
}

function aboutPackages(): Finding {
  return exists("node_modules")
    ? finding("ok", "packages", "installed")
    : finding("warn", "packages", "will be downloaded at the first start");
}

function aboutSettings(): { config?: Config; findings: Finding[] } {
  try {
    const config = readConfig(environment());
    const notes = config.warnings.map((text) =>
      finding("warn", "settings", text)
    );
    return {
      config,
      findings: notes.length > 0
        ? notes
        : [finding("ok", "settings", "none is wrong")],
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return {
      findings: error.problems.map((text) => finding("fail", "settings", text)),
    };
  }
}

async function aboutData(data: string): Promise<Finding> {
  const dir = new URL(
    `${data.replace(/\/*$/, "")}/`,
    data.startsWith("/") ? "file:///" : ROOT,
  );
  const probe = new URL(`.doctor-${crypto.randomUUID()}`, dir);
  try {
    await Deno.mkdir(dir, { recursive: true });
    await Deno.writeTextFile(probe, "");
    await Deno.remove(probe);
    return finding("ok", "data", `${data} can be written`);
  } catch (error) {
    const reason = error instanceof Error ? error.name : "unknown";
    return finding(
      "fail",
      "data",
      `${data} cannot be written (${reason}): set TICKERTAPE_DATA to a folder that can`,
    );
  }
}

/**
 * Asks the database server, in a process of its own: that needs a package, which
 * the tasks do without. Nothing is changed there.
 */
async function aboutPostgres(url: string): Promise<Finding> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", ...configFlags("npm"), "tasks/postgres_look.ts"],
    cwd: ROOT,
    env: { DATABASE_URL: url, NO_COLOR: "1" },
  }).output();
  if (!success) {
    const said = new TextDecoder().decode(stderr).trim();
    return finding("fail", "database", said.split("\n").at(-1)!);
  }
  const { name, version, schema, durable, connections }: Look = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  const tables = schema === 0
    ? "our tables will be made at the first start"
    : `schema ${schema}`;
  return durable
    ? finding(
      "ok",
      "database",
      `Postgres ${version} at ${name} answers: ${tables}, ` +
        `${connections} connections at most (an instance takes up to 5)`,
    )
    : finding(
      "warn",
      "database",
      `Postgres ${version} at ${name} loses answers when the power fails: ` +
        "set its fsync and full_page_writes to on",
    );
}

/** Opens the database as the server would; one that is not there yet is well. */
async function aboutDatabase({ data, database }: Config): Promise<Finding> {
  if (database !== null) return await aboutPostgres(database);
  const path = resolve(fileURLToPath(ROOT), data, "tickertape.db");
  try {
    await Deno.stat(path);
  } catch {
    return finding("ok", "database", "will be made at the first start");
  }
  try {
    await openStore({ kind: "sqlite", path }).close();
    return finding("ok", "database", "opens, and nothing is damaged");
  } catch (error) {
    return finding("fail", "database", (error as Error).message);
  }
}

function aboutSqlite(): Finding {
  const db = new DatabaseSync(":memory:");
  try {
    const row = db.prepare("select sqlite_version() as version").get();
    return finding("ok", "sqlite", String(row?.version));
  } finally {
    db.close();
  }
}

async function aboutModel(config: Config): Promise<Finding> {
  const { model } = config;
  if (model === null) return await aboutLocalModels(config);
  const base = model.baseUrl ?? "https://api.openai.com/v1";
  const { apiKey, name } = model;
  const listing = await listModels({ apiKey, baseUrl: base, ms: PATIENCE });
  if (listing.kind === "list") return aboutList(base, name, listing.models);
  const status = listing.kind === "status" ? listing.status : null;
  if (status === 401 || status === 403) {
    return finding(
      "fail",
      "model",
      `${base} refuses the key (status ${status}): check OPENAI_API_KEY`,
    );
  }
  if (listing.kind === "unreachable" || listing.kind === "late") {
    return finding(
      "fail",
      "model",
      `${base} cannot be reached: check OPENAI_BASE_URL and the network`,
    );
  }
  if (name === null) {
    return finding(
      "fail",
      "model",
      `${base} gives no list of models (${
        whyNoList(listing)
      }): set OPENAI_MODEL`,
    );
  }
  return status === 404
    ? finding("ok", "model", `${name} at ${base}, which has no list of models`)
    : finding(
      "warn",
      "model",
      `${base} gives no list of models (${whyNoList(listing)})`,
    );
}

/**
 * Counts the tool servers. What each entry means is read at the start, which needs
 * packages that may not be here yet.
 */
async function aboutToolServers({ mcp }: Config): Promise<Finding> {
  const file = mcp ?? "tickertape.mcp.json";
  let text: string;
  try {
    text = await Deno.readTextFile(new URL(file, ROOT));
  } catch {
    return mcp === null
      ? finding(
        "ok",
        "tools",
        "no MCP servers (tickertape.mcp.json names them)",
      )
      : finding(
        "fail",
        "tools",
        `${file} cannot be read: check TICKERTAPE_MCP`,
      );
  }
  try {
    const names = Object.keys(JSON.parse(text).mcpServers);
    return finding(
      "ok",
      "tools",
      `${file} names ${names.join(", ") || "none"}`,
    );
  } catch {
    return finding("fail", "tools", `${file} is no JSON with "mcpServers"`);
  }
}

function aboutList(
  base: string,
  name: string | null,
  models: ListedModel[],
): Finding {
  const names = models.map(({ name }) => name);
  const first = names.find(isChatModel);
  if (name === null) {
    return first === undefined
      ? finding("fail", "model", `${base} offers no chat model: add one there`)
      : finding("ok", "model", `${first} at ${base}, the first it offers`);
  }
  return names.includes(name) || names.includes(`${name}:latest`)
    ? finding("ok", "model", `${name} at ${base} answers`)
    : finding(
      "warn",
      "model",
      `${base} answers, but ${name} is not in its list: check OPENAI_MODEL`,
    );
}

async function aboutLocalModels(
  { port, localModel }: Config,
): Promise<Finding> {
  if (localModel === DEMO) {
    return finding("ok", "model", "the built-in demo, as OPENAI_MODEL says");
  }
  const answers = await Promise.all(
    portsToAsk(port).map((place) => askPort(place)),
  );
  const models = answers.flatMap((found) =>
    found === null || found === "late"
      ? []
      : found.models.map((model) => ({ model, from: found.name }))
  );
  const wanted = models.find(({ model }) =>
    model === localModel || model === `${localModel}:latest`
  );
  const speaks = wanted ?? models.find(({ model }) => isChatModel(model));
  const missed = localModel !== null && wanted === undefined
    ? "OPENAI_MODEL is not offered on this computer: "
    : "";
  if (speaks === undefined) {
    return finding(
      "warn",
      "model",
      `${missed}the built-in demo speaks: set OPENAI_API_KEY or ` +
        "OPENAI_BASE_URL for a real one, or start Ollama, LM Studio or " +
        "llama.cpp with a chat model",
    );
  }
  const { model, from } = speaks;
  return finding(
    missed === "" ? "ok" : "warn",
    "model",
    `${missed}${model} of ${from} on this computer (found by itself)`,
  );
}

function aboutPort({ port, hostname }: Config): Finding {
  try {
    Deno.listen({ port, hostname }).close();
    return finding("ok", "address", `${hostname}:${port} is free`);
  } catch (error) {
    const taken = error instanceof Deno.errors.AddrInUse;
    return finding(
      taken ? "warn" : "fail",
      "address",
      taken
        ? `${hostname}:${port} is taken, perhaps by this app; else set PORT`
        : `${hostname}:${port} cannot be listened on: set PORT or HOST`,
    );
  }
}

function aboutBrowser(): Finding {
  const path = BROWSERS.find((path) => {
    try {
      return path !== undefined && Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
  return path ? finding("ok", "chromium", path) : finding(
    "warn",
    "chromium",
    "none found, so tests in a browser are skipped: install one or set CHROMIUM_PATH",
  );
}

tell(aboutDeno());
tell(await aboutHost());
tell(aboutPackages());
const { config, findings } = aboutSettings();
findings.forEach(tell);
tell(aboutSqlite());
if (config) {
  tell(await aboutData(config.data));
  tell(await aboutDatabase(config));
  tell(aboutPort(config));
  tell(await aboutModel(config));
  tell(await aboutToolServers(config));
}
tell(aboutBrowser());
Deno.exit(failed ? 1 : 0);
