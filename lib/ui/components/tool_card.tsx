import type { ToolPart } from "../../chat/answer.ts";
import type { Progress } from "../../chat/events.ts";
import { safeLink } from "../safe_link.ts";
import { inputLine, type PageData, toolData } from "../tool_data.ts";
import { visibleText } from "../visible.ts";
import { count, duration, toolName, useWords } from "../words.ts";
import { workMessages } from "../work_messages.ts";
import { Board, Stops } from "./board.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { type Asking, CallQuestion } from "./question.tsx";

const ICONS: Record<string, IconName> = {
  bus_schedule: "bus",
  current_time: "clock",
  calculator: "sum",
  search_knowledge: "search",
  read_web_page: "link",
};

/** A tool at work: what it was asked, how it goes, what it answered. */
export function ToolCard({ part, ...asking }: Asking & { part: ToolPart }) {
  const words = useWords(workMessages);
  const data = part.state === "done" ? toolData(part.output?.data) : null;
  const icon = Object.hasOwn(ICONS, part.name) ? ICONS[part.name]! : "tool";
  const { label, server } = toolName(words, part.name);
  return (
    <>
      <div
        class="tool"
        data-testid="tool-card"
        data-work
        data-tool={part.name}
        data-state={part.state}
      >
        <details>
          <summary>
            <Icon name={icon} />
            <span class="tool-name">{label}</span>
            {server !== null && <span class="tool-server">{server}</span>}
            <bdi class="tool-line">{visibleText(inputLine(part.input))}</bdi>
            <ToolState part={part} />
            <Icon name="chevron" />
          </summary>
          <ToolBody part={part} />
        </details>
        {part.state === "running" && part.progress !== undefined && (
          <ProgressLine progress={part.progress} label={label} />
        )}
        {part.approval !== undefined && (
          <CallQuestion part={part} asked={part.approval} {...asking} />
        )}
      </div>
      {data?.kind === "board" && <Board data={data} />}
      {data?.kind === "stops" && <Stops data={data} />}
      {data?.kind === "page" && <PageLine data={data} />}
    </>
  );
}

function ToolBody({ part }: { part: ToolPart }) {
  const words = useWords(workMessages);
  return (
    <div class="tool-body">
      <h4>{words.toolInput}</h4>
      <pre tabIndex={0}>{request(part)}</pre>
      {part.output !== undefined && <h4>{words.toolOutput}</h4>}
      {part.output !== undefined && (
        <pre tabIndex={0}>{String(part.output.text)}</pre>
      )}
      {part.output?.ref?.startsWith("/api/runs/") && (
        <p>
          <a href={part.output.ref} target="_blank" rel="noopener">
            {words.toolWhole}
          </a>
        </p>
      )}
      {part.errorText !== undefined && <h4>{words.toolError}</h4>}
      {part.errorText !== undefined && <pre tabIndex={0}>{part.errorText}</pre>}
    </div>
  );
}

/** How far a long call has got. Without a total the bar only says: still at it. */
function ProgressLine(
  { progress, label }: { progress: Progress; label: string },
) {
  const words = useWords(workMessages);
  const { done, total, message } = progress;
  const known = total !== undefined && total > 0;
  return (
    <p class="tool-progress" data-testid="tool-progress">
      <progress
        aria-label={label}
        {...(known ? { max: total, value: Math.min(done, total) } : {})}
      />
      <small>
        {known && (
          <span class="digits">
            {words.progress(figure(done), figure(total))}
          </span>
        )}
        {message !== undefined && <span>{message}</span>}
      </small>
    </p>
  );
}

/** Shares and sizes come as they like: no more than one decimal is read. */
const figure = (n: number) => count(Math.round(n * 10) / 10);

/** A page that was read, and where it is. */
function PageLine({ data }: { data: PageData }) {
  const link = safeLink(data.url);
  if (link === null) return null;
  return (
    <p class="page-line" data-testid="page-line">
      <Icon name="link" />
      <a href={link.href} target="_blank" rel="noopener noreferrer">
        <bdi>{data.title.trim() || link.where}</bdi>
      </a>
      <small>{link.where}</small>
    </p>
  );
}

function ToolState({ part }: { part: ToolPart }) {
  const words = useWords(workMessages);
  const state = stateOf(part);
  const busy = state === "input" || state === "running";
  return (
    <span class={state === "failed" ? "tool-state failed" : "tool-state"}>
      {busy && <span class="spinner" />}
      {state === "waiting" && <Icon name="clock" />}
      {state === "failed" && <Icon name="alert" />}
      {state === "done" && <Icon name="check" />}
      <span class={state === "done" ? "visually-hidden" : undefined}>
        {words.toolState[state]}
      </span>
      {["done", "failed", "stopped"].includes(state) && part.ms !== undefined &&
        <span class="digits">{duration(part.ms)}</span>}
    </span>
  );
}

/**
 * What was never begun has not failed, nor has what was stopped. The log says
 * both in the error's first words; what a tool says itself never begins so.
 */
function stateOf({ state, approval, errorText = "" }: ToolPart) {
  if (state !== "failed") return state;
  const allowed = approval === undefined || approval.decision === "once" ||
    approval.decision === "chat";
  if (!allowed || errorText.startsWith("Not run: ")) return "unrun";
  return /^aborted(:|$)/.test(errorText) ? "stopped" : "failed";
}

/** The arguments as they were understood, or as far as they are typed. */
function request(part: ToolPart): string {
  return part.input === undefined
    ? part.inputText
    : JSON.stringify(part.input, null, 2);
}
