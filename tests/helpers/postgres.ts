/**
 * A Postgres of the tests' own: a private cluster in a temporary directory, on a
 * free port of 127.0.0.1, with fsync on, and a fresh database per test.
 *
 * One cluster serves all test files of a process and is ended when that process
 * ends, however it ends. A test that kills the server starts one of its own.
 *
 * Where there is no Postgres, {@linkcode postgresTest} skips with a printed
 * reason; with `TICKERTAPE_E2E=require` it fails.
 *
 * @module
 */
import { tmpdir } from "node:os";
import postgres from "postgres";
import { TABLES } from "../../lib/store/postgres_schema.ts";
import {
  type ClusterFiles,
  createCluster,
  killCluster,
  type Programs,
  removeCluster,
  startServer,
  stopServer,
} from "./postgres_cluster.ts";

/** An empty database; dropped when disposed of. */
export interface TestDatabase extends AsyncDisposable {
  /** For `DATABASE_URL`: as a role with a password, owner but no superuser. */
  readonly url: string;
  readonly name: string;
  /** Part of `url`; must not be seen anywhere else. */
  readonly password: string;
  readonly cluster: TestCluster;
  /** Runs SQL in it as the superuser. */
  sql(text: string): Promise<Record<string, unknown>[]>;
}

/** A server with its data. */
export interface TestCluster extends AsyncDisposable {
  readonly port: number;
  /** Where its unix socket is, for `?host=`. */
  readonly socketDir: string;
  /** What the server has logged so far. */
  log(): Promise<string>;
  database(): Promise<TestDatabase>;
  /** kill -9 of the server and all its processes; resolves once they are gone. */
  kill(): Promise<void>;
  /** Ends the server, breaking off what runs ("fast"). */
  stop(): Promise<void>;
  /** Starts it after either; resolves once it answers. */
  start(): Promise<void>;
  restart(): Promise<void>;
}

const programs = findPrograms();
const required = Deno.env.get("TICKERTAPE_E2E") === "require";

/** Why there is none, or null. */
export const noPostgres: string | null = programs === null
  ? "no initdb and postgres in PATH or /usr/lib/postgresql"
  : null;

if (noPostgres !== null && !required) {
  console.log(`Tests on Postgres are skipped: ${noPostgres}.`);
}

/** Registers a test that gets an empty database. */
export function postgresTest(
  name: string,
  body: (db: TestDatabase) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: databases.missing,
    async fn() {
      await using db = await databaseForTests();
      await body(db);
    },
  });
}

let reused: Promise<TestDatabase> | null = null;

/**
 * For suites of many small tests that want an address: an empty database for as
 * long as `body` takes. It is the same one each time, emptied, which is four
 * times as fast as a fresh one.
 */
export const databases = {
  missing: noPostgres !== null && !required,
  use: async (body: (url: string) => Promise<void>): Promise<void> => {
    const db = await (reused ??= databaseForTests());
    try {
      await body(db.url);
    } finally {
      // As a replica does: without looking what refers to what.
      const all = [...TABLES, "removed"].map((table) =>
        `DELETE FROM tickertape.${table}`
      );
      await db.sql(
        `SET session_replication_role = replica; ${all.join("; ")}`,
      );
    }
  },
};

/** An empty database on the cluster all tests of this process share. */
export async function databaseForTests(): Promise<TestDatabase> {
  return await (await sharedCluster()).database();
}

/** A cluster of its own, for a test that kills it. Takes about a second. */
export async function startCluster(): Promise<TestCluster> {
  const dir = await Deno.makeTempDir({ prefix: "tickertape-pg-" });
  return new Cluster(await createCluster(found(), dir));
}

async function sharedCluster(): Promise<TestCluster> {
  // Test files do not share modules, only the process: whoever makes the
  // directory makes the cluster, the others wait for its last file.
  const dir = `${tmpdir()}/tickertape-pg-${Deno.pid}`;
  const ready = `${dir}/ready.json`;
  try {
    await Deno.mkdir(dir);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return new Cluster(await waitFor(ready));
  }
  const files = await createCluster(found(), dir);
  await Deno.writeTextFile(`${ready}.new`, JSON.stringify(files));
  await Deno.rename(`${ready}.new`, ready);
  return new Cluster(files);
}

async function waitFor(file: string): Promise<ClusterFiles> {
  for (let tries = 0; tries < 600; tries++) {
    try {
      return JSON.parse(await Deno.readTextFile(file));
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`Cannot use the Postgres of "${file}": it never started`);
}

class Cluster implements TestCluster {
  #files: ClusterFiles;

  constructor(files: ClusterFiles) {
    this.#files = files;
  }

  get port(): number {
    return this.#files.port;
  }

  get socketDir(): string {
    return this.#files.dir;
  }

  async database(): Promise<TestDatabase> {
    const { role } = this.#files;
    const name = `t_${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;
    await this.#sql("postgres", `CREATE DATABASE ${name} OWNER ${role.name}`);
    return {
      url: this.#url(role, name),
      name,
      password: role.password,
      cluster: this,
      sql: (text) => this.#sql(name, text),
      [Symbol.asyncDispose]: async () => {
        await this.#sql("postgres", `DROP DATABASE ${name} WITH (FORCE)`);
      },
    };
  }

  log(): Promise<string> {
    return Deno.readTextFile(`${this.#files.dir}/log`);
  }

  kill(): Promise<void> {
    return killCluster(this.#files);
  }

  stop(): Promise<void> {
    return stopServer(found(), this.#files);
  }

  start(): Promise<void> {
    return startServer(found(), this.#files);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await killCluster(this.#files);
    await removeCluster(this.#files);
  }

  async #sql(database: string, text: string) {
    const sql = postgres(this.#url(this.#files.admin, database), {
      max: 1,
      onnotice: () => {},
    });
    try {
      return [...await sql.unsafe(text)] as Record<string, unknown>[];
    } finally {
      await sql.end();
    }
  }

  #url({ name, password }: ClusterFiles["role"], database: string): string {
    return `postgres://${name}:${password}@127.0.0.1:${this.port}/${database}`;
  }
}

function found(): Programs {
  if (programs === null) throw new Error(`Cannot test: ${noPostgres}`);
  return programs;
}

/** The newest that is installed, but first what PATH names. */
function findPrograms(): Programs | null {
  const installed = "/usr/lib/postgresql";
  const versions = exists(installed)
    ? [...Deno.readDirSync(installed)].map(({ name }) => name)
      .sort((a, b) => Number(b) - Number(a))
    : [];
  const dirs = [
    ...(Deno.env.get("PATH") ?? "").split(":"),
    ...versions.map((version) => `${installed}/${version}/bin`),
  ];
  const bin = dirs.find((dir) =>
    ["initdb", "postgres", "pg_ctl"].every((name) => exists(`${dir}/${name}`))
  );
  return bin === undefined ? null : { bin };
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
