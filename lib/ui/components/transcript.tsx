import { type Signal, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { ChatModel } from "../chat_model.ts";
import { type Follow, followEnd } from "../scroll.ts";
import { useText } from "../words.ts";
import { Icon } from "./icons.tsx";
import { TurnView } from "./turn.tsx";
import { Welcome } from "./welcome.tsx";

export interface TranscriptProps {
  model: ChatModel;
  /** Filled once there is something to scroll. */
  follow: Signal<Follow | null>;
}

/** Everything said in the open chat. */
export function Transcript({ model, follow }: TranscriptProps) {
  const text = useText();
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const scripted = useSignal(false);
  const turns = model.turns.value;
  const shown = follow.value;

  useLayoutEffect(() => {
    scripted.value = true;
    // The class turns the layout round; its end must be where it was before.
    box.current!.classList.add("scrolled");
    const following = followEnd(
      box.current!,
      content.current!,
      {
        empty: () => model.turns.peek().length === 0,
        writing: () => model.phase.peek() !== "idle",
      },
    );
    follow.value = following;
    return () => {
      follow.value = null;
      following.dispose();
    };
  }, []);
  useLayoutEffect(() => follow.peek()?.look(), [turns]);
  useLayoutEffect(() => follow.peek()?.toEnd(), [model.view.value]);
  useLayoutEffect(() => {
    // What one has just asked, one wants to see; another tab's question not.
    if (model.phase.peek() === "sending") follow.peek()?.toEnd();
  }, [turns.length]);

  return (
    <div
      ref={box}
      class={scripted.value || turns.length === 0
        ? "transcript scrolled"
        : "transcript"}
      data-testid="transcript"
    >
      <div class="transcript-content" ref={content}>
        {turns.length === 0 ? <Welcome model={model} /> : (
          <div class="turns">
            {turns.map((turn, index) => (
              <TurnView
                key={turn.key}
                turn={turn}
                model={model}
                last={index === turns.length - 1}
                stay={() => follow.peek()?.stay()}
              />
            ))}
          </div>
        )}
      </div>
      {shown !== null && turns.length > 0 && !shown.atEnd.value && (
        <button
          type="button"
          class="to-end"
          data-testid="to-end"
          aria-label={text.toBottom}
          onClick={() => shown.toEnd(true)}
        >
          <Icon name="arrowDown" />
          {shown.newBelow.value && <span>{text.newText}</span>}
        </button>
      )}
    </div>
  );
}
