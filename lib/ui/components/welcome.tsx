import { useMemo } from "preact/hooks";
import type { ChatModel } from "../chat_model.ts";
import { useText } from "../words.ts";
import { TapeStrip } from "./tape_mark.tsx";

/** An empty chat: a greeting, and questions to begin with. */
export function Welcome({ model }: { model: ChatModel }) {
  const text = useText();
  const keys = useMemo(() => text.suggestions.map(model.newKey), []);
  return (
    <div class="welcome">
      <TapeStrip text="tickertape" />
      <h1>{text.greeting}</h1>
      <p>{text.greetingNote}</p>
      <ul aria-label={text.suggestionsLabel}>
        {text.suggestions.map((question, at) => (
          <li key={question}>
            {/* A form of its own, so that a suggestion works without scripts. */}
            <form
              action="/ask"
              method="post"
              onSubmit={(event) => {
                event.preventDefault();
                // Pressed twice, it is asked once.
                if (model.turns.peek().length === 0) model.send(question);
              }}
            >
              <input type="hidden" name="text" value={question} />
              <input
                type="hidden"
                name="idempotency_key"
                value={keys[at]}
                autocomplete="off"
              />
              <button type="submit" data-testid="suggestion">{question}</button>
            </form>
          </li>
        ))}
      </ul>
    </div>
  );
}
