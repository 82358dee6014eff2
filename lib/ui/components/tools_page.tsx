import type { ComponentType } from "preact";
import type { Language, ToolServerView, ToolView } from "../../chat/views.ts";
import {
  type ToolsPageMessages,
  toolsPageMessages,
} from "../tools_page_messages.ts";
import { visible } from "../visible.ts";
import type { AllowAgainProps } from "./allow_again.tsx";
import { Icon } from "./icons.tsx";

export interface ToolsPageProps {
  servers: ToolServerView[];
  lang: Language;
  /** The button that takes a changed tool as it is now; null for who may not. */
  Allow: ComponentType<AllowAgainProps> | null;
}

/** The servers of tools, what they bring, and what has changed. */
export function ToolsPage({ servers, lang, Allow }: ToolsPageProps) {
  const words = toolsPageMessages[lang];
  return (
    <main class="tools-page">
      <a class="quiet" href="/">
        <Icon name="back" /> {words.back}
      </a>
      <h1>{words.title}</h1>
      <p class="about">{words.about}</p>
      {servers.length === 0
        ? <p class="none" data-testid="no-servers">{words.none}</p>
        : servers.map((server) => (
          <Server
            key={server.name}
            server={server}
            words={words}
            Allow={Allow}
          />
        ))}
      {servers.length === 0 && <p class="none">{words.noneHint}</p>}
    </main>
  );
}

interface Shared {
  words: ToolsPageMessages;
  Allow: ToolsPageProps["Allow"];
}

function Server({ server, ...shared }: Shared & { server: ToolServerView }) {
  const { words } = shared;
  const { name, state, trouble, tools } = server;
  return (
    <section
      class="server"
      aria-label={name}
      data-testid="tool-server"
      data-state={state}
    >
      <header>
        <h2>{name}</h2>
        <span class="server-state">{words.state[state]}</span>
        <small>{state === "ready" && words.count(tools.length)}</small>
      </header>
      {trouble !== null && (
        <p class="server-trouble">
          {Object.hasOwn(words.trouble, trouble)
            ? words.trouble[trouble]
            : trouble}
        </p>
      )}
      {tools.length === 0
        ? state === "ready" && <p class="none">{words.noTools}</p>
        : (
          <ul>
            {tools.map((tool) => (
              <Tool key={tool.name} server={name} tool={tool} {...shared} />
            ))}
          </ul>
        )}
    </section>
  );
}

function Tool(
  { server, tool, words, Allow }: Shared & { server: string; tool: ToolView },
) {
  const changed = tool.state === "changed";
  return (
    <li data-testid="tool" data-state={tool.state}>
      <h3>
        <code>{tool.name}</code>
        <small>{words.effect[tool.effect]}</small>
      </h3>
      {changed
        ? <Changed server={server} tool={tool} words={words} Allow={Allow} />
        : <Description text={tool.description} words={words} />}
    </li>
  );
}

/** What was and what is, side by side: a person decides by reading both. */
function Changed(
  { server, tool, words, Allow }: Shared & { server: string; tool: ToolView },
) {
  const before = tool.before?.description;
  return (
    <div class="changed">
      <p class="server-trouble">
        <Icon name="alert" /> {words.changed}
      </p>
      {before === undefined || before === tool.description
        ? (
          <>
            <p>{words.changedOtherwise}</p>
            <Description text={tool.description} words={words} />
          </>
        )
        : (
          <div class="versions">
            <div>
              <h4>{words.before}</h4>
              <Description text={before} words={words} />
            </div>
            <div>
              <h4>{words.after}</h4>
              <Description text={tool.description} words={words} />
            </div>
          </div>
        )}
      {Allow === null ? <p class="none">{words.notYours}</p> : (
        <>
          <Allow
            server={server}
            tool={tool.name}
            words={{
              allow: words.allow,
              allowing: words.allowing,
              allowed: words.allowed,
              notAllowed: words.notAllowed,
            }}
          />
          <noscript>
            <p class="none">{words.needsScripts}</p>
          </noscript>
        </>
      )}
    </div>
  );
}

/** Strangers wrote it for a model; a person sees all that is in it. */
function Description(
  { text, words }: { text: string; words: ToolsPageMessages },
) {
  if (text.trim() === "") return <p class="none">{words.noDescription}</p>;
  return (
    <p class="description">
      {visible(text.trim()).map(({ text, mark }, at) =>
        mark && text !== "⏎" ? <mark key={at}>{text}</mark> : mark ? "" : text
      )}
    </p>
  );
}
