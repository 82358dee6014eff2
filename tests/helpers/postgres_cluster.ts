/**
 * The processes and files of a private Postgres cluster.
 *
 * @module
 */

/** Where `initdb`, `postgres` and `pg_ctl` are. */
export interface Programs {
  bin: string;
}

export interface ClusterFiles {
  /** Holds everything of it: data, unix socket, log. */
  dir: string;
  port: number;
  admin: { name: string; password: string };
  role: { name: string; password: string };
}

const SETTINGS = [
  "fsync = on",
  "synchronous_commit = on",
  "listen_addresses = '127.0.0.1'",
  "max_connections = 80",
  "shared_buffers = 32MB",
  "timezone = 'UTC'",
];

/**
 * Who may run Postgres: it refuses root. Null if we are not root and may
 * ourselves.
 */
function otherUser(): { uid: number; gid: number } | null {
  if (Deno.uid() !== 0) return null;
  for (const name of ["postgres", "nobody"]) {
    const line = Deno.readTextFileSync("/etc/passwd").split("\n")
      .find((line) => line.startsWith(`${name}:`));
    const [, , uid, gid] = line?.split(":") ?? [];
    if (uid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("Cannot run Postgres: there is no user but root");
}

/** Makes a cluster in the empty directory `dir` and starts it. */
export async function createCluster(
  programs: Programs,
  dir: string,
): Promise<ClusterFiles> {
  const user = otherUser();
  if (user !== null) await Deno.chown(dir, user.uid, user.gid);
  await watch(dir);
  const files: ClusterFiles = {
    dir,
    port: 0,
    admin: { name: "admin", password: secret() },
    role: { name: "tape", password: secret() },
  };
  await Deno.writeTextFile(`${dir}/password`, files.admin.password);
  await Deno.chmod(`${dir}/password`, 0o644);
  await run(programs, dir, "initdb", [
    ...["-D", `${dir}/data`, "-U", files.admin.name],
    ...["--auth=scram-sha-256", `--pwfile=${dir}/password`],
    ...["--locale=C.UTF-8", "--encoding=UTF8", "--no-sync"],
  ]);
  const settings = [...SETTINGS, `unix_socket_directories = '${dir}'`];
  await Deno.writeTextFile(
    `${dir}/data/postgresql.conf`,
    `${settings.join("\n")}\n`,
    { append: true },
  );
  // Somebody else may take the port in between.
  for (let tries = 1; files.port === 0; tries++) {
    try {
      const port = freePort();
      await startServer(programs, { ...files, port });
      files.port = port;
    } catch (error) {
      if (tries === 3) throw error;
    }
  }
  await createRole(files);
  return files;
}

async function createRole({ port, admin, role }: ClusterFiles): Promise<void> {
  const { default: postgres } = await import("postgres");
  const sql = postgres({
    host: "127.0.0.1",
    port,
    user: admin.name,
    password: admin.password,
    database: "postgres",
    max: 1,
  });
  await sql.unsafe(
    `CREATE ROLE ${role.name} LOGIN PASSWORD '${role.password}'`,
  );
  await sql.end();
}

export async function startServer(
  programs: Programs,
  { dir, port }: ClusterFiles,
): Promise<void> {
  await run(programs, dir, "pg_ctl", [
    ...["-D", `${dir}/data`, "-l", `${dir}/log`, "-o", `-p ${port}`],
    ...["-w", "-t", "60", "-s", "start"],
  ]);
}

export async function stopServer(
  programs: Programs,
  { dir }: ClusterFiles,
): Promise<void> {
  await run(programs, dir, "pg_ctl", [
    ...["-D", `${dir}/data`, "-m", "fast", "-w", "-s", "stop"],
  ]);
}

/** kill -9 of the server and every process of it; one that is down is fine. */
export async function killCluster({ dir, port }: ClusterFiles): Promise<void> {
  const pidFile = `${dir}/data/postmaster.pid`;
  let main: number;
  try {
    main = Number.parseInt(await Deno.readTextFile(pidFile));
  } catch {
    return;
  }
  // The server first: it would start over if only a child died.
  const all = [main, ...await childrenOf(main)];
  for (const pid of all) signal(pid, "SIGKILL");
  for (const pid of all) while (isAlive(pid)) await pause(5);
  // Where nobody collects orphans, the next server takes them for alive.
  await Deno.remove(pidFile);
  await Deno.remove(`${dir}/.s.PGSQL.${port}.lock`);
}

async function childrenOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = await Deno.readTextFile(`/proc/${name}/stat`);
      // "pid (name) state parent ..."; the name may hold anything.
      const parent = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
      if (Number(parent) === pid) found.push(Number(name));
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

function isAlive(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
  } catch {
    return false;
  }
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch {
    // It has ended already.
  }
}

export async function removeCluster({ dir }: ClusterFiles): Promise<void> {
  await Deno.remove(dir, { recursive: true });
}

/**
 * Ends the cluster once this process is gone, however it went. Left alone by
 * Ctrl-C in a terminal, which reaches everybody.
 */
async function watch(dir: string): Promise<void> {
  const script = `trap '' INT HUP TERM
    while kill -0 "$1" && [ -d "$2" ]; do sleep 1; done
    read -r pid < "$2/data/postmaster.pid" && kill -QUIT "$pid"
    sleep 1; kill -KILL "$pid"; rm -rf "$2"`;
  await new Deno.Command("sh", {
    args: [
      "-c",
      `(${script}) >/dev/null 2>&1 </dev/null &`,
      "watch",
      `${Deno.pid}`,
      dir,
    ],
  }).output();
}

async function run(
  { bin }: Programs,
  dir: string,
  program: string,
  args: string[],
): Promise<void> {
  const user = otherUser();
  const command = [`${bin}/${program}`, ...args];
  const whole = user === null ? command : [
    ...["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`],
    ...["--clear-groups", "--", ...command],
  ];
  // The output goes into files: the server keeps whatever pipe it is given.
  const child = await new Deno.Command("sh", {
    args: ["-c", 'exec "$@" >"$0" 2>&1', `${dir}/said-${program}`, ...whole],
    cwd: dir,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  if (child.success) return;
  const said = await Deno.readTextFile(`${dir}/said-${program}`);
  throw new Error(`Cannot run ${program} in "${dir}": ${said}`);
}

/** Below the ports the system gives out by itself: nobody else gets it by chance. */
function freePort(): number {
  for (let tries = 0; tries < 100; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch {
      // Taken.
    }
  }
  throw new Error("Cannot find a free port on 127.0.0.1");
}

function secret(): string {
  return `pw${crypto.randomUUID().replaceAll("-", "")}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
