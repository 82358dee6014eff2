import { useSignal } from "@preact/signals";
import type { ChatModel } from "../chat_model.ts";
import { useText } from "../words.ts";
import type { DeleteDialog } from "./delete_dialog.tsx";
import { Icon } from "./icons.tsx";

export interface DeleteChatProps {
  model: ChatModel;
  id: string;
  title: string;
}

/** In a chat's row; what asks once more is fetched when it is wanted. */
export function DeleteChat({ model, id, title }: DeleteChatProps) {
  const text = useText();
  const dialog = useSignal<typeof DeleteDialog | null>(null);
  const Dialog = dialog.value;
  const label = text.deleteChat(title);
  return (
    <>
      <button
        type="button"
        class="icon-button chat-delete scripted"
        aria-haspopup="dialog"
        aria-label={label}
        title={label}
        data-testid="delete-chat"
        onClick={async () => {
          try {
            const { DeleteDialog } = await import("./delete_dialog.tsx");
            dialog.value = DeleteDialog;
          } catch {
            model.notice.value = { kind: "chatNotDeleted" };
          }
        }}
      >
        <Icon name="bin" />
      </button>
      {Dialog !== null && (
        <Dialog
          title={title}
          remove={() => model.remove(id)}
          close={() => dialog.value = null}
        />
      )}
    </>
  );
}
