/**
 * What the person has chosen for the open chat. A new chat has no place on the
 * server yet: its choices stay on the device and go along with its first
 * question.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { ChatSettings } from "../chat/settings.ts";
import type { ModelsView } from "../chat/views.ts";
import type { Api, Result } from "./api.ts";
import type { Environment } from "./environment.ts";

const DRAFT = "tt_settings";

/** What the screen may do with them. */
export interface SettingsDoor {
  readonly current: ReadonlySignal<ChatSettings>;
  save(next: ChatSettings): Promise<Result<unknown>>;
  /** The models there are. */
  models(): Promise<Result<ModelsView>>;
}

export interface ChosenSettings extends SettingsDoor {
  /** Another chat is shown, or the server told of this one; null is a new one. */
  show(settings: ChatSettings | null): void;
  /** The new chat has begun: its choices are the server's now. */
  begun(): void;
  /** What goes along with a question; nothing for the server's own. */
  sent(): ChatSettings | undefined;
}

/** @param chat The open chat; null is a new one. */
export function createChosenSettings(
  start: ChatSettings,
  chat: () => string | null,
  api: Api,
  env: Pick<Environment, "read" | "write">,
): ChosenSettings {
  const current = signal(start);
  const chosen = () => Object.keys(current.peek()).length > 0;
  return {
    current,
    show: (settings) => current.value = settings ?? draftOf(env),
    begun: () => env.write(DRAFT, null),
    models: api.models,
    sent: () => chat() === null && chosen() ? current.peek() : undefined,
    async save(next) {
      const id = chat();
      if (id === null) {
        current.value = next;
        env.write(DRAFT, chosen() ? JSON.stringify(next) : null);
        return { ok: true, value: null };
      }
      const result = await api.setChat(id, next);
      if (result.ok && id === chat()) current.value = next;
      return result;
    },
  };
}

/** Kept by this or an older page, so every field is looked at. */
function draftOf(env: Pick<Environment, "read">): ChatSettings {
  let kept: Record<string, unknown> | null = null;
  try {
    kept = JSON.parse(env.read(DRAFT) ?? "null");
  } catch {
    // Not ours.
  }
  const { model, temperature, system } = kept ?? {};
  return {
    ...(typeof model === "string" ? { model } : {}),
    ...(typeof temperature === "number" ? { temperature } : {}),
    ...(typeof system === "string" ? { system } : {}),
  };
}
