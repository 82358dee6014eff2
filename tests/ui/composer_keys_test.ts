/** When Enter sends, with every input method there is. */
import { assertEquals } from "@std/assert";
import {
  createComposerKeys,
  type KeyPress,
} from "../../lib/ui/composer_keys.ts";

const press = (with_: Partial<KeyPress> = {}): KeyPress => ({
  key: "Enter",
  keyCode: 13,
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  isComposing: false,
  timeStamp: 1_000,
  ...with_,
});

Deno.test("Enter sends; with Shift or Alt it does not; other keys never", () => {
  const keys = createComposerKeys();
  assertEquals(keys.sends(press()), true);
  assertEquals(keys.sends(press({ ctrlKey: true })), true);
  assertEquals(keys.sends(press({ metaKey: true })), true);
  assertEquals(keys.sends(press({ shiftKey: true })), false);
  assertEquals(keys.sends(press({ altKey: true })), false);
  assertEquals(keys.sends(press({ key: "a", keyCode: 65 })), false);
});

Deno.test("Chromium and Firefox: the Enter that confirms is marked as composing", () => {
  const keys = createComposerKeys();
  keys.compositionStart();
  assertEquals(
    keys.sends(press({ isComposing: true, keyCode: 229, key: "Process" })),
    false,
  );
  assertEquals(keys.sends(press({ isComposing: true })), false);
  keys.compositionEnd(1_000);
  assertEquals(keys.sends(press({ timeStamp: 1_400 })), true);
});

Deno.test("Safari: the composition ends before the key is told, as 229 or plainly", () => {
  const keys = createComposerKeys();
  keys.compositionStart();
  keys.compositionEnd(1_000);
  assertEquals(keys.sends(press({ keyCode: 229, timeStamp: 1_100 })), false);
  assertEquals(keys.sends(press({ timeStamp: 1_002 })), false);
  assertEquals(keys.sends(press({ timeStamp: 1_150 })), true);
});

Deno.test("an input method that marks nothing is known by its composition", () => {
  const keys = createComposerKeys();
  keys.compositionStart();
  assertEquals(keys.sends(press()), false);
});
