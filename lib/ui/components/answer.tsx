import { answerText, type TextPart, type ToolPart } from "../../chat/answer.ts";
import type { AnswerModel, PartModel } from "../answer_model.ts";
import * as later from "../later.ts";
import type { Questions } from "../questions.ts";
import { count, duration, useText } from "../words.ts";
import { AnswerEnd } from "./answer_end.tsx";
import { useCountdown } from "./countdown.ts";
import { CopyButton } from "./copy_button.tsx";
import { Icon } from "./icons.tsx";

export interface AnswerProps {
  answer: AnswerModel;
  questions: Questions;
  /** False while it is being gone on with: how it had ended counts no more. */
  ended: boolean;
  /** Answers the question anew; null while that is not possible. */
  anew: (() => void) | null;
  /** Goes on with it, if it broke off; null while that is not possible. */
  goOn: (() => void) | null;
  now: () => number;
}

/** An answer: its parts, what it is waiting for, and how it ended. */
export function AnswerView(props: AnswerProps) {
  const text = useText();
  const { answer, questions } = props;
  const running = answer.status.value === "running";
  const ended = !running && props.ended;
  return (
    <article
      class="answer"
      aria-label={text.answer}
      // Busy text is not read aloud; a question is to be.
      aria-busy={running && answer.asking.value === 0}
      data-testid="answer"
      data-status={answer.status.value}
    >
      {answer.parts.value.map((part) => (
        <PartView
          key={part.key}
          model={part}
          run={answer.run}
          live={running}
          questions={questions}
        />
      ))}
      <AboutRun answer={answer} questions={questions} />
      {running && <Waiting answer={answer} />}
      {ended && <AnswerEnd {...props} />}
      {ended && <Footer answer={answer} anew={props.anew} />}
    </article>
  );
}

interface PartProps {
  model: PartModel;
  run: string;
  /** The run goes on. */
  live: boolean;
  questions: Questions;
}

function PartView({ model, ...asking }: PartProps) {
  model.version.value;
  const { part } = model;
  switch (part.kind) {
    case "step":
      return null;
    case "tool":
      return <ToolView part={{ ...part }} {...asking} />;
    case "reasoning":
      return <Reasoning part={part} shown={model.typed!.shown.value} />;
    case "text":
      return <TextView part={part} shown={model.typed!.shown.value} />;
  }
}

function ToolView(
  props: Omit<PartProps, "model"> & { part: ToolPart },
) {
  const work = later.work.use();
  return work === null ? <div class="tool" /> : <work.ToolCard {...props} />;
}

/** What the agent asks about the run itself, if it does. */
function AboutRun({ answer, questions }: AboutRunProps) {
  answer.meta.value;
  return answer.answer.asked === null
    ? null
    : <RunView answer={answer} questions={questions} />;
}

type AboutRunProps = Pick<AnswerProps, "answer" | "questions">;

function RunView({ answer: model, questions }: AboutRunProps) {
  const work = later.work.use();
  model.meta.value;
  const { run, answer } = model;
  const { asked } = answer;
  return work === null || asked === null ? null : (
    <work.RunQuestion
      key={asked.id}
      asked={{ ...asked }}
      steps={answer.parts.filter(({ kind }) => kind === "step").length}
      run={run}
      live={answer.status === "running"}
      questions={questions}
    />
  );
}

function TextView({ part, shown }: { part: TextPart; shown: number }) {
  const done = part.done && shown >= part.text.length;
  return (
    <div
      class={done ? "prose" : "prose typing"}
      data-testid="answer-text"
    >
      <Prose text={part.text.slice(0, shown)} done={done} />
    </div>
  );
}

/** Plain text as long as nobody knows how Markdown is drawn. */
function Prose({ text, done }: { text: string; done: boolean }) {
  const drawn = later.markdown.use();
  return drawn === null
    ? <p class="raw">{text}</p>
    : <drawn.Markdown text={text} done={done} />;
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
        <Prose text={part.text.slice(0, shown)} done={part.done} />
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
  // Nobody waits for the agent while it waits for a person.
  if (answer.asking.value > 0 || (!idle && words === null)) return null;
  return (
    <p class="waiting" data-testid="waiting">
      <span class="feeding" />
      {words === null
        ? <span class="visually-hidden">{text.thinking}</span>
        : <span>{words}</span>}
    </p>
  );
}

function Footer({ answer, anew }: Pick<AnswerProps, "answer" | "anew">) {
  const text = useText();
  answer.meta.value;
  const { model, ms, usage, status } = answer.answer;
  // After any other end it stands beside what went wrong.
  const offered = status === "complete" || status === "stopped";
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
      {offered && anew !== null && (
        <button
          type="button"
          class="quiet scripted"
          aria-label={text.anew}
          title={text.anew}
          data-testid="anew"
          onClick={anew}
        >
          <Icon name="retry" />
        </button>
      )}
      <small class="digits">{facts.join(" · ")}</small>
    </footer>
  );
}
