/**
 * A browser without a browser: a clock that is turned by hand, a storage, an
 * address bar and tabs. Everything happens in microtasks, so nothing here waits.
 *
 * @module
 */
import type {
  Environment,
  PageEvent,
  TabMessage,
} from "../../lib/ui/environment.ts";
import type { LogEntry } from "../../lib/chat/events.ts";
import { shareTape, type Tabs } from "../../lib/ui/shared_tape.ts";
import type { FakeServer } from "./fake_server.ts";

/** Lets everything that is ready happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
}

/** What several tabs share. */
export class Device {
  readonly storage = new Map<string, string>();
  readonly channels = new Set<
    { name: string; receive: (message: TabMessage) => void }
  >();
  keys = 0;
  /** No room left, or forbidden: what is written is gone. */
  full = false;
  readonly writers = new Set<
    { tab: FakePage; wrote: (key: string) => void }
  >();
}

type Line = { name: string; receive: (entry: LogEntry) => void };

/** Locks and lines between the tabs of a device. */
export function tabsOf(): Tabs & { leaders: Map<string, () => void> } {
  const leaders = new Map<string, () => void>();
  const waiting: { name: string; mine: () => void }[] = [];
  const lines = new Set<Line>();
  const grant = (name: string) => {
    const next = waiting.findIndex((wish) => wish.name === name);
    if (leaders.has(name) || next === -1) return;
    const { mine } = waiting.splice(next, 1)[0]!;
    leaders.set(name, mine);
    queueMicrotask(mine);
  };
  return {
    leaders,
    hold(name, mine) {
      const wish = { name, mine };
      waiting.push(wish);
      grant(name);
      return () => {
        const at = waiting.indexOf(wish);
        if (at >= 0) waiting.splice(at, 1);
        if (leaders.get(name) !== mine) return;
        leaders.delete(name);
        grant(name);
      };
    },
    line(name, receive) {
      const mine = { name, receive };
      lines.add(mine);
      return {
        post(entry) {
          for (const other of lines) {
            if (other === mine || other.name !== name) continue;
            const copy = structuredClone(entry);
            queueMicrotask(() => lines.has(other) && other.receive(copy));
          }
        },
        close: () => void lines.delete(mine),
      };
    },
  };
}

/** One tab. */
export class FakePage implements Environment {
  time = 0;
  /** What `random()` answers. */
  luck = 0;
  isStill = false;
  address = "/";
  readonly pushed: string[] = [];
  readonly #timers = new Set<{ at: number; call: () => void }>();
  readonly #frames = new Set<() => void>();
  readonly #events = new Map<string, Set<() => void>>();

  constructor(
    readonly server: FakeServer,
    readonly device: Device = new Device(),
  ) {}

  /** Turns the clock; timers fire on the way, each at its moment. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle();
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end)
        .sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.call();
      await settle();
    }
    this.time = end;
    await settle();
  }

  /** Draws one frame, 16 ms after the last. */
  frameNow(ms = 16): void {
    this.time += ms;
    const due = [...this.#frames];
    this.#frames.clear();
    due.forEach((call) => call());
  }

  get waitingFrames(): number {
    return this.#frames.size;
  }

  get waitingTimers(): number {
    return this.#timers.size;
  }

  async happens(event: PageEvent | "pop"): Promise<void> {
    this.#events.get(event)?.forEach((call) => call());
    await settle();
  }

  fetch = (path: string, init: RequestInit = {}) =>
    this.server.receive(path, init);
  now = () => this.time;
  random = () => this.luck;
  after(ms: number, call: () => void) {
    const timer = { at: this.time + ms, call };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }
  frame(call: () => void) {
    this.#frames.add(call);
    return () => void this.#frames.delete(call);
  }
  still = () => this.isStill;
  tapeReader = () => Promise.resolve(shareTape);
  newKey = () => `key-${++this.device.keys}`;
  read = (key: string) => this.device.storage.get(key) ?? null;
  keys = (prefix: string) =>
    [...this.device.storage.keys()].filter((key) => key.startsWith(prefix));
  write(key: string, value: string | null) {
    const { storage, full, writers } = this.device;
    if ((storage.get(key) ?? null) === value) return;
    if (value === null) storage.delete(key);
    else if (!full) storage.set(key, value);
    // As browsers do: only the other tabs hear of it, and later.
    for (const { tab, wrote } of writers) {
      if (tab !== this) queueMicrotask(() => wrote(key));
    }
  }
  onWrite(wrote: (key: string) => void) {
    const writer = { tab: this, wrote };
    this.device.writers.add(writer);
    return () => void this.device.writers.delete(writer);
  }
  on(event: PageEvent | "pop", call: () => void) {
    const calls = this.#events.get(event) ?? new Set();
    this.#events.set(event, calls.add(call));
    return () => void calls.delete(call);
  }
  channel(name: string, receive: (message: TabMessage) => void) {
    const { channels } = this.device;
    const mine = { name, receive };
    channels.add(mine);
    return {
      post(message: TabMessage) {
        for (const other of channels) {
          if (other !== mine && other.name === name) other.receive(message);
        }
      },
      close: () => void channels.delete(mine),
    };
  }
  /** Null, unless a test is about several tabs: it then is `device.tabs`. */
  tabs: Tabs | null = null;
  path = () => this.address;
  push = (path: string) => {
    this.address = path;
    this.pushed.push(path);
  };
  onPop = (call: () => void) => this.on("pop", call);
}
