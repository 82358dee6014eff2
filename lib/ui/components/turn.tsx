import type { ChatModel } from "../chat_model.ts";
import * as later from "../later.ts";
import type { TurnModel } from "../turn_model.ts";
import { useText } from "../words.ts";
import { AnswerView } from "./answer.tsx";
import { focusComposer, focusSoon } from "./focus.ts";
import { Icon } from "./icons.tsx";
import { QuestionTools } from "./question_tools.tsx";

export interface TurnProps {
  turn: TurnModel;
  model: ChatModel;
  /** Only the last turn can be answered anew, or gone on with. */
  last: boolean;
  /** The transcript is not to follow its end for now. */
  stay(): void;
}

/** A question, and its answer or what became of the sending. */
export function TurnView({ turn, model, last, stay }: TurnProps) {
  const text = useText();
  const { branches } = model;
  const answer = turn.answer.value;
  const delivery = turn.delivery.value;
  const mayAsk = last && model.phase.value === "idle" && delivery === "sent";
  const edited = branches.editing.value?.run === answer?.run;
  return (
    <section class="turn" data-testid="turn" data-delivery={delivery}>
      <div
        class="question"
        data-testid="question"
      >
        <h2 class="visually-hidden">{text.you}</h2>
        {turn.images.length > 0 && <Pictures images={turn.images} />}
        {edited
          ? <Edited turn={turn} model={model} />
          : <p dir="auto">{turn.text}</p>}
        {answer !== null && !edited && (
          <QuestionTools turn={turn} model={model} stay={stay} />
        )}
      </div>
      {answer !== null && (
        <AnswerView
          key={answer.key}
          answer={answer}
          questions={model.questions}
          ended={delivery === "sent"}
          anew={mayAsk
            ? () => {
              branches.anew(turn);
              focusComposer();
            }
            : null}
          goOn={mayAsk
            ? () => {
              branches.goOn(turn);
              focusComposer();
            }
            : null}
          now={model.now}
        />
      )}
      {delivery !== "sent" && <Undelivered turn={turn} model={model} />}
    </section>
  );
}

/** The question in its editor, or as it was until that is there. */
function Edited({ turn, model }: { turn: TurnModel; model: ChatModel }) {
  const more = later.more.use();
  const editing = model.branches.editing.value;
  return more === null || editing === null
    ? <p dir="auto">{turn.text}</p>
    : (
      <more.QuestionEditor
        branches={model.branches}
        editing={editing}
        busy={model.phase.value !== "idle"}
        left={() => focusSoon(`edit-${turn.key}`)}
      />
    );
}

/** Ours alone: an address of another server would be asked for (threat 12). */
const isOurs = (path: string) => /^\/(?![/\\])/.test(path);

/** The pictures sent with a question, in boxes whose size is known ahead. */
function Pictures({ images }: { images: string[] }) {
  const text = useText();
  return (
    <ul class="pictures" data-testid="pictures">
      {images.filter(isOurs).map((src, at) => (
        <li key={src}>
          <a href={src} target="_blank" rel="noopener">
            <img
              src={src}
              alt={text.imageSent(at + 1, images.length)}
              width="96"
              height="96"
              loading="lazy"
              decoding="async"
            />
          </a>
        </li>
      ))}
    </ul>
  );
}

function Undelivered({ turn, model }: { turn: TurnModel; model: ChatModel }) {
  const text = useText();
  const trouble = turn.trouble.value;
  const message = turn.outgoing;
  const why = trouble === null ? "" : text.unsentWhy[trouble];
  if (turn.delivery.value === "sending" || message === null) {
    return (
      <p class="waiting" data-testid="sending">
        <span class="feeding" />
        <span class="late">
          {why === "" ? text.sending : text.sentences(why, text.retrying)}
        </span>
      </p>
    );
  }
  const written = message.text !== "";
  return (
    <div class="banner calm" role="alert" data-testid="unsent">
      <Icon name="alert" />
      <p>
        {text.sentences(
          text.unsent,
          why,
          written ? model.lasts(message.key) ? text.kept : text.keptHere : "",
        )}
      </p>
      <button
        type="button"
        class="button"
        data-testid="resend"
        onClick={() => model.resend(message.key)}
      >
        <Icon name="retry" /> {text.resend}
      </button>
      <button
        type="button"
        class="button"
        data-testid="take-back"
        onClick={() => model.takeBack(message.key)}
      >
        <Icon name={written ? "edit" : "close"} />{" "}
        {written ? text.edit : text.giveUp}
      </button>
    </div>
  );
}
