import type { ChatModel } from "../chat_model.ts";
import type { TurnModel } from "../turn_model.ts";
import { useText } from "../words.ts";
import { Icon } from "./icons.tsx";

interface Props {
  turn: TurnModel;
  model: ChatModel;
  /** Another version may be longer: this one's place is not to move away. */
  stay(): void;
}

/** Below a question: which version this is, and a pencil. */
export function QuestionTools({ turn, model, stay }: Props) {
  const text = useText();
  const busy = model.phase.value !== "idle";
  return (
    <div class="question-tools scripted">
      <button
        type="button"
        id={`edit-${turn.key}`}
        class="quiet pencil"
        aria-label={text.editQuestion}
        title={text.editQuestion}
        data-testid="edit-question"
        disabled={busy}
        onClick={() => model.branches.edit(turn)}
      >
        <Icon name="edit" />
      </button>
      <Versions turn={turn} model={model} stay={stay} busy={busy} />
    </div>
  );
}

/** `2 / 3`, and the way to the others. */
function Versions(
  { turn, model, stay, busy }: Props & { busy: boolean },
) {
  const text = useText();
  const versions = turn.versions.value;
  const at = versions.indexOf(turn.answer.value?.run ?? "");
  if (versions.length < 2 || at < 0) return null;
  const step = (by: -1 | 1, name: "before" | "after", label: string) => {
    const run = versions[at + by];
    return (
      <button
        type="button"
        class="quiet"
        aria-label={label}
        title={label}
        // Stays where it is at the first and the last: so does the focus.
        aria-disabled={run === undefined}
        disabled={busy}
        data-testid={`version-${name}`}
        onClick={() => {
          if (run === undefined) return;
          stay();
          model.branches.show(run);
        }}
      >
        <Icon name={name} />
      </button>
    );
  };
  return (
    <div
      class="which"
      role="group"
      aria-label={text.versions}
      data-testid="versions"
    >
      {step(-1, "before", text.versionBefore)}
      <span class="digits" aria-live="polite" data-testid="version">
        {at + 1} / {versions.length}
      </span>
      {step(1, "after", text.versionAfter)}
    </div>
  );
}
