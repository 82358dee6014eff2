import { Screen, type ScreenStart } from "../lib/ui/components/screen.tsx";
import { ready } from "../lib/ui/later.ts";
import { zh } from "../lib/ui/messages_zh.ts";

await ready();

/** The screen in Chinese. One island per language: nobody loads words they don't read. */
export default function ChatZh(props: ScreenStart) {
  return <Screen {...props} words={zh} />;
}
