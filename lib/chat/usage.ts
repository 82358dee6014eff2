/**
 * Tokens: sums over steps, and guesses where a provider said nothing.
 *
 * @module
 */
import type { Usage } from "./events.ts";

/** The sum of two steps; a part that was guessed makes the whole a guess. */
export function addUsage(a: Usage, b: Usage): Usage {
  const sum: Usage = {
    input: a.input + b.input,
    output: a.output + b.output,
    total: a.total + b.total,
  };
  const reasoning = (a.reasoning ?? 0) + (b.reasoning ?? 0);
  const cached = (a.cached ?? 0) + (b.cached ?? 0);
  if (reasoning > 0) sum.reasoning = reasoning;
  if (cached > 0) sum.cached = cached;
  if (a.estimated || b.estimated) sum.estimated = true;
  return sum;
}

/**
 * About how many tokens a text is: four characters of an alphabet make one, an
 * ideograph is nearly one of its own. Within a third of what common tokenizers
 * count, which is enough to say "about".
 */
export function estimateTokens(text: string): number {
  let quarters = 0;
  for (let i = 0; i < text.length; i++) {
    quarters += text.charCodeAt(i) < 0x2e80 ? 1 : 3;
  }
  return Math.ceil(quarters / 4);
}
