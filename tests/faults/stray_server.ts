/**
 * The server as it is shipped, with a calculator that leaves accidents behind:
 * errors that nobody awaits, of the kinds a careless tool or library makes (R26).
 *
 * @module
 */
import { calculator } from "../../lib/tools/calculator.ts";
import { TapeReader } from "../../lib/runs/mod.ts";

const bang = (what: string) => new Error(`stray ${what}`);

/** What happens by the way while the tool answers, by its expression. */
const ACCIDENTS: Record<string, () => void> = {
  "1": () => void Promise.reject(bang("rejection")),
  "2": () =>
    void setTimeout(() => {
      throw bang("timer");
    }),
  "3": () =>
    queueMicrotask(() => {
      throw bang("microtask");
    }),
  "4": () => {
    const stream = new ReadableStream({
      pull() {
        throw bang("pull");
      },
    });
    stream.getReader().read();
  },
  "5": () => {
    const emitter = new EventTarget();
    emitter.addEventListener("progress", () => {
      throw bang("listener");
    });
    emitter.dispatchEvent(new Event("progress"));
  },
  // From now on every reader that hangs up meets one in the stream's callback.
  "6": () => {
    const { close } = TapeReader.prototype;
    TapeReader.prototype.close = function () {
      close.call(this);
      throw bang("cancel");
    };
  },
};

Object.assign(calculator, {
  run({ expression }: { expression: string }) {
    ACCIDENTS[expression]!();
    return { text: `done ${expression}` };
  },
});

await import("../../host/serve.ts");
