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
import { followTape } from "../../lib/ui/tape_client.ts";
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
  tapeReader = () => Promise.resolve(followTape);
  newKey = () => `key-${++this.device.keys}`;
  read = (key: string) => this.device.storage.get(key) ?? null;
  write(key: string, value: string | null) {
    if (value === null) this.device.storage.delete(key);
    else this.device.storage.set(key, value);
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
  path = () => this.address;
  push = (path: string) => {
    this.address = path;
    this.pushed.push(path);
  };
  onPop = (call: () => void) => this.on("pop", call);
}
