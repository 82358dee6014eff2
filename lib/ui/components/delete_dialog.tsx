import { useLayoutEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { deleteMessages } from "../delete_messages.ts";
import { useWords } from "../words.ts";

export interface DeleteDialogProps {
  title: string;
  /** True once it is deleted. */
  remove(): Promise<boolean>;
  /** The dialog has closed. */
  close(): void;
}

/** Asks once more, and names what is going to be deleted. */
export function DeleteDialog({ title, remove, close }: DeleteDialogProps) {
  const words = useWords(deleteMessages);
  const dialog = useRef<HTMLDialogElement>(null);
  const busy = useSignal(false);
  const failed = useSignal(false);
  useLayoutEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="panel small"
      role="alertdialog"
      aria-labelledby="delete-title"
      aria-describedby="delete-what"
      data-testid="delete-dialog"
      onClose={close}
    >
      <form
        onSubmit={async (event) => {
          event.preventDefault();
          if (busy.peek()) return;
          busy.value = true;
          failed.value = !await remove();
          busy.value = false;
          if (!failed.peek()) dialog.current?.close();
        }}
      >
        <header>
          <h2 id="delete-title">{words.title}</h2>
        </header>
        <div class="panel-body" id="delete-what">
          <p dir="auto">
            <strong>{title}</strong>
          </p>
          <p>{words.what}</p>
        </div>
        <footer>
          {failed.value && <p class="wrong" role="alert">{words.failed}</p>}
          <button
            type="button"
            class="button"
            autofocus
            data-testid="delete-cancel"
            onClick={() => dialog.current!.close()}
          >
            {words.keep}
          </button>
          <button
            type="submit"
            class="button bad"
            aria-disabled={busy.value}
            data-testid="delete-confirm"
          >
            {busy.value ? words.deleting : words.remove}
          </button>
        </footer>
      </form>
    </dialog>
  );
}
