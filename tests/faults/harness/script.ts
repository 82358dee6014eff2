/**
 * What the mock upstream is asked to say, written into the question itself: it
 * passes through every server unchanged, and through a restart.
 *
 * @module
 */

export interface Script {
  /** Names the question; nothing else may stand in two questions. */
  key: string;
  /** Words of the answer. */
  words: number;
  /** Pause between two writes of the upstream, ms. */
  pace: number;
  /** Words in one write. */
  burst: number;
  /** Pause before the first word, ms. */
  wait: number;
  /** After so many words say nothing until `release()`; 0: do not. */
  hold: number;
  /** After so many words drop the connection, the first time; 0: do not. */
  cut: number;
  /** Every other word is reasoning: six events instead of one. */
  weave: boolean;
  /** A tool to call before the first word, with `{"key": …}`; "" for none. */
  tool: string;
}

const DEFAULTS: Script = {
  key: "",
  words: 20,
  pace: 10,
  burst: 1,
  wait: 0,
  hold: 0,
  cut: 0,
  weave: false,
  tool: "",
};

/** The question that makes the upstream follow the script. */
export function question(script: Partial<Script> & { key: string }): string {
  const fields = Object.entries({ ...DEFAULTS, ...script })
    .filter(([name, value]) => value !== DEFAULTS[name as keyof Script])
    .map(([name, value]) => `${name}=${value}`);
  return `fault-script ${fields.join(" ")}`;
}

/** The script in a question; null if there is none. */
export function readScript(text: string): Script | null {
  if (!text.startsWith("fault-script ")) return null;
  const said = new Map(
    [...text.matchAll(/(\w+)=(\S*)/g)].map((
      [, name, value],
    ) => [name!, value!]),
  );
  const number = (name: keyof Script) =>
    Number(said.get(name) ?? DEFAULTS[name]);
  return {
    key: said.get("key") ?? "",
    words: number("words"),
    pace: number("pace"),
    burst: number("burst"),
    wait: number("wait"),
    hold: number("hold"),
    cut: number("cut"),
    weave: said.get("weave") === "true",
    tool: said.get("tool") ?? "",
  };
}

/** One word of an answer: which it is, and the upstream call that said it. */
export interface Word {
  index: number;
  call: number;
}

/** The word as the upstream writes it. */
export const wordText = ({ index, call }: Word): string => `w${index}/${call} `;

/**
 * The words of a text.
 *
 * @throws if there is anything else in it.
 */
export function readWords(text: string): Word[] {
  const words = [...text.matchAll(/w(\d+)\/(\d+) /g)].map(
    ([, index, call]) => ({ index: Number(index), call: Number(call) }),
  );
  if (words.map(wordText).join("") === text) return words;
  throw new Error(`Cannot read the words of "${text.slice(0, 200)}"`);
}
