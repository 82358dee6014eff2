/**
 * The page's reader of tapes in a process of its own, with a real clock and a
 * real socket: what can be frozen, and be put behind a dead network. Follows the
 * run that is its second argument, and says how it fares in lines of JSON.
 *
 * @module
 */
import { answerText, emptyAnswer } from "../../../lib/chat/answer.ts";
import { fold } from "../../../lib/chat/fold.ts";
import { serverEnvironment } from "../../../lib/ui/environment.ts";
import { followTape } from "../../../lib/ui/tape_client.ts";
import type { News } from "./tab.ts";

if (import.meta.main) {
  const [server, run, cookie] = Deno.args as [string, string, string?];
  const tell = (news: News) => console.log(JSON.stringify(news));
  let answer = emptyAnswer(run);
  let tokens = 0;
  const tape = followTape(run, {
    cursor: () => answer.cursor,
    apply(entry) {
      const change = fold(answer, entry);
      const now = answerText(answer).split(" ").length - 1;
      if (now > tokens) tell({ kind: "tokens", count: tokens = now });
      if (now < tokens) tell({ kind: "shrunk" });
      if (change.kind === "gap") return "gap";
      return answer.status === "running" ? "more" : "over";
    },
    restart() {
      answer = emptyAnswer(run);
      tell({ kind: "shrunk" });
    },
    connected: (yes) => tell({ kind: "connected", yes }),
  }, {
    ...serverEnvironment,
    fetch: (path, init) => {
      const headers = new Headers(init?.headers);
      if (cookie !== undefined) headers.set("cookie", cookie);
      tell({ kind: "asks", after: headers.get("last-event-id") });
      return fetch(server + path, { ...init, headers });
    },
    now: () => performance.now(),
    random: () => Math.random(),
    after(ms, call) {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
  });
  const end = await tape.end;
  tell({ kind: "end", end, status: answer.status, text: answerText(answer) });
  Deno.exit(0);
}
