/**
 * Everything a store holds of one owner's chats, read once, for the checker.
 *
 * @module
 */
import type {
  QueuedRow,
  RunRow,
  Store,
  StoredEntry,
} from "../../../lib/store/contract.ts";

export interface Chat {
  id: string;
  /** In the order they were asked. */
  runs: RunRow[];
  queue: QueuedRow[];
}

export interface Content {
  chats: Chat[];
  /** Run → its log, as stored. */
  logs: Map<string, StoredEntry[]>;
  /** Waiting messages whose turn it is. */
  due: QueuedRow[];
}

const PAGE = 4_096;

/** Reads all chats of an owner, the log of every run, and what waits. */
export async function readContent(
  store: Store,
  owner = "local",
): Promise<Content> {
  const content: Content = {
    chats: [],
    logs: new Map(),
    due: await store.due(1_000),
  };
  for (const { id } of await store.chats(owner, 1_000_000, "all")) {
    const runs = await store.runs(id);
    content.chats.push({ id, runs, queue: await store.queue(owner, id) });
    for (const run of runs) {
      const log: StoredEntry[] = [];
      while (true) {
        const page = await store.read(run.id, log.at(-1)?.seq ?? 0, PAGE);
        if (page.length === 0) break;
        for (const entry of page) log.push(entry);
      }
      content.logs.set(run.id, log);
    }
  }
  return content;
}
