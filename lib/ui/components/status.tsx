import { useSignal, useSignalEffect } from "@preact/signals";
import type { ChatModel } from "../chat_model.ts";
import type { Messages } from "../messages_en.ts";
import type { Notice } from "../notice.ts";
import type { Phase } from "../stage.ts";
import { useText } from "../words.ts";
import { Icon } from "./icons.tsx";

/** Says what is going on to people who cannot see it. */
export function Announcer({ model }: { model: ChatModel }) {
  const text = useText();
  const words = useSignal("");
  const before = useSignal({ phase: "idle" as Phase, asking: false });
  useSignalEffect(() => {
    const news = model.queue.news.value;
    if (news === null) return;
    const { kind, place, of } = news;
    words.value = kind === "queued"
      ? text.statusQueued(place)
      : kind === "moved"
      ? text.statusMoved(place, of)
      : text.statusRemoved(of);
  });
  useSignalEffect(() => {
    const phase = model.phase.value;
    const asking = model.asking.value > 0;
    const was = before.peek();
    if (phase === was.phase && asking === was.asking) return;
    before.value = { phase, asking };
    words.value = asking
      ? text.statusAsking
      : announcement(phase, was.phase, model, text);
  });
  return (
    <div class="visually-hidden" role="status" data-testid="status">
      {words.value}
    </div>
  );
}

function announcement(
  phase: Phase,
  was: Phase,
  model: ChatModel,
  text: Messages,
): string {
  if (phase === "sending") return text.statusAsked;
  if (phase === "running") return text.statusWriting;
  if (phase === "stopping") return text.stopping;
  const status = model.turns.peek().at(-1)?.answer.peek()?.status.peek();
  if (was === "idle" || status === undefined) return "";
  if (status === "complete") return text.statusComplete;
  return status === "stopped" ? text.statusStopped : text.statusFailed;
}

/** Above the composer: what went wrong with sending, and how the line is. */
export function StatusLine({ model }: { model: ChatModel }) {
  const text = useText();
  const notice = model.notice.value;
  const connection = model.connection.value;
  const busy = model.phase.value !== "idle";
  return (
    <>
      {notice !== null && (
        <div class="notice" role="alert" data-testid="notice">
          <p>{noticeWords(notice, text)}</p>
          <button
            type="button"
            class="icon-button"
            aria-label={text.dismiss}
            onClick={() => model.notice.value = null}
          >
            <Icon name="close" />
          </button>
        </div>
      )}
      {connection === "lost"
        ? <p class="line" role="alert">{text.lost}</p>
        : model.offline.value
        ? (
          <p class="line" data-testid="connection">
            {busy ? text.offlineAnswering : text.offline}
          </p>
        )
        : connection === "reconnecting" && busy
        ? (
          <p class="line late" data-testid="connection">
            <span class="spinner" /> {text.reconnecting}
            <button
              type="button"
              class="quiet again"
              data-testid="reconnect"
              onClick={() => model.reconnect()}
            >
              {text.tryNow}
            </button>
          </p>
        )
        : model.asking.value > 0 && (
          <p class="line" data-testid="asking">
            <button type="button" class="quiet" onClick={toQuestion}>
              <Icon name="clock" /> {text.asking}
            </button>
          </p>
        )}
    </>
  );
}

/** Brings whoever asks for it to the oldest open question. */
function toQuestion() {
  const button = document.querySelector<HTMLElement>(
    '[data-decision="open"] button',
  );
  button?.scrollIntoView({ block: "center" });
  button?.focus({ preventScroll: true });
}

function noticeWords(notice: Notice, text: Messages): string {
  if (notice.kind !== "refusedMessage") return text[notice.kind];
  return notice.detail === ""
    ? text.refusedMessage
    : `${text.refusedMessage} ${notice.detail}`;
}
