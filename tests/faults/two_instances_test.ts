/**
 * Two instances on one Postgres: what a person does through one of them happens
 * in the other, with the doorbell between them and without.
 */
import { assert, assertEquals } from "@std/assert";
import { answerText } from "../../lib/chat/answer.ts";
import type { ChatView } from "../../lib/chat/views.ts";
import type { Store } from "../../lib/store/mod.ts";
import { type App, type AppOptions, startApp } from "../helpers/app.ts";
import { effects, MAIL, question, say } from "../helpers/approvals.ts";
import { allFrames } from "../helpers/frames.ts";
import { noNginx, startNginx } from "../helpers/nginx.ts";
import { noPostgres } from "../helpers/postgres.ts";
import { PuppetModel } from "../helpers/puppet_model.ts";
import { ask, events, finishedRun, started } from "../helpers/run_client.ts";
import { POSTGRES } from "./harness/engines.ts";
import { faultTest, figure, percentile } from "./harness/fault_test.ts";
import { question as script } from "./harness/script.ts";
import { TAKEN_MS } from "./harness/stage.ts";

const missing = noPostgres ?? noNginx;
const required = Deno.env.get("TICKERTAPE_E2E") === "require";
if (missing !== null && !required) {
  console.log(`Tests of two instances are skipped: ${missing}.`);
}

const heard = (store: Store) => store;

/** A store that hears nothing of what others do. */
const deaf = (store: Store): Store =>
  new Proxy(store, {
    get(target, name) {
      if (name === "listen") return () => () => {};
      const member = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });

interface Two {
  app: App;
  /** The instances by themselves. */
  a: App;
  b: App;
  model: PuppetModel;
}

function test(
  name: string,
  options: AppOptions,
  body: (two: Two) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: missing !== null && !required,
    async fn() {
      const model = new PuppetModel();
      await using app = await startApp({ model, pair: heard, ...options });
      const [a, b] = app.instances.map((one) => ({ ...app, ...one }));
      await body({ app, a: a!, b: b!, model });
    },
  });
}

const ears = [["", heard], [", without the doorbell too", deaf]] as const;

for (const [how, pair] of ears) {
  test(
    `safety R21: a reader on B follows a run on A byte for byte${how}`,
    { pair },
    async ({ a, b, model }) => {
      const { run_id } = await started(a, { text: "hello" });
      const puppet = await model.next();
      puppet.say("one ");
      await a.shows(run_id, "one ");
      const reading = [a, b].map(async (one) =>
        await allFrames(await events(one, run_id))
      );
      for (const word of ["two é", " three 👩‍👩‍👧", " four\u0000"]) {
        puppet.say(word);
        await b.shows(run_id, word);
      }
      puppet.finish();
      const [onA, onB] = await Promise.all(reading);
      assertEquals(onB, onA);
      assertEquals(await allFrames(await events(b, run_id)), onA);
      // And from every place in it.
      for (let at = 1; at < onA!.length - 1; at++) {
        const rest = await allFrames(await events(b, run_id, onA![at - 1]!.id));
        assertEquals(rest, onA!.slice(at));
      }
      assertEquals(model.count, 1);
    },
  );
}

/** Presses Stop on B for a run of A; milliseconds until A's model heard of it. */
async function stopped({ a, b, model }: Two): Promise<number> {
  const { run_id } = await started(a, { text: "hello" });
  const puppet = await model.next();
  puppet.say("half a wo");
  await a.shows(run_id, "half a wo");
  const began = performance.now();
  const response = await fetch(`${b.url}/api/runs/${run_id}/stop`, {
    method: "POST",
  });
  assertEquals(response.status, 202);
  await response.body?.cancel();
  assertEquals(await puppet.aborted, "user");
  const ms = performance.now() - began;
  await b.over(run_id);
  const row = (await b.services.store.run(run_id))!;
  assertEquals([row.status, row.epoch], ["stopped", 1]);
  assertEquals(answerText(JSON.parse(row.message!)), "half a wo");
  return ms;
}

test(
  "streaming R09 R10: stop on B ends a run of A at the doorbell",
  // Nobody else would tell A for 18 seconds.
  { limits: { leaseMs: 60_000 } },
  async (two) => {
    const ms = await stopped(two);
    console.log(`Stop on the other instance: ${figure(ms, 250)}`);
    assert(ms < 5_000, `${ms} ms`);
  },
);

test(
  "streaming R09 R10: stop on B ends a run of A without the doorbell by the next renewal of its lease",
  { limits: { leaseMs: 2_000 }, pair: deaf },
  async (two) => {
    const ms = await stopped(two);
    console.log(`Stop on the other instance, unheard: ${figure(ms, 600)}`);
    assert(ms < 2_000, `${ms} ms`);
  },
);

const { sent, tools } = effects();

