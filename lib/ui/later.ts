/**
 * What a new chat does not show is no part of what it loads: how Markdown and an
 * agent's work are drawn is fetched with the first run. A page that shows some
 * already has it before it comes to life, so that nothing the server has drawn
 * is taken away for a moment.
 *
 * @module
 */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

interface Later<T> {
  /** What a page shows that needs it, as a selector. */
  readonly mark: string;
  /** Rejects where the network does. */
  fetch(): Promise<void>;
  /** A hook: null until it is there. */
  use(): T | null;
}

function later<T extends object>(
  mark: string,
  load: () => Promise<T>,
): Later<T> {
  const fetched = signal<T | null>(null);
  const fetch = async () => {
    fetched.value ??= await load();
  };
  return {
    mark,
    fetch,
    use() {
      // Where it fails, the next run fetches it again.
      useEffect(() => void fetch().catch(() => {}), []);
      return fetched.value;
    },
  };
}

/** How Markdown is drawn. */
export const markdown = later(
  ".prose",
  () => import("./components/markdown.tsx"),
);

/** How an agent's tools and questions are drawn. */
export const work = later("[data-work]", () => import("./components/work.ts"));

/** The queue and the editor of questions: both come after a first question. */
export const more = later("[data-more]", () => import("./components/more.ts"));

const ALL: Later<object>[] = [markdown, work, more];

/** Fetches everything a run may show. Rejects where the network does. */
export async function fetchDrawings(): Promise<void> {
  await Promise.all(ALL.map((each) => each.fetch()));
}

/**
 * Resolves when everything the page already shows can be drawn. Awaited by the
 * islands and nowhere else: what is fetched here imports what they import.
 */
export async function ready(): Promise<void> {
  const shown = typeof document === "undefined"
    ? ALL
    : ALL.filter(({ mark }) => document.querySelector(mark) !== null);
  // Without a network the page comes to life all the same.
  await Promise.allSettled(shown.map((each) => each.fetch()));
}
