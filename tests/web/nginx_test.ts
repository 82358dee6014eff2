/**
 * The stream behind a proxy as most people set one up. Skipped with a printed
 * reason where there is no nginx, unless `TICKERTAPE_E2E=require`.
 */
import { assert, assertEquals } from "@std/assert";
import { startApp } from "../helpers/app.ts";
import { foldFrames, type Frame, frames } from "../helpers/frames.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { started } from "../helpers/run_client.ts";

const BINARIES = [
  "/usr/sbin/nginx",
  "/usr/bin/nginx",
  "/opt/homebrew/bin/nginx",
];

const nginx = BINARIES.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});
const required = Deno.env.get("TICKERTAPE_E2E") === "require";
if (nginx === undefined && !required) {
  console.log("The nginx test is skipped: no nginx found.");
}

/** A port that was free a moment ago. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** nginx with its defaults, buffering included, in front of `target`. */
async function startNginx(target: string, readTimeout: string) {
  const dir = await Deno.makeTempDir();
  const port = freePort();
  await Deno.writeTextFile(
    `${dir}/nginx.conf`,
    `daemon off; pid ${dir}/pid; error_log ${dir}/error.log;
     events {}
     http {
       access_log off;
       client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy;
       fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
       server {
         listen 127.0.0.1:${port};
         location / {
           proxy_pass ${target};
           proxy_set_header Host $http_host;
           proxy_read_timeout ${readTimeout};
         }
       }
     }`,
  );
  const child = new Deno.Command(nginx!, {
    args: ["-c", `${dir}/nginx.conf`, "-e", `${dir}/error.log`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(dir, { recursive: true });
    },
  };
}

Deno.test({
  name:
    "E05: nginx with its defaults passes each frame as it comes, and heartbeats outlive its read timeout",
  ignore: nginx === undefined && !required,
  async fn() {
    const model = new PuppetModel();
    // Fifteen seconds and sixty, made smaller by the same factor.
    await using app = await startApp({ model, limits: { beatMs: 300 } });
    await using proxy = await startNginx(app.url, "1200ms");
    const { run_id } = await started(app, { text: "hello" });
    const puppet = await model.next();
    await app.until(async () => {
      try {
        return (await (await fetch(`${proxy.url}/healthz`)).text()) === "ok\n";
      } catch {
        return false;
      }
    });
    const response = await fetch(`${proxy.url}/api/runs/${run_id}/events`);
    const list: Frame[] = [];
    const words = ["one ", "two ", "three ", "four "];
    puppet.say(words.shift()!);
    for await (const frame of frames(response)) {
      list.push(frame);
      if (!frame.data.includes("text-delta")) continue;
      // The next word is said only when the last one has come through: a proxy
      // that holds frames back would hold this test up for ever.
      const word = words.shift();
      if (word !== undefined) {
        puppet.say(word);
        continue;
      }
      // Twice the read timeout without a word.
      await new Promise((resolve) => setTimeout(resolve, 2_400));
      puppet.finish();
    }
    const answer = foldFrames(run_id, list);
    assertEquals(answer.status, "complete");
    assertEquals(list.at(-1)?.data, "[DONE]");
    assert(
      list.filter((frame) => frame.data.includes("text-delta")).length >= 4,
    );
  },
});
