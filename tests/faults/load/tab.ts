/**
 * A tab as a test sees it: the page's reader of tapes, in a process that can be
 * frozen.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { TokenReader } from "../../../bench/tokens.ts";
import { openProgram } from "./program.ts";

/** What a tab says of itself. */
export type News =
  /** It opens the tape, behind this cursor. */
  | { kind: "asks"; after: string | null }
  | { kind: "connected"; yes: boolean }
  /** So many tokens are shown. */
  | { kind: "tokens"; count: number }
  /** What was shown was taken back. */
  | { kind: "shrunk" }
  | { kind: "end"; end: string; status: string; text: string };

/** And when it said so, `performance.now()`. */
export type Heard = News & { at: number };

export interface Tab extends AsyncDisposable {
  /** Everything it said. */
  readonly news: readonly Heard[];
  /** The first that fits, from this moment of the list on; waits for it. */
  hears(fits: (news: News) => boolean, from?: number): Promise<Heard>;
  freeze(): void;
  thaw(): void;
}

/** Opens a tab that follows a run. */
export function openTab(
  server: string,
  run: string,
  options: { cookie?: string; wrap?: string[] } = {},
): Tab {
  const { cookie, wrap = [] } = options;
  const args = [server, run, ...(cookie === undefined ? [] : [cookie])];
  const program = openProgram("tab_program.ts", args, wrap);
  const news: Heard[] = [];
  let ring = Promise.withResolvers<void>();
  let over = false;
  const reading = (async () => {
    for await (const line of program.lines) {
      news.push({ ...JSON.parse(line) as News, at: performance.now() });
      ring.resolve();
      ring = Promise.withResolvers();
    }
    over = true;
    ring.resolve();
  })();
  return {
    news,
    async hears(fits, from = 0) {
      for (let at = from;; at++) {
        while (at >= news.length) {
          if (over) {
            const last = JSON.stringify(news.at(-1) ?? null).slice(0, 300);
            throw new Error(
              `The tab is closed; it said last: ${last} ${program.complaints}`,
            );
          }
          await ring.promise;
        }
        if (fits(news[at]!)) return news[at]!;
      }
    },
    freeze: () => program.kill("SIGSTOP"),
    thaw: () => program.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      program.kill("SIGCONT");
      if (!over) program.kill("SIGKILL");
      await program.stop();
      await reading;
    },
  };
}

/** The tab has shown every token once, in order, and never took one back. */
export async function assertShown(tab: Tab, tokens: number): Promise<void> {
  const end = await tab.hears(({ kind }) => kind === "end");
  assert(end.kind === "end");
  assertEquals([end.end, end.status], ["ended", "complete"]);
  assertEquals(tab.news.filter(({ kind }) => kind === "shrunk"), []);
  const text = new TokenReader(() => {});
  text.push(end.text, 0);
  assertEquals([text.count, text.inOrder, text.sealed], [tokens, true, true]);
}
