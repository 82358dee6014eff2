import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Branches, Editing } from "../branches.ts";
import { LONGEST_MESSAGE } from "../chat_model.ts";
import { createComposerKeys } from "../composer_keys.ts";
import { useText } from "../words.ts";
import { fit } from "./fit.ts";
import { focusComposer } from "./focus.ts";

export interface QuestionEditorProps {
  branches: Branches;
  editing: Editing;
  /** Something is being answered: nothing else can be asked in its place. */
  busy: boolean;
  /** The editor is gone; the focus has to go somewhere. */
  left(): void;
}

/** A question being put otherwise, in its own place. */
export function QuestionEditor(
  { branches, editing, busy, left }: QuestionEditorProps,
) {
  const text = useText();
  const keys = useRef(createComposerKeys());
  const area = useRef<HTMLTextAreaElement>(null);
  const words = editing.text.value;
  const size = words.trim().length;
  const off = busy || size === 0 || size > LONGEST_MESSAGE;

  useEffect(() => {
    area.current!.focus();
    area.current!.setSelectionRange(words.length, words.length);
  }, []);
  useLayoutEffect(() => fit(area.current!), [words]);

  const send = () => {
    if (branches.ask(LONGEST_MESSAGE)) focusComposer();
  };
  const leave = () => {
    branches.leave();
    left();
  };
  return (
    <form
      class="question-editor"
      data-testid="question-editor"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.isComposing) return;
        // Only the editor is left; the answer goes on.
        event.stopPropagation();
        leave();
      }}
    >
      <textarea
        ref={area}
        rows={1}
        dir="auto"
        enterkeyhint="send"
        autocomplete="off"
        aria-label={text.editing}
        data-testid="question-input"
        value={words}
        onInput={(event) => branches.write(event.currentTarget.value)}
        onCompositionStart={() => keys.current.compositionStart()}
        onCompositionEnd={(event) =>
          keys.current.compositionEnd(event.timeStamp)}
        onKeyDown={(event) => {
          if (!keys.current.sends(event)) return;
          event.preventDefault();
          send();
        }}
      />
      <div>
        {size > LONGEST_MESSAGE && (
          <output class="counter over">
            {text.charactersLeft(LONGEST_MESSAGE - size)}
          </output>
        )}
        <button
          type="button"
          class="button"
          data-testid="edit-cancel"
          onClick={leave}
        >
          {text.cancelEdit}
        </button>
        <button
          type="submit"
          class="button main"
          aria-disabled={off}
          data-testid="edit-send"
        >
          {text.saveEdit}
        </button>
      </div>
    </form>
  );
}
