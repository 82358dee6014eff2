/**
 * One connection for all tabs that show the same run: a browser opens six to a
 * server over HTTP/1.1, and a seventh tab could not even load (cases D10, R15).
 * The tab that holds the lock reads the tape and tells the others what it read;
 * when it goes, the next one takes over. What a tab has missed it reads for
 * itself, on a connection of half a second.
 *
 * @module
 */
import type { LogEntry } from "../chat/events.ts";
import type { Environment } from "./environment.ts";
import {
  followTape,
  type Tape,
  type TapeEnd,
  type TapeReader,
} from "./tape_client.ts";

/** The browser's other tabs. */
export interface Tabs {
  /**
   * Asks for a lock that one tab has at a time; `mine` is called when it is
   * ours. The answer lets go of it, or of the wish.
   */
  hold(name: string, mine: () => void): () => void;
  /** A line to the tabs that listen on the same name. */
  line(
    name: string,
    receive: (entry: LogEntry) => void,
  ): { post(entry: LogEntry): void; close(): void };
}

/** How long a lock that is free takes to be ours, at most. */
const GRANT_MS = 60;
/** How long a tab reads for itself what it has missed. */
const GLANCE_MS = 500;
/** Silence after which a tab looks for itself: who reads may be frozen. */
const SILENCE_MS = 20_000;

/** As {@linkcode followTape}, with the other tabs that follow this run. */
export function shareTape(
  run: string,
  reader: TapeReader,
  env: Environment,
): Tape {
  const { tabs } = env;
  if (tabs === null) return followTape(run, reader, env);
  const { promise, resolve } = Promise.withResolvers<TapeEnd>();
  let over = false;
  let leading = false;
  /** What this tab reads itself, as the leader or for a moment. */
  let own: Tape | null = null;
  let unwatch = () => {};
  let unglance = () => {};

  function finish(end: TapeEnd) {
    if (over) return;
    over = true;
    own?.stop();
    undo.forEach((call) => call());
    unwatch();
    unglance();
    resolve(end);
  }

  function watch() {
    unwatch();
    unwatch = env.after(SILENCE_MS, glance);
  }

  function read(apply: TapeReader["apply"], connected: () => void) {
    const mine = followTape(run, {
      ...reader,
      apply,
      connected(yes) {
        reader.connected(yes);
        if (yes) connected();
      },
    }, env);
    own = mine;
    mine.end.then((end) => {
      if (own !== mine) return;
      own = null;
      if (end !== "stopped") finish(end);
    });
  }

  function lead() {
    if (over) return;
    leading = true;
    unwatch();
    unglance();
    own?.stop();
    read((entry, live) => {
      const outcome = reader.apply(entry, live);
      // A resync is between this tab and the server.
      if (outcome !== "gap" && entry.seq > 0) line.post(entry);
      return outcome;
    }, () => {});
  }

  /** Reads what is there now, and a little longer. */
  function glance() {
    if (over || leading) return;
    watch();
    if (own !== null) return;
    read(reader.apply, () => {
      unglance = env.after(GLANCE_MS, () => {
        const mine = own;
        own = null;
        mine?.stop();
      });
    });
  }

  function receive(entry: LogEntry) {
    if (over || leading) return;
    watch();
    const last = reader.cursor()?.seq ?? 0;
    if (entry.seq <= last) return;
    // Only the next one: what is behind a gap must not move the cursor.
    if (entry.seq > last + 1) return glance();
    const outcome = reader.apply(entry, true);
    if (outcome === "over") finish("ended");
    else if (outcome === "gap") glance();
  }

  const line = tabs.line(`tape:${run}`, receive);
  const undo = [
    () => line.close(),
    tabs.hold(`tape:${run}`, lead),
    env.on("visible", glance),
    env.on("online", glance),
    env.after(GRANT_MS, glance),
  ];
  return {
    stop: () => finish("stopped"),
    hurry() {
      if (own !== null) own.hurry();
      else glance();
    },
    end: promise,
  };
}
