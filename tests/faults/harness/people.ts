/**
 * People who chat all the time: they ask, read, leave, press Stop and Continue,
 * send while an answer is written, and come back to what broke off. They need no
 * help to get on after a crash.
 *
 * @module
 */
import { isTerminal } from "../../../lib/chat/events.ts";
import type { Asked, Client, Reading } from "./client.ts";
import type { Chance } from "./random.ts";
import { question } from "./script.ts";

/** What a person has read in part, and when they look at it again. */
interface Debt {
  asked: Asked;
  reading: Reading;
  at: number;
}

export interface PeopleOptions {
  /** Who they are: keys begin with it. */
  name: string;
  client: Client;
  chance: Chance;
  /** Nothing new is asked once it is aborted; what was begun is read to its end. */
  closing: AbortSignal;
  /** How long an answer that broke off is left alone, ms. */
  patience: number;
}

/** One person's day; resolves once all that was begun is read. */
export async function person(options: PeopleOptions): Promise<void> {
  const { name, client, chance, closing, patience } = options;
  const debts: Debt[] = [];
  const chats: string[] = [];
  let asked = 0;
  const newKey = () => `${name}.${++asked}`;
  const script = (key: string) =>
    question({
      key,
      words: chance.between(1, 60),
      pace: chance.between(2, 30),
      wait: chance.percent(20) ? chance.between(20, 200) : 0,
      cut: chance.percent(5) ? chance.between(1, 30) : 0,
      tool: chance.percent(15) ? "current_time" : "",
    });

  /** Reads a run, and does something about it on the way. */
  async function follow(it: Asked, reading: Reading): Promise<void> {
    let left = chance.percent(15) ? chance.between(1, 8) : Infinity;
    const stopAt = chance.percent(15) ? chance.between(1, 6) : Infinity;
    let stop: Promise<void> | null = null;
    let frames = 0;
    const outcome = await client.connect(reading, () => {
      if (++frames === stopAt) stop = client.stop(it.run);
      return --left < 0;
    });
    await stop;
    if (outcome === "broken" || outcome === "left") {
      // A page that stays tries again at once; others come back later.
      const wait = outcome === "left" || chance.percent(75) ? patience : 50;
      debts.push({ asked: it, reading, at: performance.now() + wait });
      return;
    }
    if (brokeOff(reading) && chance.percent(70) && !closing.aborted) {
      const next = await client.goOn(newKey(), it);
      if (next.kind === "started") await follow(next, client.open(next.run));
    }
  }

  async function ask(): Promise<void> {
    const key = newKey();
    const known = chance.percent(40) ? chats.at(chance.between(-5, -1)) : null;
    const chat = known ?? undefined;
    const queue = chance.percent(50);
    const outcome = await client.ask(key, script(key), { chat, queue });
    if (outcome.kind !== "started") return;
    if (chat === undefined) chats.push(outcome.chat);
    await follow(outcome, client.open(outcome.run));
  }

  while (!closing.aborted || debts.length > 0) {
    const due = closing.aborted ? Infinity : performance.now();
    const at = debts.findIndex((debt) => debt.at <= due);
    const [debt] = at === -1 ? [] : debts.splice(at, 1);
    if (debt !== undefined) await follow(debt.asked, debt.reading);
    else await ask();
  }
}

function brokeOff({ last }: Reading): boolean {
  return last !== null && isTerminal(last) && last.type !== "finish";
}
