/**
 * G4: nothing is on the screen before it is on the tape. This process reads the
 * server's database beside it, at the moment each frame arrives.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { parseFrameId } from "../../lib/chat/ids.ts";
import { sseParser } from "../../lib/chat/sse_parser.ts";
import { frameOf } from "./harness/check_shown.ts";
import { faultTest } from "./harness/fault_test.ts";
import { Stage } from "./harness/stage.ts";
import { question } from "./harness/upstream.ts";

const STREAMS = 100;
/** Reasoning and text take turns: start, delta and end of each. */
const EVENTS_PER_WORD = 6;

faultTest(
  "G4: every event is in the store when it is shown, looked up by a second process as it arrives (N2)",
  { sizes: { ci: 50_000, full: 1_000_000 } },
  async (size, say) => {
    const words = Math.ceil(size / STREAMS / EVENTS_PER_WORD);
    await using stage = new Stage();
    const { url } = await stage.start();
    const store = await stage.store();
    const client = stage.client();
    let events = 0;
    const missing: string[] = [];

    async function follow(key: string): Promise<void> {
      const script = { key, words, weave: true, burst: 2, pace: 100 };
      const asked = await client.ask(key, question(script));
      assert(asked.kind === "started");
      const { run } = asked;
      let after = 0;
      const looks: Promise<void>[] = [];
      const look = async (
        id: string,
        from: number,
        to: number,
        data: string,
      ) => {
        // The statement runs now, before anything else can happen here.
        const entries = await store.read(run, from, to - from);
        if (entries.length !== to - from || frameOf(entries) !== data) {
          missing.push(id);
        }
      };
      const parser = sseParser({
        event({ id, data }) {
          const place = parseFrameId(id);
          if (place === null || data === "[DONE]") return;
          const { seq } = place.cursor;
          looks.push(look(id, after, seq, data));
          events += seq - after;
          after = seq;
        },
      });
      const response = await fetch(`${url}/api/runs/${run}/events`);
      for await (const bytes of response.body!) parser.push(bytes);
      await Promise.all(looks);
    }

    const began = performance.now();
    await Promise.all(
      Array.from({ length: STREAMS }, (_, n) => follow(`q${n}`)),
    );
    const seconds = (performance.now() - began) / 1000;
    say(
      "G4",
      `${events} events of ${STREAMS} streams looked up as they arrived, ` +
        `${missing.length} not there; ${Math.round(events / seconds)} events/s`,
    );
    assert(events >= size, `only ${events} events`);
    assertEquals(missing.slice(0, 10), []);
  },
);
