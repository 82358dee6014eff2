import type { Language } from "../../chat/views.ts";
import { messages } from "../messages.ts";
import { TapeStrip } from "./tape_mark.tsx";

/** A page that only says something, and shows the way back. */
function MessagePage(
  { tape, title, body, lang }: {
    tape: string;
    title: string;
    body: string;
    lang: Language;
  },
) {
  return (
    <main class="message-page">
      <TapeStrip text={tape} />
      <h1>{title}</h1>
      <p>{body}</p>
      <a class="button" href="/">{messages(lang).startOver}</a>
    </main>
  );
}

export function NotFound({ lang }: { lang: Language }) {
  const text = messages(lang);
  return (
    <MessagePage
      tape="nothing"
      title={text.notFoundTitle}
      body={text.notFound}
      lang={lang}
    />
  );
}

export function Failed({ lang }: { lang: Language }) {
  const text = messages(lang);
  return (
    <MessagePage
      tape="sorry"
      title={text.errorTitle}
      body={text.error}
      lang={lang}
    />
  );
}
