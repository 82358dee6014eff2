import { NotFound } from "../lib/ui/components/message_page.tsx";
import type { PageProps } from "../lib/web/route.ts";

export default function NotFoundPage({ state }: PageProps) {
  return <NotFound lang={state.lang} />;
}
