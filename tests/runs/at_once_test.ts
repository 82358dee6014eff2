/** Processes that die and go down while people do everything at once. */
import { assert, assertEquals } from "@std/assert";
import * as z from "zod";
import { ModelError, type Tool } from "../../lib/agent/contracts.ts";
import {
  answerText,
  emptyAnswer,
  openQuestions,
} from "../../lib/chat/answer.ts";
import { isTerminal } from "../../lib/chat/events.ts";
import { fold } from "../../lib/chat/fold.ts";
import type { StartOutcome, StartRequest } from "../../lib/runs/mod.ts";
import {
  openStore,
  type RunRow,
  type Store,
  StoreError,
} from "../../lib/store/mod.ts";
import { drain, stage } from "../helpers/run_stage.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

function random(seed: number) {
  let a = seed >>> 0;
  const next = () => {
    a = (a + 0x6D2B79F5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    next,
    below: (n: number) => Math.floor(next() * n),
    pick: <T>(of: T[]): T | undefined => of[Math.floor(next() * of.length)],
  };
}

async function chaos(seed: number) {
  let refuse = seed % 2 === 0 ? 0.03 : 0;
  const dice = random(seed);
  const inner = openStore({ kind: "memory" });
  const effects = new Map<number, number>();
  let calls = 0;
  const trace: string[] = [];
  const tools: Tool[] = [
    {
      name: "save",
      description: "Saves",
      input: z.object({ n: z.number() }),
      effect: "write",
      async run(input) {
        const { n } = input as { n: number };
        effects.set(n, (effects.get(n) ?? 0) + 1);
        if (n % 3 === 0) await turn();
        return { text: `saved ${n}` };
      },
    },
    {
      name: "look",
      description: "Looks",
      input: z.object({}),
      effect: "read",
      async run() {
        await turn();
        return { text: "seen" };
      },
    },
  ];
  const limits = {
    leaseMs: 150,
    questionsPerMinute: Infinity,
    allQuestionsPerMinute: Infinity,
  };
  function process() {
    let dead = false;
    const store = new Proxy(inner, {
      get(target, name) {
        // deno-lint-ignore no-explicit-any
        const value = (target as any)[name];
        if (typeof value !== "function" || name === "listen") {
          return typeof value === "function" ? value.bind(target) : value;
        }
        return async (...args: unknown[]) => {
          if (dead) throw new StoreError("io", "Dead");
          if (dice.next() < refuse) throw new StoreError("io", "Refused");
          const result = await value.apply(target, args);
          if (dead) throw new StoreError("io", "Dead");
          if (dice.next() < refuse / 2) throw new StoreError("io", "Lost");
          return result;
        };
      },
    });
    const it = stage({
      store: store as Store,
      tools,
      limits,
      now: () => new Date(),
    });
    let over = false;
    const answering = (async () => {
      const working: Promise<void>[] = [];
      while (true) {
        const asked = await it.model.next().catch(() => null);
        if (asked === null) continue;
        if (over) {
          asked.finish();
          break;
        }
        working.push((async () => {
          const heard = { aborted: false };
          asked.aborted.then(() => heard.aborted = true);
          asked.turn.catch(() => {});
          for (let n = dice.below(4); n > 0 && !heard.aborted; n--) {
            asked.say(`w${calls++} `);
            if (dice.next() < 0.2) {
              asked.emit({ type: "reasoning", delta: "hm " });
            }
            for (let t = dice.below(30); t > 0; t--) await turn();
          }
          const end = dice.next();
          if (end < 0.15) {
            asked.fail(
              new ModelError("upstream_reset", "x", { retryable: true }),
            );
          } else if (end < 0.45) {
            const toolCalls = Array.from({ length: 1 + dice.below(3) }, () => {
              const n = calls++;
              return dice.next() < 0.5
                ? {
                  id: `c${n % 5}-${n}`,
                  name: "save",
                  arguments: JSON.stringify({ n }),
                }
                : { id: `c${n % 5}-${n}`, name: "look", arguments: "{}" };
            });
            asked.finish({ finishReason: "tool-calls", toolCalls });
          } else if (end < 0.55) asked.finish({ finishReason: "length" });
          else asked.finish();
        })());
      }
      await Promise.all(working);
    })();
    return {
      it,
      kill: () => dead = true,
      async end() {
        await it.runs.close();
        over = true;
        it.model.stream(
          { messages: [], tools: [], temperature: 0 },
          () => {},
          new AbortController().signal,
        ).catch(() => {});
        await answering;
      },
    };
  }
  let alive = [process(), process()];
  const ended: Promise<void>[] = [];
  const chats = new Set<string>();
  const removed = new Set<string>();
  const accepted = new Map<string, string>();
  const withdrawn = new Set<string>();
  const maybe = new Set<string>();
  const doing: Promise<unknown>[] = [];
  const readings: Promise<{ run: string; text: string; over: boolean }>[] = [];
  let key = 0;

  const attempt = (what: () => Promise<unknown>) =>
    doing.push(
      what().catch((error) => {
        if (!(error instanceof StoreError)) throw error;
      }),
    );
  const start = async (
    it: ReturnType<typeof stage>,
    request: Omit<StartRequest, "owner">,
  ) => {
    const text = request.text ?? "";
    const outcome: StartOutcome = await it.runs.start({
      owner: "me",
      idempotencyKey: `k${key++}`,
      ...request,
    });
    trace.push(`start ${JSON.stringify(request)} ${outcome.kind}`);
    if (outcome.kind === "started" || outcome.kind === "queued") {
      chats.add(outcome.chat);
      if (text !== "" && request.replaces === undefined) {
        accepted.set(text, outcome.chat);
      }
    }
    if (outcome.kind === "started") {
      const read = await dice.pick(alive)!.it.runs.read(
        "me",
        outcome.run,
        null,
      );
      if (read.kind === "reader") {
        readings.push(
          drain(read.reader).catch(() => []).then((entries) => {
            const answer = emptyAnswer(outcome.run);
            for (const entry of entries) {
              assert(fold(answer, entry).kind !== "gap");
            }
            return {
              run: outcome.run,
              text: answerText(answer),
              over: answer.status !== "running",
            };
          }),
        );
      }
    }
  };
  const someRun = async (chat: string) => dice.pick(await inner.runs(chat));

  for (let n = 0; n < 40; n++) {
    const { it } = dice.pick(alive)!;
    const chat = dice.pick([...chats]);
    const op = dice.below(14);
    if (chat === undefined || op === 0) {
      attempt(() => start(it, { text: `q${n}` }));
    } else if (op <= 3) {
      attempt(() => start(it, { chat, text: `q${n}`, queue: true }));
    } else if (op === 4) {
      attempt(async () => {
        const run = await it.runs.active("me", chat);
        if (run !== null) await it.runs.stop("me", run);
      });
    } else if (op === 5) {
      attempt(async () => {
        const message = dice.pick(await inner.queue("me", chat));
        if (message) await it.runs.sendNow("me", chat, message.id);
      });
    } else if (op === 6) {
      attempt(async () => {
        const message = dice.pick(await inner.queue("me", chat));
        if (message) maybe.add(message.text);
        if (message && await it.runs.withdraw("me", chat, message.id)) {
          withdrawn.add(message.text);
        }
      });
    } else if (op === 7) {
      attempt(async () => {
        const run = await someRun(chat);
        if (run) await start(it, { chat, continues: run.id });
      });
    } else if (op === 8) {
      attempt(async () => {
        const run = await someRun(chat);
        if (run) await start(it, { chat, replaces: run.id, text: `${n} anew` });
      });
    } else if (op <= 10) {
      attempt(async () => {
        const run = await it.runs.active("me", chat);
        const view = run && await it.runs.view("me", run);
        if (!view) return;
        for (const { id } of openQuestions(view.answer)) {
          await it.runs.decide(
            "me",
            run,
            id,
            dice.pick<"once" | "denied" | "chat">([
              "once",
              "once",
              "chat",
              "denied",
            ])!,
          );
        }
      });
    } else if (op === 11) {
      const one = dice.pick(alive)!;
      const dies = dice.next() < 0.5;
      trace.push(dies ? "kill" : "close");
      alive = alive.filter((each) => each !== one);
      if (dies) one.kill();
      ended.push(one.end());
      alive.push(process());
    } else if (op === 12 && dice.next() < 0.2) {
      removed.add(chat);
      chats.delete(chat);
      attempt(() => it.runs.remove("me", chat));
    } else attempt(() => it.runs.sweep());
    for (let t = dice.below(15); t > 0; t--) await turn();
  }
  await Promise.all(doing);
  refuse = 0;
  for (const each of alive.slice(1)) ended.push(each.end());
  const { it } = alive[0]!;
  // A person who answers every question, and sends what waits.
  const limit = performance.now() + 8_000;
  const all = async () =>
    (await Promise.all([...chats].map((chat) => inner.runs(chat)))).flat();
  while (true) {
    const rows: RunRow[] = await all();
    await it.runs.sweep();
    for (const row of rows.filter(({ status }) => status === "running")) {
      const view = await it.runs.view("me", row.id);
      for (const { id } of openQuestions(view!.answer)) {
        await it.runs.decide("me", row.id, id, "once");
      }
    }
    let waits = false;
    for (const chat of chats) {
      const [first] = await inner.queue("me", chat);
      if (first === undefined) continue;
      waits = true;
      if (await inner.chat("me", chat).then((c) => c?.activeRun === null)) {
        await it.runs.sendNow("me", chat, first.id);
      }
    }
    if (!waits && rows.every(({ status }) => status !== "running")) break;
    if (performance.now() > limit) {
      throw new Error(
        `seed ${seed} stays: ${
          JSON.stringify(rows.filter(({ status }) => status === "running"))
        } ${waits} ${trace.join("\n")}`,
      );
    }
    await turn();
  }
  const rows = await all();
  const final = new Map<string, string>();
  for (const row of rows) {
    const log = await inner.read(row.id, 0, 1e6);
    const answer = emptyAnswer(row.id);
    for (const [i, { epoch, seq, json }] of log.entries()) {
      const event = JSON.parse(json);
      assertEquals(seq, i + 1);
      assertEquals(isTerminal(event), i === log.length - 1, `seed ${seed}`);
      assert(
        fold(answer, { epoch, seq, event }).kind !== "gap",
        `seed ${seed}`,
      );
    }
    assertEquals(
      JSON.parse(JSON.stringify(answer)),
      JSON.parse(row.message!),
      `seed ${seed}`,
    );
    final.set(row.id, answerText(answer));
    const { continues } = JSON.parse(row.options);
    if (continues !== undefined) {
      const before = await inner.run(continues);
      assert(
        answerText(answer).startsWith(answerText(JSON.parse(before!.message!))),
        `seed ${seed}`,
      );
    }
  }
  for (const [n, count] of effects) {
    assertEquals(count, 1, `seed ${seed}: save ${n}`);
  }
  for (const [text, chat] of accepted) {
    if (removed.has(chat)) continue;
    const asked = rows.filter((row) =>
      row.text === text && JSON.parse(row.options).continues === undefined
    );
    if (maybe.has(text) && !withdrawn.has(text) && asked.length === 0) continue;
    assertEquals(
      asked.length + (withdrawn.has(text) ? 1 : 0),
      1,
      `seed ${seed}: "${text}"\n${trace.join("\n")}`,
    );
  }
  await alive[0]!.end();
  await Promise.all(ended);
  for (const { run, text, over } of await Promise.all(readings)) {
    const whole = final.get(run);
    if (whole !== undefined && over) assertEquals(text, whole);
    if (whole !== undefined) {
      assert(whole.startsWith(text), `seed ${seed}: "${text}" "${whole}"`);
    }
  }
}

Deno.test("N1 N3 N4 N5 N8: whatever people do at once, and however processes go, every message is asked once, every run ends, nothing shown is lost and no effect happens twice", async () => {
  const seed = Number(Deno.env.get("SEED") ?? Date.now() % 1e6);
  console.log(`seed ${seed} (SEED=${seed} makes the same dice)`);
  // One with a store that is well, and one whose store now and then refuses.
  for (const each of [seed, seed + 1]) await chaos(each);
});
