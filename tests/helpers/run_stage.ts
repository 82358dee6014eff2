/**
 * Runs without HTTP: a store that can be made to fail or to wait, a puppet for a
 * model, and readers.
 */
import { assert } from "@std/assert";
import type { Tool } from "../../lib/agent/contracts.ts";
import { createToolbox, type Toolbox } from "../../lib/agent/toolbox.ts";
import { emptyAnswer } from "../../lib/chat/answer.ts";
import { fold } from "../../lib/chat/fold.ts";
import {
  type Entry,
  type RunLimits,
  Runs,
  type TapeReader,
} from "../../lib/runs/mod.ts";
import { openStore, type Store } from "../../lib/store/mod.ts";
import { soleModel } from "../../lib/models/catalog.ts";
import { PuppetModel } from "./puppet_model.ts";

export const NOW = new Date("2026-03-02T08:00:00Z");

export function stage(
  options: {
    store?: Store;
    limits?: Partial<RunLimits>;
    tools?: Tool[];
    /** Instead of `tools`: what comes when it comes. */
    toolbox?: () => Promise<Toolbox>;
    now?: () => Date;
  } = {},
) {
  const store = options.store ?? openStore({ kind: "memory" });
  const model = new PuppetModel();
  const reports: string[] = [];
  const { tools = [], now = () => NOW } = options;
  const runs = new Runs({
    store,
    models: soleModel(model),
    toolbox: options.toolbox ??
      (() => Promise.resolve(createToolbox(tools, now))),
    now,
    limits: options.limits,
    report: (message) => reports.push(message),
  });
  return {
    store,
    model,
    runs,
    reports,
    async start(text = "hello") {
      const outcome = await runs.start({ owner: "me", text });
      assert(outcome.kind === "started");
      return outcome;
    },
    async [Symbol.asyncDispose]() {
      await runs.close();
      // One that several stages share is the test's to close.
      if (options.store === undefined) await store.close();
    },
  };
}

export async function open(runs: Runs, run: string): Promise<TapeReader> {
  const outcome = await runs.read("me", run, null);
  assert(outcome.kind === "reader");
  return outcome.reader;
}

/** Every entry to the end of the run. */
export async function drain(reader: TapeReader): Promise<Entry[]> {
  const entries: Entry[] = [];
  // A run that never ends gives up its reader, and what it said is judged.
  const timer = setTimeout(() => reader.close(), 10_000);
  try {
    while (true) {
      const pulled = await reader.pull();
      if (pulled.kind === "entries") entries.push(...pulled.entries);
      else if (pulled.kind !== "beat") return entries;
    }
  } finally {
    clearTimeout(timer);
    reader.close();
  }
}

export function folded(entries: Entry[]) {
  const answer = emptyAnswer("r");
  for (const entry of entries) {
    assert(fold(answer, entry).kind !== "gap", entry.json);
  }
  return answer;
}

/** A store whose appends can be made to fail or to wait. */
export function troubled(
  inner: Store,
): Store & { trouble: () => Promise<void>; appends: number } {
  const store = Object.create(inner) as Store & {
    trouble: () => Promise<void>;
    appends: number;
  };
  store.trouble = () => Promise.resolve();
  store.appends = 0;
  store.append = async (...args) => {
    store.appends++;
    await store.trouble();
    return await inner.append(...args);
  };
  // A class with private fields wants its methods called on itself.
  const proto = Object.getPrototypeOf(inner);
  for (const name of Object.getOwnPropertyNames(proto)) {
    if (name === "append" || name === "constructor" || name === "kind") {
      continue;
    }
    // deno-lint-ignore no-explicit-any
    (store as any)[name] = (inner as any)[name].bind(inner);
  }
  return store;
}
