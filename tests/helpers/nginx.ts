/** nginx as most people set it up, in front of one or more servers. */

const BINARIES = [
  "/usr/sbin/nginx",
  "/usr/bin/nginx",
  "/opt/homebrew/bin/nginx",
];

const binary = BINARIES.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** Why there is none, or null. */
export const noNginx: string | null = binary === undefined
  ? "no nginx is installed"
  : null;

export interface Nginx extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
}

/**
 * Starts nginx on a free port; resolves once it answers. Every request goes to
 * the next of the servers, whoever sent it: no session sticks to one.
 *
 * @param servers `http://127.0.0.1:<port>` each.
 * @param location What else to say about the way there, as in
 * `proxy_read_timeout 1s;`.
 */
export async function startNginx(
  servers: string[],
  location = "",
): Promise<Nginx> {
  if (binary === undefined) throw new Error(`Cannot start nginx: ${noNginx}`);
  const dir = await Deno.makeTempDir();
  const port = freePort();
  const hosts = servers.map((url) => `server ${new URL(url).host};`).join(" ");
  await Deno.writeTextFile(
    `${dir}/nginx.conf`,
    `daemon off; pid ${dir}/pid; error_log ${dir}/error.log;
     ${Deno.build.os === "linux" && Deno.uid() === 0 ? "user root;" : ""}
     events {}
     http {
       access_log off;
       client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy;
       fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
       upstream tickertape { ${hosts} }
       server {
         listen 127.0.0.1:${port};
         client_max_body_size 40m;
         location / {
           proxy_pass http://tickertape;
           proxy_set_header Host $http_host;
           ${location}
         }
       }
     }`,
  );
  const child = new Deno.Command(binary, {
    args: ["-c", `${dir}/nginx.conf`, "-e", `${dir}/error.log`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  const end = async () => {
    child.kill("SIGTERM");
    await child.status;
    await Deno.remove(dir, { recursive: true });
  };
  try {
    await listening(port, `${dir}/error.log`);
  } catch (error) {
    await end();
    throw error;
  }
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: end };
}

async function listening(port: number, log: string): Promise<void> {
  const limit = performance.now() + 10_000;
  while (performance.now() < limit) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  const said = await Deno.readTextFile(log).catch(() => "nothing");
  throw new Error(`Cannot start nginx on port ${port}: ${said}`);
}

/** A port that was free a moment ago. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
