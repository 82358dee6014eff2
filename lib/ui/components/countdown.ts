import { useEffect, useState } from "preact/hooks";

/**
 * Whole seconds left of a wait, redrawn every second, 0 when it is over.
 *
 * @param ms Length of the wait from now on.
 * @param since A new value begins a new wait.
 */
export function useCountdown(ms: number, since: unknown): number {
  const [left, setLeft] = useState(Math.ceil(ms / 1_000));
  useEffect(() => {
    const end = Date.now() + ms;
    const look = () => {
      const seconds = Math.max(0, Math.ceil((end - Date.now()) / 1_000));
      setLeft(seconds);
      if (seconds === 0) clearInterval(id);
    };
    const id = setInterval(look, 1_000);
    look();
    return () => clearInterval(id);
  }, [since]);
  return left;
}
