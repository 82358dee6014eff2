/**
 * Keeps a growing transcript at its end, as long as the reader wants to be there:
 * the first wheel, touch or key upwards lets go at once.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";

/** Closer to the end than this is at the end. */
const NEAR_PX = 32;

export interface Follow {
  /** Whether the end is in sight and will stay there. */
  readonly atEnd: ReadonlySignal<boolean>;
  /** Something grew below while the reader was elsewhere. */
  readonly newBelow: ReadonlySignal<boolean>;
  toEnd(smooth?: boolean): void;
  /** Keeps what is in sight where it is, whatever becomes of the end. */
  stay(): void;
  /** Something else is drawn: perhaps the end is in sight now. */
  look(): void;
  dispose(): void;
}

const UP_KEYS = new Set(["ArrowUp", "PageUp", "Home"]);

/**
 * @param box What scrolls.
 * @param content What grows in it.
 * @param chat What is in it: nothing yet, which is read from its top, or text
 * that is arriving; other growth is no news.
 */
export function followEnd(
  box: HTMLElement,
  content: HTMLElement,
  chat: { empty(): boolean; writing(): boolean },
): Follow {
  const atEnd = signal(true);
  const newBelow = signal(false);
  let lastTop = box.scrollTop;
  let lastHeight = content.offsetHeight;
  let touchY = 0;
  /** What is drawn next is not to move what is in sight. */
  let staying = false;

  const distance = () => box.scrollHeight - box.clientHeight - box.scrollTop;
  const jump = () => {
    box.scrollTop = chat.empty() ? 0 : box.scrollHeight;
    lastTop = box.scrollTop;
  };
  const look = () => {
    const near = distance() <= NEAR_PX;
    if (near) newBelow.value = false;
    if (near || staying) atEnd.value = near;
    staying = false;
  };
  const letGo = () => {
    if (box.scrollHeight > box.clientHeight) atEnd.value = false;
  };
  const onWheel = (event: WheelEvent) => {
    if (event.deltaY < 0) letGo();
  };
  const onTouchStart = (event: TouchEvent) => {
    touchY = event.touches[0]!.clientY;
  };
  const onTouchMove = (event: TouchEvent) => {
    if (event.touches[0]!.clientY > touchY) letGo();
    touchY = event.touches[0]!.clientY;
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLTextAreaElement) return;
    if (UP_KEYS.has(event.key)) letGo();
  };
  const onScroll = () => {
    const top = box.scrollTop;
    // Upwards although nothing got shorter: somebody drags the scroll bar.
    if (top < lastTop - 1 && distance() > NEAR_PX) letGo();
    else if (top > lastTop) look();
    lastTop = top;
  };
  const grown = new ResizeObserver(() => {
    const height = content.offsetHeight;
    if (atEnd.peek()) {
      if (!staying && !chat.empty()) jump();
    } else if (height > lastHeight) {
      if (chat.writing()) newBelow.value = distance() > NEAR_PX;
    } else look();
    lastHeight = height;
    lastTop = box.scrollTop;
  });

  const passive = { passive: true };
  box.addEventListener("wheel", onWheel, passive);
  box.addEventListener("touchstart", onTouchStart, passive);
  box.addEventListener("touchmove", onTouchMove, passive);
  box.addEventListener("scroll", onScroll, passive);
  document.addEventListener("keydown", onKey);
  grown.observe(content);
  grown.observe(box);
  jump();

  return {
    atEnd,
    newBelow,
    toEnd(smooth = false) {
      staying = false;
      atEnd.value = true;
      newBelow.value = false;
      if (smooth) box.scrollTo({ top: box.scrollHeight, behavior: "smooth" });
      else jump();
    },
    stay: () => staying = true,
    look,
    dispose() {
      box.removeEventListener("wheel", onWheel);
      box.removeEventListener("touchstart", onTouchStart);
      box.removeEventListener("touchmove", onTouchMove);
      box.removeEventListener("scroll", onScroll);
      document.removeEventListener("keydown", onKey);
      grown.disconnect();
    },
  };
}
