import { answerText, type TextPart } from "../../chat/answer.ts";
import type { AnswerModel, PartModel } from "../answer_model.ts";
import { count, duration, useText } from "../words.ts";
import { AnswerEnd } from "./answer_end.tsx";
import { useCountdown } from "./countdown.ts";
import { CopyButton } from "./copy_button.tsx";
import { Icon } from "./icons.tsx";
import { Markdown } from "./markdown.tsx";
import { ToolCard } from "./tool_card.tsx";

export interface AnswerProps {
  answer: AnswerModel;
  /** Asks again; null while that is not possible. */
  retry: (() => void) | null;
  now: () => number;
}

/** An answer: its parts, what it is waiting for, and how it ended. */
export function AnswerView({ answer, retry, now }: AnswerProps) {
  const text = useText();
  const running = answer.status.value === "running";
  return (
    <article
      class="answer"
      aria-label={text.answer}
      aria-busy={running}
      data-testid="answer"
      data-status={answer.status.value}
    >
      {answer.parts.value.map((part) => (
        <PartView
          key={part.key}
          model={part}
        />
      ))}
      {running && <Waiting answer={answer} />}
      {!running && <AnswerEnd answer={answer} retry={retry} now={now} />}
      {!running && <Footer answer={answer} />}
    </article>
  );
}

function PartView({ model }: { model: PartModel }) {
  model.version.value;
  const { part } = model;
  switch (part.kind) {
    case "step":
      return null;
    case "tool":
      return <ToolCard part={{ ...part }} />;
    case "reasoning":
      return <Reasoning part={part} shown={model.typed!.shown.value} />;
    case "text":
      return <TextView part={part} shown={model.typed!.shown.value} />;
  }
}

function TextView({ part, shown }: { part: TextPart; shown: number }) {
  const done = part.done && shown >= part.text.length;
  return (
    <div
      class={done ? "prose" : "prose typing"}
      data-testid="answer-text"
    >
      <Markdown text={part.text.slice(0, shown)} done={done} />
    </div>
  );
}

function Reasoning({ part, shown }: { part: TextPart; shown: number }) {
  const text = useText();
  return (
    <details class="reasoning" data-testid="reasoning">
      <summary>
        <Icon name="spark" />
        <span class={part.done ? undefined : "shimmer"}>
          {part.done ? text.reasoning : text.thinking}
        </span>
        <Icon name="chevron" />
      </summary>
      <div class="prose">
        <Markdown text={part.text.slice(0, shown)} done={part.done} />
      </div>
    </details>
  );
}

/** Shown whenever the person would otherwise look at nothing. */
function Waiting({ answer }: { answer: AnswerModel }) {
  const text = useText();
  answer.meta.value;
  const notice = answer.answer.notice;
  const last = answer.parts.value.at(-1);
  last?.version.value;
  const idle = last === undefined || last.part.kind === "step" ||
    (last.part.kind === "tool"
      ? last.part.state === "done" || last.part.state === "failed"
      : last.part.done);
  const left = useCountdown(
    notice?.status === "waiting" ? notice.retryAfterMs : 0,
    notice,
  );
  const words = notice === null
    ? null
    : notice.status === "waiting"
    ? text.waiting(left)
    : notice.status === "retrying"
    ? text.retrying
    : text.takenOver;
  if (!idle && words === null) return null;
  return (
    <p class="waiting" data-testid="waiting">
      <span class="feeding" />
      {words === null
        ? <span class="visually-hidden">{text.thinking}</span>
        : <span>{words}</span>}
    </p>
  );
}

function Footer({ answer }: { answer: AnswerModel }) {
  const text = useText();
  answer.meta.value;
  const { model, ms, usage } = answer.answer;
  const words = answerText(answer.answer);
  const facts = [
    model,
    ms === null ? "" : duration(ms),
    usage === null ? "" : (usage.estimated ? text.usageEstimated : text.usage)(
      count(usage.total),
    ),
  ].filter(Boolean);
  return (
    <footer class="answer-footer">
      {words !== "" && (
        <CopyButton
          label={text.copyAnswer}
          text={() => words}
          testId="copy-answer"
        />
      )}
      <small class="digits">{facts.join(" · ")}</small>
    </footer>
  );
}
