/** @jsxImportSourceTypes @types/react */
/**
 * A chat as the AI SDK's guide has it, with `useChat` and its own transport.
 * Tickertape answers on `/api/chat`.
 *
 * @module
 */
import { useChat } from "@ai-sdk/react";
import {
  DefaultChatTransport,
  getToolName,
  isToolUIPart,
  type UIMessage,
} from "ai";
import { useEffect } from "react";
import { createRoot } from "react-dom/client";

// In the address, so that a reload finds the chat again. What was said is kept by
// the tab.
location.hash ||= crypto.randomUUID();
const id = location.hash.slice(1);
const kept = (): UIMessage[] => JSON.parse(sessionStorage.getItem(id) ?? "[]");
const before = kept();

const transport = new DefaultChatTransport({
  api: "/api/chat",
  // The SDK asks for the answer that is being given just now. By its run, whose
  // id it has, also one can be had that ended while nobody looked.
  prepareReconnectToStreamRequest() {
    const { role, id: run } = kept().at(-1) ?? {};
    return role === "assistant" ? { api: `/api/runs/${run}/events` } : {};
  },
});

function App() {
  const { messages, sendMessage, status, error } = useChat({
    id,
    messages: before,
    transport,
    resume: true,
  });
  useEffect(() => {
    sessionStorage.setItem(id, JSON.stringify(messages));
  }, [messages]);
  const busy = status === "submitted" || status === "streaming";

  function ask(form: FormData) {
    const text = String(form.get("text"));
    if (text.trim() !== "" && !busy) sendMessage({ text });
  }

  // `stop()` of useChat only looks away: the answer goes on, for a reload or
  // another tab. An answer's id is that of its run, which can be stopped.
  const stop = () =>
    fetch(`/api/runs/${messages.at(-1)!.id}/stop`, { method: "POST" });

  return (
    <>
      {messages.map((message) => (
        <article key={message.id} className={message.role}>
          {message.parts.map((part, index) => <Part key={index} part={part} />)}
        </article>
      ))}
      {error && <p role="alert">{error.message}</p>}
      <form action={ask}>
        <input name="text" placeholder="Ask something" autoFocus />
        {busy
          ? (
            <button
              type="button"
              onClick={stop}
              disabled={messages.at(-1)?.role !== "assistant"}
            >
              Stop
            </button>
          )
          : <button type="submit">Ask</button>}
      </form>
    </>
  );
}

function Part({ part }: { part: UIMessage["parts"][number] }) {
  if (part.type === "text") return part.text;
  if (part.type === "reasoning") return <em>{part.text}</em>;
  if (!isToolUIPart(part)) return null;
  return (
    <details>
      <summary>{getToolName(part)} ({part.state})</summary>
      {JSON.stringify(part.input)}
      <br />
      {part.state === "output-error"
        ? part.errorText
        : JSON.stringify(part.output)}
    </details>
  );
}

createRoot(document.getElementById("root")!).render(<App />);
