/**
 * A tab whose connection dies without a word (R17): packets vanish both ways, and
 * neither end is told.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openNamespace } from "./netns.ts";
import { asking, following, openStage, withLimits } from "./stage.ts";
import { assertShown, openTab } from "./tab.ts";
import { until } from "./watch.ts";

/** Silence after which a page gives a connection up (protocol 2.4), ms. */
const SILENCE_MS = 45_000;

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

/**
 * Opens the hole below a tab, closes it once both sides have noticed, and reads
 * the run to its end.
 *
 * @returns the figures.
 */
export async function fallIntoBlackHole(stallMs: number): Promise<string> {
  await using cable = await openNamespace();
  const limited = withLimits({ stallMs, maxStreams: 3 });
  await using stage = await openStage({
    ...limited,
    env: {
      ...limited.env,
      TICKERTAPE_ACCESS: "public",
      HOST: cable.host,
    },
  });
  const { crowd, server } = stage;
  const cookie = `tt_visitor=${"1".padStart(32, "0")}`;
  // Much text: what the system keeps for a dead connection is full soon.
  const script = { tokens: 400 * (SILENCE_MS + stallMs + 10_000) / 1_000 };
  const order = asking(server.url, "asker", 1, { ...script, rate: 400 }, 0);
  const { runs } = await crowd.tell("open", { ...order, cookies: [cookie] });
  await using tab = openTab(server.url, runs[0]!, {
    cookie,
    wrap: cable.wrap,
  });
  await tab.hears((news) => news.kind === "tokens" && news.count >= 400);

  const from = tab.news.length;
  await cable.cut();
  const cut = performance.now();
  // Three may read: the asker, the dead one, and one more until it is let go.
  const newcomers = async () => {
    const two = following(server.url, "two", 2, runs);
    const open = await crowd.tell("open", { ...two, cookies: [cookie] });
    await crowd.tell("forget", { group: "two" });
    return open.statuses;
  };
  assertEquals(await newcomers(), { 200: 1, 429: 1 });
  const letGo = until(
    async () => (await newcomers())[200] === 2,
    stallMs + SILENCE_MS,
    "the server lets the dead reader go",
  ).then(() => performance.now() - cut);
  const lost = await tab.hears(
    (news) => news.kind === "connected" && !news.yes,
    from,
  );
  const noticed = lost.at - cut;
  // Before that: once it can be heard again, its end comes through.
  const gone = await letGo;
  const since = tab.news.length;
  await cable.mend();
  const mended = performance.now();
  const back = await tab.hears(
    (news) => news.kind === "connected" && news.yes,
    since,
  );
  await assertShown(tab, script.tokens);
  assertEquals(await stage.calls(), 1);
  assert(noticed <= SILENCE_MS + 2_000, `${noticed} ms`);
  return `black hole noticed after ${seconds(noticed)} (goal 45 s), back ` +
    `${seconds(back.at - mended)} after it closed, every word once; ` +
    `the server let go after ${seconds(gone)} ` +
    `(stall limit ${seconds(stallMs)})`;
}
