import type { ComponentChildren } from "preact";
import { type Answer, answerText, isBrokenOff } from "../../chat/answer.ts";
import type { AnswerModel } from "../answer_model.ts";
import type { Messages } from "../messages_en.ts";
import { errorWords, useText } from "../words.ts";
import type { AnswerProps } from "./answer.tsx";
import { useCountdown } from "./countdown.ts";
import { Icon } from "./icons.tsx";

/** How an answer ended, when it did not simply end well. */
export function AnswerEnd({ answer: model, anew, goOn, now }: AnswerProps) {
  const text = useText();
  model.meta.value;
  const { answer } = model;
  const further = isBrokenOff(answer) ? goOn : null;
  // Whether to go on was asked: what was said to that stands there.
  if (answer.error?.code === "max_steps" && answer.asked !== null) return null;
  if (answer.status === "stopped") {
    return (
      <Mark testId="stopped" goOn={further}>
        <Icon name="stop" /> {text.stoppedByYou}
      </Mark>
    );
  }
  if (answer.status === "complete") {
    const words = completeWords(answer, text);
    return words === null
      ? null
      : <Mark testId="cut" goOn={further}>{words}</Mark>;
  }
  return (
    <div class="banner" role="alert" data-testid="answer-error">
      <Icon name="alert" />
      <div>
        <p>{failureWords(answer, text)}</p>
        {answer.error !== null && <FailureDetail answer={answer} />}
      </div>
      <Again model={model} anew={anew} goOn={further} now={now} />
    </div>
  );
}

/** A quiet line, and beside it the way on. */
function Mark(
  { testId, goOn, children }: {
    testId: string;
    goOn: (() => void) | null;
    children: ComponentChildren;
  },
) {
  const text = useText();
  return (
    <p class="mark-line" data-testid={testId}>
      {children}
      {goOn !== null && (
        <button
          type="button"
          class="quiet scripted"
          data-testid="go-on"
          onClick={goOn}
        >
          <Icon name="goOn" /> {text.goOn}
        </button>
      )}
    </p>
  );
}

function Again(
  { model, anew, goOn, now }: {
    model: AnswerModel;
    anew: (() => void) | null;
    goOn: (() => void) | null;
    now: () => number;
  },
) {
  const text = useText();
  const since = model.failedAt.value;
  const wait = model.answer.error?.retryAfterMs ?? 0;
  // After a reload nobody knows how much of the wait has passed: none is asked.
  const rest = since === null ? 0 : Math.max(0, since + wait - now());
  const left = useCountdown(rest, since);
  return (
    <>
      {goOn !== null && (
        <button
          type="button"
          class="button main scripted"
          data-testid="go-on"
          disabled={left > 0}
          onClick={goOn}
        >
          <Icon name="goOn" /> {text.goOn}
        </button>
      )}
      {anew !== null && (
        <button
          type="button"
          class="button scripted"
          data-testid="retry"
          disabled={left > 0}
          onClick={anew}
        >
          <Icon name="retry" />
          {left > 0 ? text.retryIn(left) : text.retry}
        </button>
      )}
    </>
  );
}

/** What the provider itself said helps only where our words are general. */
const SPOKEN = new Set([
  "upstream_error",
  "upstream_bad_request",
  "upstream_bad_response",
  "limit_exceeded",
  // These say what to do: start the model server, choose another model.
  "upstream_unavailable",
  "upstream_reset",
]);

/** Sentences of the server's that say the same as ours, in one language. */
const SAID_ALREADY = new Set([
  "The model provider reported an error.",
  "The model provider did not accept the request.",
  "What answered at the model's address is not a chat model.",
  "The model provider is not available.",
  "The model provider cannot be reached.",
  "The connection to the model provider broke.",
]);

function FailureDetail({ answer }: { answer: Answer }) {
  const error = answer.error!;
  const more = SPOKEN.has(error.code) && !SAID_ALREADY.has(error.text);
  return (
    <small>
      {more && `${error.text} `}
      <code>{error.code}</code>
    </small>
  );
}

function failureWords(answer: Answer, text: Messages): string {
  if (answer.error !== null) return errorWords(text, answer.error.code);
  return answer.abortReason === "timeout" ? text.timedOut : text.interrupted;
}

function completeWords(answer: Answer, text: Messages): string | null {
  if (answer.finishReason === "length") return text.cutByLength;
  if (answer.finishReason === "content-filter") return text.cutByFilter;
  return answerText(answer).trim() === "" ? text.noText : null;
}
