/**
 * Thinking aloud: what the table really did, said before the answer.
 *
 * @module
 */
import type { Language } from "./language.ts";
import type { Plan } from "./plan.ts";

/** The steps that led to a plan, for `reasoning_content`. */
export function thoughts(
  plan: Plan,
  question: string,
  language: Language,
): string {
  const asked = question.length > 80 ? `${question.slice(0, 80)}…` : question;
  const calls = plan.calls.map(({ name, fragments }) =>
    `${name} ${fragments.join("")}`
  );
  if (language === "zh") {
    const next = calls.length > 0
      ? `看起来需要工具，我准备这样调用：${
        calls.join("；")
      }。时刻要以工具的结果为准，不能自己编。`
      : "表里没有需要工具的意思，直接回答就好。";
    return `问题是：“${asked}”\n先看语言：中文。再看里面有没有站名、线路、时间或算式。\n${next}\n`;
  }
  const next = calls.length > 0
    ? `This needs a tool, so I will call ${
      calls.join(" and ")
    }. The times must come from its answer, not from me.`
    : "Nothing in it needs a tool, so I can answer straight away.";
  return `The question is: "${asked}"\nIts language is English. Does it name stops, a line, a time or a sum?\n${next}\n`;
}
