/**
 * Reading a plain form, as pages without scripts send it.
 *
 * @module
 */
import type * as z from "zod";
import { HttpProblem } from "./problem.ts";

/**
 * The fields of a urlencoded body, checked.
 *
 * @throws HttpProblem 400 in words for the person who filled it in.
 */
export async function readForm<T>(
  req: Request,
  schema: z.ZodType<T>,
): Promise<T> {
  const fields = Object.fromEntries(new URLSearchParams(await req.text()));
  const checked = schema.safeParse(fields);
  if (!checked.success) {
    throw new HttpProblem(
      400,
      "invalid_form",
      checked.error.issues.map((issue) => issue.message).join("; "),
    );
  }
  return checked.data;
}
