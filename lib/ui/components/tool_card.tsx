import type { ToolPart } from "../../chat/answer.ts";
import { inputLine, toolData } from "../tool_data.ts";
import { duration, toolWords, useText } from "../words.ts";
import { Board, Stops } from "./board.tsx";
import { Icon, type IconName } from "./icons.tsx";

const ICONS: Record<string, IconName> = {
  bus_schedule: "bus",
  current_time: "clock",
  calculator: "sum",
  search_knowledge: "search",
};

/** A tool at work: what it was asked, how it goes, what it answered. */
export function ToolCard({ part }: { part: ToolPart }) {
  const text = useText();
  const data = part.state === "done" ? toolData(part.output?.data) : null;
  const icon = Object.hasOwn(ICONS, part.name) ? ICONS[part.name]! : "tool";
  return (
    <>
      <details
        class="tool"
        data-testid="tool-card"
        data-tool={part.name}
        data-state={part.state}
      >
        <summary>
          <Icon name={icon} />
          <span class="tool-name">{toolWords(text, part.name)}</span>
          <span class="tool-line">{inputLine(part.input)}</span>
          <ToolState part={part} />
          <Icon name="chevron" />
        </summary>
        <div class="tool-body">
          <h4>{text.toolInput}</h4>
          <pre tabIndex={0}>{request(part)}</pre>
          {part.output !== undefined && <h4>{text.toolOutput}</h4>}
          {part.output !== undefined && (
            <pre tabIndex={0}>{String(part.output.text)}</pre>
          )}
          {part.output?.ref?.startsWith("/api/runs/") && (
            <p>
              <a href={part.output.ref} target="_blank" rel="noopener">
                {text.toolWhole}
              </a>
            </p>
          )}
          {part.errorText !== undefined && <h4>{text.toolError}</h4>}
          {part.errorText !== undefined && (
            <pre tabIndex={0}>{part.errorText}</pre>
          )}
        </div>
      </details>
      {data?.kind === "board" && <Board data={data} />}
      {data?.kind === "stops" && <Stops data={data} />}
    </>
  );
}

function ToolState({ part }: { part: ToolPart }) {
  const text = useText();
  const busy = part.state === "input" || part.state === "running";
  return (
    <span class="tool-state">
      {busy && <span class="spinner" />}
      {part.state === "failed" && <Icon name="alert" />}
      {part.state === "done" && <Icon name="check" />}
      <span class={part.state === "done" ? "visually-hidden" : undefined}>
        {text.toolState[part.state]}
      </span>
      {!busy && part.ms !== undefined && (
        <span class="digits">{duration(part.ms)}</span>
      )}
    </span>
  );
}

/** The arguments as they were understood, or as far as they are typed. */
function request(part: ToolPart): string {
  return part.input === undefined
    ? part.inputText
    : JSON.stringify(part.input, null, 2);
}
