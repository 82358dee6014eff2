/**
 * What the fake provider is asked to say, written as the question itself, so that
 * it passes through every server unchanged.
 *
 * @module
 */

export interface Script {
  tokens: number;
  /** Tokens per second; 0 is as fast as possible. */
  rate: number;
  /** Pause before the first word, ms. */
  waitMs: number;
  /** Ask for the calculator first. */
  tool: boolean;
}

/** The question that makes the provider follow `script`. */
export function question(script: Partial<Script>): string {
  const { tokens = 0, rate = 0, waitMs = 0, tool = false } = script;
  return `tokens=${tokens} rate=${rate} wait=${waitMs} tool=${Number(tool)}`;
}

/** The script in a question. */
export function readScript(text: string): Script {
  const number = (name: string) =>
    Number(new RegExp(`\\b${name}=(\\d+)`).exec(text)?.[1] ?? 0);
  return {
    tokens: number("tokens"),
    rate: number("rate"),
    waitMs: number("wait"),
    tool: number("tool") === 1,
  };
}
