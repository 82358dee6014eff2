import { useState } from "preact/hooks";

export interface AllowAgainProps {
  server: string;
  tool: string;
  /** What the button says, and what becomes of it: all it needs to know. */
  words: Record<"allow" | "allowing" | "allowed" | "notAllowed", string>;
}

/** Takes a changed tool as it is now, after a person has looked (case T06). */
export function AllowAgain({ server, tool, words }: AllowAgainProps) {
  const [state, setState] = useState<keyof AllowAgainProps["words"]>("allow");
  const confirm = async () => {
    setState("allowing");
    const done = await fetch("/api/tools/confirm", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ server, tool }),
    }).then(({ ok }) => ok, () => false);
    setState(done ? "allowed" : "notAllowed");
  };
  return (
    <p class="allow scripted" data-state={state}>
      <button
        type="button"
        class="button"
        aria-disabled={state === "allowing" || state === "allowed"}
        data-testid="allow-again"
        onClick={() =>
          state === "allow" || state === "notAllowed" ? confirm() : undefined}
      >
        {words.allow}
      </button>{" "}
      <small role="status">{state !== "allow" && words[state]}</small>
    </p>
  );
}
