import type { ChatModel } from "../chat_model.ts";
import type { TurnModel } from "../turn_model.ts";
import { useText } from "../words.ts";
import { AnswerView } from "./answer.tsx";
import { Icon } from "./icons.tsx";

export interface TurnProps {
  turn: TurnModel;
  model: ChatModel;
  /** Only the last turn can be asked again. */
  last: boolean;
}

/** A question, and its answer or what became of the sending. */
export function TurnView({ turn, model, last }: TurnProps) {
  const text = useText();
  const answer = turn.answer.value;
  const retry = last && model.phase.value === "idle"
    ? () => model.retry(turn)
    : null;
  return (
    <section
      class="turn"
      data-testid="turn"
      data-delivery={turn.delivery.value}
    >
      <div class="question" data-testid="question">
        <h2 class="visually-hidden">{text.you}</h2>
        {turn.images.length > 0 && <Pictures images={turn.images} />}
        <p dir="auto">{turn.text}</p>
      </div>
      {answer === null ? <Undelivered turn={turn} model={model} /> : (
        <AnswerView
          answer={answer}
          questions={model.questions}
          retry={retry}
          now={model.now}
        />
      )}
    </section>
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
  if (turn.delivery.value === "sending") {
    return (
      <p class="waiting">
        <span class="feeding" />
        <span class="late">{text.sending}</span>
      </p>
    );
  }
  return (
    <div class="banner calm" role="alert" data-testid="unsent">
      <Icon name="alert" />
      <p>{text.unsent}</p>
      <button
        type="button"
        class="button"
        data-testid="resend"
        onClick={() => model.resend(turn)}
      >
        <Icon name="retry" /> {text.resend}
      </button>
      <button
        type="button"
        class="button"
        onClick={() => model.takeBack(turn)}
      >
        <Icon name="edit" /> {text.edit}
      </button>
    </div>
  );
}
