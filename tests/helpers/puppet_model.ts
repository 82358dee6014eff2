/**
 * A model moved by the test: every question arrives as a {@linkcode Puppet}, and
 * the test decides word by word what is said and when it ends.
 */
import type {
  Model,
  ModelEvent,
  ModelRequest,
  ModelTurn,
} from "../../lib/agent/contracts.ts";

export class Puppet {
  readonly #turn = Promise.withResolvers<ModelTurn>();
  /** Resolves with the reason once the model's signal aborts. */
  readonly aborted: Promise<unknown>;

  constructor(
    readonly request: ModelRequest,
    readonly emit: (event: ModelEvent) => void,
    signal: AbortSignal,
  ) {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.aborted = promise;
    const onAbort = () => {
      resolve(signal.reason);
      this.#turn.reject(signal.reason);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  }

  get turn(): Promise<ModelTurn> {
    return this.#turn.promise;
  }

  say(...deltas: string[]): this {
    for (const delta of deltas) this.emit({ type: "text", delta });
    return this;
  }

  call(name: string, input: unknown, id: string = crypto.randomUUID()): this {
    const args = JSON.stringify(input);
    this.emit({ type: "tool-call-start", id, name });
    this.emit({ type: "tool-call-delta", id, delta: args });
    this.finish({
      finishReason: "tool-calls",
      toolCalls: [{ id, name, arguments: args }],
    });
    return this;
  }

  finish(turn: Partial<ModelTurn> = {}): void {
    this.#turn.resolve({ finishReason: "stop", toolCalls: [], ...turn });
  }

  fail(error: unknown): void {
    this.#turn.reject(error);
  }
}

/** How long a test waits for something that should have happened. */
const PATIENCE_MS = 10_000;

export class PuppetModel implements Model {
  readonly id = "puppet";
  #asked: Puppet[] = [];
  #waiting: ((puppet: Puppet) => void)[] = [];
  /** How often the model was asked. */
  count = 0;

  stream(
    request: ModelRequest,
    emit: (event: ModelEvent) => void,
    signal: AbortSignal,
  ): Promise<ModelTurn> {
    this.count++;
    const puppet = new Puppet(structuredClone(request), emit, signal);
    const next = this.#waiting.shift();
    if (next === undefined) this.#asked.push(puppet);
    else next(puppet);
    return puppet.turn;
  }

  /** The next question; waits for it, but not for ever. */
  next(): Promise<Puppet> {
    const puppet = this.#asked.shift();
    if (puppet !== undefined) return Promise.resolve(puppet);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error("Nobody asked the model")),
        PATIENCE_MS,
      );
      this.#waiting.push((puppet) => {
        clearTimeout(timer);
        resolve(puppet);
      });
    });
  }
}
