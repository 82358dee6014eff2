import { useEffect, useState } from "preact/hooks";
import { useText } from "../words.ts";
import { Icon } from "./icons.tsx";

const SHOWN_MS = 1_600;

export interface CopyButtonProps {
  /** What the button does, for people who cannot see its icon. */
  label: string;
  text(): string;
  testId?: string;
}

/** Copies a text, and says so. */
export function CopyButton({ label, text, testId }: CopyButtonProps) {
  const words = useText();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const id = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(id);
  }, [copied]);
  return (
    <button
      type="button"
      class="quiet scripted"
      aria-label={label}
      title={label}
      data-testid={testId}
      onClick={async () => setCopied(await copy(text()))}
    >
      <Icon name={copied ? "check" : "copy"} />
      <span aria-live="polite">{copied ? words.copied : words.copy}</span>
    </button>
  );
}

/** The clipboard needs a secure context; a plain-http LAN address has the old way. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
