/**
 * What the agent is given for a run: the model, the tools, all that was said, and
 * whom it may believe.
 *
 * @module
 */
import {
  type Model,
  ModelError,
  type ModelMessage,
} from "../agent/contracts.ts";
import { historyMessages, type Told } from "../agent/history.ts";
import { systemPrompt } from "../agent/prompt.ts";
import type { Toolbox } from "../agent/toolbox.ts";
import { allowedIn, strangersIn } from "../agent/trust.ts";
import type { Answer } from "../chat/answer.ts";
import type { RunRow, Store } from "../store/contract.ts";
import { type AskedWith, askedWith, imagesOf } from "./asked.ts";

/** Where models come from. */
export interface Models {
  /** What answers where nothing was chosen. */
  standard(): Promise<Model>;
  /** The model of this id; null if it is not offered (any more). */
  find(id: string): Promise<Model | null>;
}

export interface Brief {
  model: Model;
  toolbox: Toolbox;
  temperature: number;
  /** System, earlier turns and the question. */
  messages: ModelMessage[];
  attended: boolean;
  /** Pins of the tools a person allowed for the whole chat, in earlier turns. */
  allowed: Set<string>;
  /** Where text of strangers in `messages` came from. */
  strangers: Set<string>;
}

export interface BriefSources {
  store: Store;
  models: Models;
  /** The tools of one owner; of those still coming up, what is up in time. */
  toolbox: (owner: string, waitMs: number) => Promise<Toolbox>;
  now: () => Date;
  answer: (row: RunRow) => Promise<Answer>;
}

/** How long a question waits for servers of tools that are just coming up. */
const WAIT_MS = 2_000;
/** A run that goes on needs the very tool a person has just allowed. */
const WAIT_LONG_MS = 10_000;

/**
 * Gathers a brief.
 *
 * @param path The turns before this one, oldest first.
 * @throws ModelError when the chosen model is not there any more.
 */
export async function gatherBrief(
  row: RunRow,
  path: RunRow[],
  { store, models, toolbox, now, answer }: BriefSources,
): Promise<Brief> {
  const asked = askedWith(row.options);
  const told = await Promise.all(path.map(async (run): Promise<Told> => ({
    text: run.text,
    images: await imagesOf(store, run),
    answer: await answer(run),
  })));
  const [model, tools] = await Promise.all([
    asked.model === "" ? models.standard() : models.find(asked.model),
    toolbox(row.owner, row.epoch === 1 ? WAIT_MS : WAIT_LONG_MS),
  ]);
  if (model === null) {
    throw new ModelError(
      "upstream_unavailable",
      `The model "${asked.model}" is not offered any more. Choose another one.`,
      { retryable: false },
    );
  }
  const strangers = new Set(
    told.flatMap((turn) => strangersIn(turn.answer, tools)),
  );
  // A program's word for what a model once said is nobody's word (T03).
  if (asked.context.some(({ role }) => role === "assistant")) {
    strangers.add("the client's history");
  }
  return {
    model,
    toolbox: tools,
    temperature: asked.temperature,
    messages: withContext(
      historyMessages(systemPrompt(now(), asked.system), told, {
        text: row.text,
        images: await imagesOf(store, row),
      }),
      asked.context,
    ),
    attended: !asked.unattended,
    allowed: new Set(told.flatMap((turn) => allowedIn(turn.answer))),
    strangers,
  };
}

function withContext(
  messages: ModelMessage[],
  context: AskedWith["context"],
): ModelMessage[] {
  const between = context.map(({ role, text }): ModelMessage =>
    role === "assistant" ? { role, text, toolCalls: [] } : { role, text }
  );
  const [system, ...rest] = messages;
  return [system!, ...between, ...rest];
}