for (const [how, pair] of ears) {
  test(
    `T04 N8: what A asks a person is answered on B, and done once${how}`,
    { pair, tools },
    async ({ a, b, model }) => {
      sent.length = 0;
      const { run_id } = await started(a, { text: "mail" });
      (await model.next()).say("I will. ").call("send_mail", MAIL, "c1");
      const asked = await question(b, run_id);
      const reading = allFrames(await events(a, run_id));
      const said = await Promise.all(
        [a, b, b, a].map((one) => say(one, run_id, asked.id, "once")),
      );
      assertEquals(said.map(([status]) => status).sort(), [202, 409, 409, 409]);
      (await model.next()).say("Sent.").finish();
      const list = await reading;
      assertEquals(await allFrames(await events(b, run_id)), list);
      assertEquals(sent, [MAIL]);
      assertEquals((await b.services.store.run(run_id))!.status, "complete");
    },
  );
}

const CHATS = 8;

test(
  "safety R12, N10: messages queued on either instance are each asked once, by whichever sees the end first",
  { limits: { questionsPerMinute: Infinity } },
  async ({ app, a, b, model }) => {
    const each = (n: number) => n % 2 === 0 ? a : b;
    const first = await Promise.all(
      Array.from(
        { length: CHATS },
        (_, n) => started(each(n), { text: `first ${n}` }),
      ),
    );
    const puppets = [];
    for (const _ of first) puppets.push(await model.next());
    for (const [n, { chat_id }] of first.entries()) {
      const key = `k-${n}`;
      const body = {
        chat_id,
        text: `second ${n}`,
        queue: true,
        idempotency_key: key,
      };
      // Sent twice, as by a page that heard no answer.
      for (const one of [each(n + 1), each(n)]) {
        const response = await ask(one, body);
        assertEquals(response.status, 202);
        assertEquals((await response.json()).queued.text, `second ${n}`);
      }
    }
    for (const puppet of puppets) puppet.say("1").finish();
    for (const _ of first) (await model.next()).say("2").finish();
    for (const { chat_id } of first) {
      let chat: ChatView;
      await app.until(async () => {
        const response = await fetch(`${app.url}/api/chats/${chat_id}`);
        chat = await response.json();
        return chat.turns.length === 2 && chat.activeRun === null;
      });
      assertEquals(chat!.queue, []);
      assertEquals(
        chat!.turns.map(({ answer }) => answerText(answer)),
        ["1", "2"],
      );
    }
    // Longer than a sweep: nobody asks them a second time.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assertEquals(model.count, 2 * CHATS);
  },
);

test(
  "streaming R01: a client whose every request goes to another instance reads a run to its end",
  {},
  async ({ app, model }) => {
    const run = await finishedRun(app, model);
    const whole = await allFrames(await events(app, run));
    for (let at = 1; at < whole.length - 1; at++) {
      const rest = await allFrames(await events(app, run, whole[at - 1]!.id));
      assertEquals(rest, whole.slice(at));
    }
    assertEquals((await events(app, run, whole.at(-2)!.id)).status, 204);
  },
);

faultTest(
  "safety R22, streaming X01: the owner is killed behind a balancer: whoever asks and reads there loses nothing (N1-N6)",
  { needs: POSTGRES.needs, sizes: { ci: 2, full: 20 } },
  async (rounds, say) => {
    if (noNginx !== null && !required) {
      return console.log(`Skipped: ${noNginx}`);
    }
    await using stage = await POSTGRES.stage();
    const names = ["A", "B"];
    for (const name of names) await stage.start(name);
    const took: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const servers = names.map((name) => stage.server(name).url);
      await using balancer = await startNginx(servers);
      const client = stage.client(() => balancer.url);
      const runs = await Promise.all(
        Array.from({ length: 10 }, async (_, n) => {
          const key = `q${round}-${n}`;
          const asked = await client.ask(
            key,
            script({ key, words: 2_000, pace: 20 }),
          );
          assert(asked.kind === "started");
          const { instance } = await stage.upstream.said(key, 3);
          return { ...asked, instance, reading: client.read(asked.run) };
        }),
      );
      const victim = names[round % 2]!;
      await stage.end("SIGKILL", victim);
      const died = performance.now();
      await Promise.all(runs.map(async ({ run, instance, reading }) => {
        // What the other one drives would go on: stopped, the round can end.
        if (instance !== victim) await client.stop(run);
        await reading;
        const { epoch } = await stage.row(run);
        assertEquals(epoch, instance === victim ? 2 : 1);
        if (instance === victim) took.push(performance.now() - died);
      }));
      await stage.start(victim);
    }
    await stage.quiet();
    const violations = await stage.check();
    say(
      "R22 behind a balancer",
      `${rounds} kills of one of two instances, ${took.length} runs taken ` +
        `over, the last after ${figure(percentile(took, 1), TAKEN_MS)}; ` +
        `${violations.length} promises broken`,
    );
    assertEquals(violations.slice(0, 10), []);
    assert(took.length > 0);
  },
);
