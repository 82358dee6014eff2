import { Failed } from "../lib/ui/components/message_page.tsx";
import type { PageProps } from "../lib/web/route.ts";

/** What went wrong is for the log; the visitor gets a safe sentence. */
export default function ErrorPage({ state }: PageProps) {
  return <Failed lang={state.lang} />;
}
