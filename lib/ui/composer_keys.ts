/**
 * When Enter sends. An input method uses the same key to confirm a candidate,
 * and browsers disagree on how they say so.
 *
 * @module
 */

/** The part of a KeyboardEvent that decides. */
export interface KeyPress {
  key: string;
  keyCode: number;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  isComposing: boolean;
  /** Milliseconds. */
  timeStamp: number;
}

/** Safari ends the composition first and tells the key that did it afterwards. */
const SAME_PRESS_MS = 20;

export interface ComposerKeys {
  compositionStart(): void;
  compositionEnd(timeStamp: number): void;
  /** Whether this press asks to send. */
  sends(press: KeyPress): boolean;
}

export function createComposerKeys(): ComposerKeys {
  let composing = false;
  let endedAt = -Infinity;
  return {
    compositionStart() {
      composing = true;
    },
    compositionEnd(timeStamp) {
      composing = false;
      endedAt = timeStamp;
    },
    sends(press) {
      if (press.key !== "Enter" || press.shiftKey || press.altKey) return false;
      // 229 is "the input method has this key", also where isComposing is late.
      if (press.isComposing || press.keyCode === 229 || composing) return false;
      return press.timeStamp - endedAt > SAME_PRESS_MS;
    },
  };
}
