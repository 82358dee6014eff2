/** A long answer behind the proxy most people have. */
import { assert, assertEquals } from "@std/assert";
import { noNginx, startNginx } from "../helpers/nginx.ts";
import { faultTest } from "./harness/fault_test.ts";
import { asking, openStage } from "./load/stage.ts";
import { assertWhole, beside } from "./load/words.ts";

const RATE = 10;
const REQUIRED = Deno.env.get("TICKERTAPE_E2E") === "require";

faultTest(
  "streaming E05: nginx with its defaults delays no frame and cuts no answer, however long it talks or is silent",
  {
    needs: ["linux"],
    sizes: {
      ci: { seconds: 5, silentMs: 1_000, timeout: "30s" },
      // Half of nginx's own minute: the model's silence may not be longer.
      full: { seconds: 300, silentMs: 50_000, timeout: "30s" },
    },
  },
  async ({ seconds, silentMs, timeout }, say) => {
    if (noNginx !== null && !REQUIRED) {
      return say("E05", `skipped: ${noNginx}`);
    }
    await using stage = await openStage();
    const { crowd, server } = stage;
    const patience = `proxy_read_timeout ${timeout};`;
    await using proxy = await startNginx([server.url], patience);
    const talk = { tokens: seconds * RATE, rate: RATE };
    const silence = { tokens: 1, waitMs: silentMs };
    await crowd.tell("open", asking(server.url, "direct", 5, talk, 0));
    await crowd.tell("open", asking(proxy.url, "proxied", 5, talk, 0));
    await crowd.tell("open", asking(proxy.url, "silent", 5, silence, 0));
    const direct = await crowd.tell("over", { group: "direct" });
    const proxied = await crowd.tell("over", { group: "proxied" });
    const silent = await crowd.tell("over", { group: "silent" });
    for (const report of [direct, proxied, silent]) {
      assertWhole(report);
      assertEquals(report.cuts, 0);
    }
    const late = proxied.lag.p99 - direct.lag.p99;
    say(
      "E05",
      `${seconds} s of talk and ${silentMs / 1_000} s of silence through ` +
        `nginx, read timeout ${timeout}: 0 cuts, ` +
        beside("frames later than direct (p99)", late, 50, "ms"),
    );
    assert(late <= 500, `${late} ms later`);
  },
);
