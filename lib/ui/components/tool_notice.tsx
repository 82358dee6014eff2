import { useSignal } from "@preact/signals";
import type { ToolTrouble } from "../tool_trouble.ts";
import { useText } from "../words.ts";
import { Icon } from "./icons.tsx";

/** Says quietly that tools are missing, and where to look. */
export function ToolNotice({ trouble }: { trouble: ToolTrouble[] }) {
  const text = useText();
  const shown = useSignal(trouble.length > 0);
  if (!shown.value) return null;
  const lines = (["unreachable", "changed"] as const).flatMap((kind) => {
    const servers = trouble.filter((each) => each.kind === kind)
      .map(({ server }) => server).join(", ");
    return servers === "" ? [] : [text.toolTrouble[kind](servers)];
  });
  return (
    <p class="demo" data-testid="tool-trouble">
      <span>
        {lines.join(" ")} <a href="/tools">{text.look}</a>
      </span>
      <button
        type="button"
        class="icon-button scripted"
        aria-label={text.dismiss}
        onClick={() => shown.value = false}
      >
        <Icon name="close" />
      </button>
    </p>
  );
}
