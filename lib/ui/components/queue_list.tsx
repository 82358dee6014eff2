import { useLayoutEffect, useRef } from "preact/hooks";
import type { ChatModel } from "../chat_model.ts";
import { queueMessages } from "../queue_messages.ts";
import type { QueueItem } from "../queue_model.ts";
import { useText, useWords } from "../words.ts";
import { focusComposer } from "./focus.ts";
import { Icon, type IconName } from "./icons.tsx";

/** The messages that wait for the end of the answer, the next one first. */
export function QueueList({ model }: { model: ChatModel }) {
  const words = useWords(queueMessages);
  const list = useRef<HTMLOListElement>(null);
  /** Which button the focus was on before its row moved. */
  const focused = useRef<string | null>(null);
  const { queue } = model;
  const items = queue.items.value;
  const before = useRef({ length: items.length, state: items.at(-1)?.state });
  const held = queue.held.value;
  const busy = model.phase.value !== "idle";
  const first = items.find(({ id }) => id !== null);

  useLayoutEffect(() => {
    // What was just written is the last one; one wants to see it there.
    const { length, state } = before.current;
    const last = items.at(-1)?.state;
    // On a phone it gets its buttons, and higher, once it has arrived.
    const arrived = items.length === length && state === "sending";
    if (items.length > length || (arrived && last !== state)) {
      list.current!.scrollTop = list.current!.scrollHeight;
    }
    before.current = { length: items.length, state: last };
    // A row that moves lets go of the focus it had.
    if (focused.current === null) return;
    list.current?.querySelector<HTMLElement>(`#${focused.current}`)?.focus();
    focused.current = null;
  }, [items]);

  return (
    <section
      class="queue"
      aria-label={words.label}
      data-more
      data-testid="queue"
      data-held={held ? "" : undefined}
    >
      {first !== undefined && (
        <p class="queue-note">
          <Icon name="clock" />
          <span data-testid="queue-note">
            {held
              ? items.length === 1 ? words.held : words.heldMany
              : busy
              ? words.note(items.length)
              : words.next}
          </span>
          {held && (
            <button
              type="button"
              class="button main scripted"
              data-testid="queue-go"
              onClick={() => {
                queue.sendNow(first);
                focusComposer();
              }}
            >
              {words.sendNow}
            </button>
          )}
        </p>
      )}
      <ol ref={list}>
        {items.map((item, at) => (
          <Row
            key={item.key}
            item={item}
            model={model}
            place={at + 1}
            up={at > 0 && items[at - 1]!.id !== null}
            down={items[at + 1] !== undefined && items[at + 1]!.id !== null}
            several={items.length > 1}
            hurry={!(held && item === first)}
            moved={(id) => focused.current = id}
          />
        ))}
      </ol>
    </section>
  );
}

interface RowProps {
  item: QueueItem;
  model: ChatModel;
  place: number;
  up: boolean;
  down: boolean;
  several: boolean;
  /** There is no other button yet that sends it now. */
  hurry: boolean;
  moved(button: string): void;
}

function Row(
  { item, model, place, up, down, several, hurry, moved }: RowProps,
) {
  const words = useWords(queueMessages);
  const { queue } = model;
  const waits = item.state === "waiting";
  const move = (by: -1 | 1, button: string) => {
    moved(button);
    queue.move(item, by);
  };
  const name = `q-${item.key.replace(/[^\w-]/g, "")}`;
  return (
    <li data-testid="queue-item" data-state={item.state}>
      <span class="digits" aria-hidden="true">{place}</span>
      <p dir="auto" title={item.text}>
        {item.text}
        {item.images > 0 && <small>{words.images(item.images)}</small>}
      </p>
      {item.id === null
        ? <Unconfirmed item={item} model={model} />
        : (
          <div class="queue-actions scripted">
            {!waits && (
              <small>
                {item.state === "next" ? words.next : words.leaving}
              </small>
            )}
            {hurry && (
              <Action
                icon="hurry"
                label={words.sendNow}
                hint={words.sendNowHint}
                testId="queue-now"
                off={!waits}
                onPress={() => {
                  queue.sendNow(item);
                  focusComposer();
                }}
              />
            )}
            {several && (
              <>
                <Action
                  id={`${name}-up`}
                  testId="queue-up"
                  icon="up"
                  label={words.up}
                  off={!waits || !up}
                  onPress={() => move(-1, `${name}-up`)}
                />
                <Action
                  id={`${name}-down`}
                  testId="queue-down"
                  icon="down"
                  label={words.down}
                  off={!waits || !down}
                  onPress={() => move(1, `${name}-down`)}
                />
              </>
            )}
            <Action
              icon="edit"
              label={words.edit}
              testId="queue-edit"
              off={!waits}
              onPress={() => {
                queue.takeBack(item);
                document.getElementById("composer")?.focus();
              }}
            />
            <Action
              icon="close"
              label={words.remove}
              testId="queue-remove"
              off={!waits}
              onPress={() => {
                queue.remove(item);
                focusComposer();
              }}
            />
          </div>
        )}
    </li>
  );
}

/** On its way to the server, or waiting for one. */
function Unconfirmed({ item, model }: { item: QueueItem; model: ChatModel }) {
  const text = useText();
  const words = useWords(queueMessages);
  const why = item.trouble === null ? "" : text.unsentWhy[item.trouble];
  if (item.state === "sending") {
    return (
      <small class="late">
        {why === "" ? text.sending : text.sentences(why, text.retrying)}
      </small>
    );
  }
  return (
    <div class="queue-actions scripted">
      <small role="alert" data-testid="queue-unsent">
        {text.sentences(text.unsent, why)}
      </small>
      <Action
        icon="retry"
        label={text.resend}
        testId="queue-resend"
        onPress={() => model.resend(item.key)}
      />
      <Action
        icon="edit"
        label={words.edit}
        onPress={() => model.takeBack(item.key)}
      />
    </div>
  );
}

interface ActionProps {
  icon: IconName;
  label: string;
  onPress(): void;
  id?: string;
  hint?: string;
  testId?: string;
  off?: boolean;
}

/**
 * Stays focusable where there is nothing to do: a list that moves keeps focus.
 * Of a double click only the first counts; the second would hit another row.
 */
function Action(
  { icon, label, onPress, id, hint = label, testId, off }: ActionProps,
) {
  return (
    <button
      type="button"
      id={id}
      class="icon-button"
      aria-label={label}
      title={hint}
      aria-disabled={off}
      data-testid={testId}
      onClick={({ detail }) => off || detail > 1 || onPress()}
    >
      <Icon name={icon} />
    </button>
  );
}
