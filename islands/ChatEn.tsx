import { Screen, type ScreenStart } from "../lib/ui/components/screen.tsx";
import { ready } from "../lib/ui/later.ts";
import { en } from "../lib/ui/messages_en.ts";

await ready();

/** The screen in English. One island per language: nobody loads words they don't read. */
export default function ChatEn(props: ScreenStart) {
  return <Screen {...props} words={en} />;
}
