/**
 * Follows the one run the open chat is waiting for.
 *
 * @module
 */
import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { AnswerModel } from "./answer_model.ts";
import type { Environment } from "./environment.ts";
import type { Tape, TapeEnd } from "./tape_client.ts";

/** `lost`: this run cannot be read from here any more. */
export type Connection = "ok" | "reconnecting" | "lost";

export interface Follower {
  readonly connection: ReadonlySignal<Connection>;
  /** The run being followed. */
  run(): string | null;
  /** Tries to reconnect at once. */
  hurry(): void;
  /** Follows `answer` instead, if it is still being written. */
  follow(answer: AnswerModel | null): void;
}

/** Pauses between tries to fetch the reader. A newer server may not have it. */
const AGAIN_AFTER_MS = [1_000, 3_000, 8_000];

interface Following {
  run: string;
  /** Null while the reader is being fetched. */
  tape: Tape | null;
}

/** @param ended Called when a run was followed to its end, or was lost. */
export function createFollower(
  ended: () => void,
  env: Environment,
): Follower {
  const connection = signal<Connection>("ok");
  let current: Following | null = null;

  async function read(answer: AnswerModel, mine: Following) {
    let follow = await env.tapeReader().catch(() => null);
    for (const pause of AGAIN_AFTER_MS) {
      if (follow !== null || current !== mine) break;
      connection.value = "reconnecting";
      await new Promise<void>((resolve) => env.after(pause, resolve));
      follow = await env.tapeReader().catch(() => null);
    }
    if (current !== mine) return;
    let end: TapeEnd = "refused";
    if (follow !== null) {
      mine.tape = follow(answer.run, {
        cursor: answer.cursor,
        restart: answer.restart,
        apply: answer.apply,
        connected(yes) {
          if (current === mine) connection.value = yes ? "ok" : "reconnecting";
        },
      }, env);
      end = await mine.tape.end;
    }
    if (current !== mine) return;
    current = null;
    batch(() => {
      connection.value = end === "refused" ? "lost" : "ok";
      ended();
    });
  }

  return {
    connection,
    run: () => current?.run ?? null,
    hurry: () => current?.tape?.hurry(),
    follow(answer) {
      if (answer !== null && answer.run === current?.run) return;
      current?.tape?.stop();
      current = null;
      connection.value = "ok";
      if (answer === null || answer.status.peek() !== "running") return;
      current = { run: answer.run, tape: null };
      read(answer, current);
    },
  };
}
