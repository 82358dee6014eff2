/**
 * The tool `calculator`: exact arithmetic without `eval` (case T09).
 *
 * @module
 */
import * as z from "zod";
import type { Tool } from "../agent/contracts.ts";
import { write } from "./calculator/number.ts";
import { calculate } from "./calculator/parse.ts";

const input = z.object({
  expression: z.string().describe(
    'What to work out, e.g. "(12.5 + 3) * 4", "200 + 10%" (is 220), "sqrt(2)"',
  ),
});

/** Works out one expression. */
export const calculator: Tool<z.infer<typeof input>> = {
  name: "calculator",
  description: "Works out an arithmetic expression exactly: + - * / ^ ! % " +
    "(percent, or remainder between two numbers), brackets, sqrt, cbrt, abs, " +
    "ln, log, exp, sin, cos, tan (radians; 30° for degrees), floor, ceil, " +
    "round(x, digits), min, max, sum, avg, mod, gcd, lcm, pi, e. Use it " +
    "whenever numbers have to be right.",
  input,
  effect: "read",
  run({ expression }) {
    const { text, exact } = write(calculate(expression));
    const asked = expression.trim().replace(/\s+/g, " ");
    return {
      text: `${asked} ${exact ? "=" : "≈"} ${text}`,
      data: { kind: "calculation", expression: asked, result: text, exact },
    };
  },
};
