/**
 * The demo model's mind: a question and what the tools said, turned into a plan.
 * A table, not a model; it says so when asked.
 *
 * @module
 */
import { busIntent } from "./bus.ts";
import { conversationLanguage, type Language, languageOf } from "./language.ts";
import {
  busMemory,
  lastQuestion,
  openQuestion,
  toolAnswers,
} from "./memory.ts";
import { PHRASES, SMALL_TALK } from "./phrases.ts";
import { call, type Plan, type PlannedCall, say } from "./plan.ts";
import { report } from "./report.ts";
import { readQuestion } from "./stops/extract.ts";
import { findClocks, findExpression } from "./sums.ts";
import { thoughts } from "./thoughts.ts";
import { fragments, pieces } from "./typing.ts";
import type { Message } from "./wire.ts";

/** What the brain is asked. */
export interface Conversation {
  messages: Message[];
  /** The tools that may be called. */
  tools: ReadonlySet<string>;
  now: Date;
}

/** What is said or called next. */
export function answer(conversation: Conversation): Plan {
  // The tables look at beginnings; nobody asks for a bus in 2,000 characters.
  const question = lastQuestion(conversation.messages).slice(0, 2000);
  const language = conversationLanguage(conversation.messages);
  const answers = toolAnswers(conversation.messages);
  if (answers.length > 0) return say(report(answers, question, language));
  const plan = respond(question, conversation, language);
  if (!/\bthink\b|想一想|想想看/i.test(question)) return plan;
  return { ...plan, reasoning: pieces(thoughts(plan, question, language)) };
}

function respond(
  question: string,
  conversation: Conversation,
  language: Language,
): Plan {
  const phrases = PHRASES[language];
  const talk = SMALL_TALK.find(({ pattern }) => pattern.test(question));
  if (talk?.phrase === "essay") return say(phrases.essay);

  const wanted: { name: string; input: unknown }[] = findClocks(question)
    .map((input) => ({ name: "current_time", input }));
  const expression = findExpression(question);
  if (expression !== null) {
    wanted.push({ name: "calculator", input: { expression } });
  }
  const bus = readBus(question, conversation, language);
  if (bus.kind === "call") {
    wanted.push({ name: "bus_schedule", input: bus.arguments });
  }
  if (wanted.length > 0) {
    const missing = wanted.find(({ name }) => !conversation.tools.has(name));
    if (missing !== undefined) return say(phrases.noTool(missing.name));
    return call(wanted.map(toCall));
  }
  if (bus.kind === "where-from") return say(phrases.whereFrom(bus.to));
  if (talk !== undefined) return say(phrases[talk.phrase]);
  if (bus.kind === "which-stop") return say(phrases.whichStop);
  return say(phrases.fallback);
}

function readBus(
  question: string,
  { messages, now }: Conversation,
  language: Language,
) {
  const memory = busMemory(messages);
  const read = (text: string) =>
    readQuestion(text, languageOf(text) ?? language, now);
  const asked = read(question);
  const intent = busIntent(asked, memory);
  // "Where does your trip start?" – "The railway station": the answer completes
  // the question before it.
  const open = openQuestion(messages);
  if (open === null || (intent.kind === "call" && asked.to)) return intent;
  const start = asked.from ?? asked.stop;
  if (start === undefined) return intent;
  const whole = { ...read(open), from: start };
  return busIntent({ ...whole, when: asked.when ?? whole.when }, null);
}

function toCall(
  { name, input }: { name: string; input: unknown },
): PlannedCall {
  return { name, fragments: fragments(JSON.stringify(input)) };
}
