import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { type ChatModel, LONGEST_MESSAGE } from "../chat_model.ts";
import { createComposerKeys } from "../composer_keys.ts";
import { useText } from "../words.ts";
import { fit } from "./fit.ts";
import { focusComposer } from "./focus.ts";
import { Icon } from "./icons.tsx";

/** From here on the characters left are counted. */
const NEAR_THE_END = 2_000;

/** Where the person writes. Without scripts it is a plain form to `/ask`. */
export function Composer({ model }: { model: ChatModel }) {
  const text = useText();
  const keys = useRef(createComposerKeys());
  const form = useRef<HTMLFormElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const refused = useSignal(false);
  const formKey = useMemo(model.newKey, []);
  const draft = model.draft.value;
  const phase = model.phase.value;
  const left = LONGEST_MESSAGE - draft.length;
  const busy = phase !== "idle";
  const empty = draft.trim() === "";

  useEffect(() => {
    // With scripts an empty message is refused more gently than by the browser.
    form.current!.noValidate = true;
    // What was typed before the scripts arrived is the draft.
    const typed = area.current!.value;
    if (typed !== "" && model.draft.peek() === "") model.draft.value = typed;
  }, []);

  useEffect(() => {
    focusComposer();
  }, [model.view.value]);

  useLayoutEffect(() => fit(area.current!), [draft]);

  const send = () => {
    if (model.send()) area.current!.focus();
    // Pressed twice, it has been sent.
    else if (!busy) refused.value = true;
  };

  return (
    <form
      ref={form}
      class={refused.value ? "composer refused" : "composer"}
      action="/ask"
      method="post"
      onAnimationEnd={() => refused.value = false}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {model.chatId.value !== null && (
        <input type="hidden" name="chat_id" value={model.chatId.value} />
      )}
      <input
        type="hidden"
        name="idempotency_key"
        value={formKey}
        autocomplete="off"
      />
      <textarea
        ref={area}
        id="composer"
        name="text"
        rows={1}
        required
        dir="auto"
        enterkeyhint="send"
        autocomplete="off"
        aria-label={text.composerLabel}
        placeholder={busy ? text.placeholderBusy : text.placeholder}
        title={refused.value ? text.emptyMessage : undefined}
        data-testid="composer-input"
        value={draft}
        onInput={(event) => model.draft.value = event.currentTarget.value}
        onCompositionStart={() => keys.current.compositionStart()}
        onCompositionEnd={(event) =>
          keys.current.compositionEnd(event.timeStamp)}
        onKeyDown={(event) => {
          if (!keys.current.sends(event)) return;
          event.preventDefault();
          send();
        }}
      />
      <div class="composer-side">
        {left < NEAR_THE_END && (
          <output class={left < 0 ? "counter over" : "counter"}>
            {text.charactersLeft(left)}
          </output>
        )}
        {/* Before Send: who presses that twice must not hit this. */}
        {busy && (
          <button
            key="stop"
            type="button"
            class="round stop scripted"
            aria-label={phase === "stopping" ? text.stopping : text.stop}
            title={`${text.stop} (Esc)`}
            disabled={phase === "stopping"}
            data-testid="stop"
            onClick={() => model.stop()}
          >
            <Icon name="stop" />
          </button>
        )}
        <button
          key="send"
          type="submit"
          class={busy ? "round ahead" : "round"}
          aria-label={busy ? text.enqueue : text.send}
          title={busy ? text.enqueue : text.composerHint}
          aria-disabled={empty || left < 0}
          data-testid="send"
        >
          <Icon name="arrowUp" />
        </button>
      </div>
    </form>
  );
}
