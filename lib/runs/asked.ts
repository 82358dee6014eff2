/**
 * What a run was asked with, beside its text: kept with it, so that it goes on
 * the same way after a pause, whatever was chosen for the chat in between.
 *
 * @module
 */
import type { ChatSettings } from "../chat/settings.ts";
import type { RunRow, Store } from "../store/contract.ts";

/** A text of a conversation that a program brought along. */
export interface ContextText {
  role: "system" | "user" | "assistant";
  text: string;
}

export interface AskedWith {
  /** The model's id. */
  model: string;
  temperature: number;
  system?: string;
  /** Names under which the store keeps the images' data URLs. */
  images: string[];
  /** Nobody can be asked: what needs approval is refused. */
  unattended: boolean;
  /** What was said before, by the word of the program that asked. */
  context: ContextText[];
  /** The run whose broken-off answer this one begins with. */
  continues?: string;
}

const PLAIN: AskedWith = {
  model: "",
  temperature: 0,
  images: [],
  unattended: false,
  context: [],
};

/** Reads a run's `options`; a run of an older version was asked with nothing. */
export function askedWith(options: string): AskedWith {
  return { ...PLAIN, ...JSON.parse(options) };
}

/** Reads a chat's `settings`. */
export function settingsOf(json: string): ChatSettings {
  return JSON.parse(json);
}

/** The name of the n-th image of a question, counted from 1. */
export const imageName = (n: number): string => `image-${n}`;

/** Images as the store keeps them with a question. */
export function keepImages(images: string[]): { name: string; text: string }[] {
  return images.map((url, i) => ({ name: imageName(i + 1), text: url }));
}

/** The images a question was asked with, as data URLs. */
export async function imagesOf(store: Store, run: RunRow): Promise<string[]> {
  const kept = await Promise.all(
    askedWith(run.options).images.map((name) => store.kept(run.id, name)),
  );
  return kept.filter((url) => url !== null);
}
