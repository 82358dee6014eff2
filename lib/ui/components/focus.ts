/**
 * Where the focus goes when what it was on goes away: to the message box. Not on
 * a phone, whose keyboard would come up.
 */
export function focusComposer(): void {
  if (matchMedia("(pointer: coarse)").matches) return;
  document.getElementById("composer")?.focus({ preventScroll: true });
}

/** The same for an element that is only about to be drawn. */
export function focusSoon(id: string): void {
  setTimeout(() => document.getElementById(id)?.focus());
}
