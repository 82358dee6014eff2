/**
 * Bad network in real time. What takes a minute of waiting happens side by side,
 * so that it takes one minute in all.
 */
import { assert, assertEquals } from "@std/assert";
import { startProxy } from "../helpers/cutting_proxy.ts";
import { faultTest } from "./harness/fault_test.ts";
import { lacks } from "./harness/needs.ts";
import { fallIntoBlackHole } from "./load/black_hole.ts";
import { asking, openStage } from "./load/stage.ts";
import { assertShown, openTab } from "./load/tab.ts";
import { assertWhole } from "./load/words.ts";

const RATE = 10;
const REQUIRED = Deno.env.get("TICKERTAPE_E2E") === "require";
const BAD_GATEWAY = "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\n" +
  "content-length: 12\r\nconnection: close\r\n\r\n<h1>502</h1>";

const pause = (ms: number) => new Promise<void>((go) => setTimeout(go, ms));
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

faultTest(
  "streaming R14 R16 R17 E03: a balancer that answers 502, a network that is away, a frozen tab, a black hole and a long silence cost no word",
  {
    needs: ["linux"],
    sizes: {
      ci: { offlineMs: 10_000, frozenMs: 48_000, stallMs: 10_000 },
      full: { offlineMs: 30_000, frozenMs: 300_000, stallMs: 60_000 },
    },
  },
  async ({ offlineMs, frozenMs, stallMs }, say) => {
    await using stage = await openStage();
    const { crowd, server } = stage;
    /** A run of so many seconds. */
    const start = async (name: string, ms: number) => {
      const tokens = Math.ceil(ms / 1_000 * RATE);
      const order = asking(server.url, name, 1, { tokens, rate: RATE }, 0);
      const { runs } = await crowd.tell("open", order);
      return { run: runs[0]!, tokens };
    };

    async function away(name: string, ms: number, answer: string) {
      const { run, tokens } = await start(name, ms + 6_000);
      await using proxy = startProxy(server.url);
      await using tab = openTab(proxy.url, run);
      await tab.hears((news) => news.kind === "tokens" && news.count >= 20);
      proxy.down(answer);
      await pause(ms);
      const from = tab.news.length;
      proxy.up();
      const up = performance.now();
      const back = await tab.hears(
        (news) => news.kind === "connected" && news.yes,
        from,
      );
      await assertShown(tab, tokens);
      return seconds(back.at - up);
    }

    async function balancer() {
      const after = await away("balancer", 3_000, BAD_GATEWAY);
      say("R14", `502 for 3 s: back ${after} later, every word once`);
    }

    async function offline() {
      const after = await away("offline", offlineMs, "");
      const what = `no network for ${offlineMs / 1_000} s`;
      say("R16", `${what}: back ${after} later, every word once`);
    }

    async function frozen() {
      const { run, tokens } = await start("frozen", frozenMs + 6_000);
      await using tab = openTab(server.url, run);
      await tab.hears((news) => news.kind === "tokens" && news.count >= 20);
      tab.freeze();
      await pause(frozenMs);
      const from = tab.news.length;
      tab.thaw();
      const thawed = performance.now();
      const missed = (frozenMs / 1_000 - 2) * RATE;
      const back = await tab.hears(
        (news) => news.kind === "tokens" && news.count >= missed,
        from,
      );
      await assertShown(tab, tokens);
      say(
        "R16",
        `frozen for ${frozenMs / 1_000} s: caught up ` +
          `${seconds(back.at - thawed)} after, every word once`,
      );
    }

    async function silence() {
      const script = { tokens: 5, rate: 1, waitMs: 50_000 };
      await crowd.tell("open", asking(server.url, "silence", 1, script, 0));
      const told = await crowd.tell("over", { group: "silence" });
      assertWhole(told);
      const { count, min, max } = told.silences;
      say(
        "E03",
        `${count} heartbeats in 50 s of silence, ${seconds(min)} to ` +
          `${seconds(max)} apart, none in text (goal 15 ± 1 s)`,
      );
      assertEquals(count, 3);
      assert(min >= 14_000 && max <= 18_000, `${min} to ${max} ms apart`);
    }

    async function blackHole() {
      const missing = (["root", "tc", "iptables"] as const)
        .map(lacks).filter((why) => why !== null);
      if (missing.length > 0 && !REQUIRED) {
        return say("R17", `skipped: ${missing.join(", ")}`);
      }
      assertEquals(missing, [], "what a dead connection needs");
      say("R17", await fallIntoBlackHole(stallMs));
    }

    await Promise.all([
      balancer(),
      offline(),
      frozen(),
      silence(),
      blackHole(),
    ]);
  },
);
