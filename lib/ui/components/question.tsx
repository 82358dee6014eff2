import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Asked, ToolPart } from "../../chat/answer.ts";
import type { Say } from "../../chat/views.ts";
import type { LateAnswer, Questions } from "../questions.ts";
import { argumentsOf, visible } from "../visible.ts";
import { moment, toolName, useLang, useWords } from "../words.ts";
import { workMessages } from "../work_messages.ts";
import { Icon } from "./icons.tsx";

/** Whose question it is, and how it is answered. */
export interface Asking {
  run: string;
  /** The run goes on: an open question can still be answered. */
  live: boolean;
  questions: Questions;
}

interface Choice {
  say: Say;
  label: string;
  hint?: string;
}

/** May this call be run? With all that the person needs to decide it. */
export function CallQuestion(
  { part, asked, ...asking }: Asking & { part: ToolPart; asked: Asked },
) {
  const words = useWords(workMessages);
  const { label, server } = toolName(words, part.name);
  const title = part.name === "read_web_page"
    ? words.mayRead
    : server === null
    ? words.mayRun(label)
    : words.mayRunFrom(label, server);
  const choices: Choice[] = [
    { say: "once", label: words.once },
    ...(asked.chatWide
      ? [{ say: "chat" as const, label: words.chat, hint: words.chatHint }]
      : []),
    { say: "denied", label: words.denied },
  ];
  return (
    <Question
      asked={asked}
      title={title}
      choices={choices}
      said={words.said[asked.decision ?? "never"]}
      {...asking}
    >
      <p class="ask-why">
        <Icon name="alert" />
        <span>
          {asked.reason === "taint" ? words.why.taint : words.why.effect}
        </span>
      </p>
      <p class="ask-from">
        {words.tool}
        <code>{part.name}</code>
        {server === null ? words.builtIn : words.fromServer(server)}
        {words.sends}
      </p>
      <Arguments input={part.input} />
    </Question>
  );
}

/** May the run go on? Drawn after everything it has done so far. */
export function RunQuestion(
  { asked, steps, ...asking }: Asking & { asked: Asked; steps: number },
) {
  const words = useWords(workMessages);
  const { decision } = asked;
  // What went on speaks for itself.
  if (decision === "once" || decision === "chat") return null;
  return (
    <Question
      asked={asked}
      title={asked.reason === "loop" ? words.loop : words.steps(steps)}
      choices={[
        { say: "once", label: words.goOn },
        { say: "denied", label: words.stopHere },
      ]}
      said={words.saidOfRun[decision ?? "never"]}
      {...asking}
    />
  );
}

interface QuestionProps extends Asking {
  asked: Asked;
  title: string;
  choices: Choice[];
  /** What became of it, once it is closed. */
  said: string;
  children?: ComponentChildren;
}

function Question(props: QuestionProps) {
  const { asked, title, said, live, children } = props;
  const open = asked.decision === null && live;
  const yes = asked.decision === "once" || asked.decision === "chat";
  const place = usePlace(open);
  const id = `ask-${asked.id}`;
  return (
    <div
      class={asked.toolCallId === null ? "ask alone" : "ask"}
      role="group"
      aria-labelledby={open ? id : undefined}
      data-testid="question-card"
      data-work
      data-decision={open ? "open" : asked.decision ?? "never"}
      {...place}
    >
      {open
        ? (
          <>
            <h3 id={id}>{title}</h3>
            {children}
            <Choices {...props} id={id} />
          </>
        )
        : (
          <p class="ask-said" tabIndex={-1} data-testid="decision">
            <Icon name={yes ? "check" : "close"} /> {said}
          </p>
        )}
    </div>
  );
}

/** After these the buttons have nothing left to say. */
const CLOSED: LateAnswer[] = [
  "already_answered",
  "run_over",
  "expired",
  "gone",
];

function Choices({ asked, choices, run, questions, id }: QuestionProps & {
  id: string;
}) {
  const words = useWords(workMessages);
  const lang = useLang();
  const saying = questions.saying(asked.id).value;
  const off = saying?.kind === "sending" ||
    (saying?.kind === "late" && CLOSED.includes(saying.why));
  return (
    <div class="ask-foot">
      <span class="unscripted">{words.needsScripts}</span>
      {choices.map(({ say, label, hint }) => (
        // Not `disabled`: that would throw the focus away.
        <button
          key={say}
          type="button"
          class={say === "once" ? "button main scripted" : "button scripted"}
          title={hint}
          aria-disabled={off}
          aria-describedby={id}
          data-testid={`say-${say}`}
          onClick={() => off || questions.say(run, asked.id, say)}
        >
          {label}
        </button>
      ))}
      <small role="status" data-testid="saying">
        {saying === null
          ? words.until(moment(asked.expiresAt, lang))
          : saying.kind === "sending"
          ? words.saying
          : <b>{words.lateAnswer[saying.why]}</b>}
      </small>
    </div>
  );
}

/** Everything the call would send, in whole: no cut, no fold, nothing hidden. */
function Arguments({ input }: { input: ToolPart["input"] }) {
  const words = useWords(workMessages);
  const all = argumentsOf(input);
  if (all.length === 0) return <p class="ask-none">{words.nothingToShow}</p>;
  return (
    <dl class="ask-input" data-testid="ask-input">
      {all.map(({ name, value, json, host }) => (
        <div key={name}>
          {name !== null && (
            <dt>
              <Visible text={name} />
            </dt>
          )}
          <dd class={host === null ? undefined : "address"}>
            <bdi>
              <Visible text={value} laidOut={json} />
            </bdi>
            {host !== null && (
              <small>
                <Icon name="link" /> {words.leadsTo(host)}
              </small>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Visible({ text, laidOut }: { text: string; laidOut?: boolean }) {
  return (
    <>
      {visible(text, laidOut).map(({ text, mark }, at) =>
        mark ? <mark key={at}>{text}</mark> : text
      )}
    </>
  );
}

/**
 * Whoever was on a button keeps their place when the buttons go: the decision
 * gets the focus. Nobody else's focus is touched.
 */
function usePlace(open: boolean) {
  const ref = useRef<HTMLDivElement>(null);
  const inside = useRef(false);
  useLayoutEffect(() => {
    if (open || !inside.current) return;
    if (document.activeElement !== document.body) return;
    ref.current!.querySelector("p")?.focus({ preventScroll: true });
  }, [open]);
  return {
    ref,
    onFocusIn: () => inside.current = true,
    onFocusOut: ({ relatedTarget }: FocusEvent) => {
      // A button that goes leaves for nowhere.
      if (relatedTarget !== null) inside.current = false;
    },
  };
}
