/**
 * From a bus question and what was asked before to the arguments of
 * `bus_schedule`.
 *
 * @module
 */
import type { BusQuestion, Mark } from "./stops/extract.ts";

/** The arguments of `bus_schedule`, as its contract names them. */
export interface BusArguments {
  action: "find_stops" | "next_departures" | "trips" | "first_last";
  query?: string;
  stop?: string;
  from?: string;
  to?: string;
  route?: string;
  at?: string;
}

/** The last bus call of the conversation, and what came of it. */
export interface BusMemory {
  asked: BusArguments;
  /** `YYYY-MM-DDTHH:MM` of the first departure of its answer. */
  shown: string | null;
  /** The name the tool could not tell a stop by, and asked about. */
  unclear: string | null;
}

/** What a bus question comes to. */
export type BusIntent =
  | { kind: "call"; arguments: BusArguments }
  /** Something is missing and must be asked for. */
  | { kind: "where-from"; to: string }
  | { kind: "which-stop" }
  | { kind: "none" };

const NONE: BusIntent = { kind: "none" };
const FOLLOWING: Mark[] = ["more", "later", "back", "first", "last", "next"];

/** Decides what to ask the tool. */
export function busIntent(
  question: BusQuestion,
  memory: BusMemory | null,
): BusIntent {
  const { marks, from, to, stop, route } = question;
  const place = from ?? stop;
  const any = place ?? to;
  if (marks.has("find")) {
    return any
      ? { kind: "call", arguments: { action: "find_stops", query: any } }
      : { kind: "which-stop" };
  }
  if (memory !== null) {
    const cleared = clearUp(question, memory);
    if (cleared !== null) return { kind: "call", arguments: cleared };
    if (follows(question)) return carryOn(question, memory);
  }

  const towards = marks.has("way") || marks.has("first") ||
    marks.has("last") || marks.has("next");
  // "Translate from English to Chinese" has two places, and a word too many.
  const trip = from !== undefined && to !== undefined && stop === undefined;
  const aboutBuses = marks.has("bus") || trip || (towards && any !== undefined);
  if (!aboutBuses) return NONE;
  if (to !== undefined && place === undefined) {
    const origin = memory && origins(memory.asked).origin;
    return origin && origin !== to
      ? asCall(question, { origin, to, route, at: atOf(question) })
      : { kind: "where-from", to };
  }
  if (place === undefined) return { kind: "which-stop" };
  return asCall(question, { origin: place, to, route, at: atOf(question) });
}

/** "Which library?" – "The city library": the same call with the better name. */
function clearUp(
  { marks, from, to, stop, when }: BusQuestion,
  { asked, unclear }: BusMemory,
): BusArguments | null {
  const names = [from, to, stop].filter((name) => name !== undefined);
  const bare = marks.size === 0 && when === null && names.length === 1;
  if (unclear === null || !bare) return null;
  const better = Object.entries(asked).map(([key, value]) =>
    ["from", "to", "stop"].includes(key) && value === unclear
      ? [key, names[0]!]
      : [key, value]
  );
  return Object.fromEntries(better);
}

/** A question that only makes sense behind another one. */
function follows({ marks, from, to, stop, when, route }: BusQuestion): boolean {
  if (marks.has("later") || marks.has("back")) return true;
  const places = [from, to, stop].filter(Boolean).length;
  if (marks.has("way") || places > 1) return false;
  if (marks.has("more")) return true;
  if (places === 1) return to !== undefined && marks.size === 0;
  return FOLLOWING.some((mark) => marks.has(mark)) || when !== null ||
    route !== undefined;
}

function carryOn(question: BusQuestion, memory: BusMemory): BusIntent {
  const { marks } = question;
  const before = origins(memory.asked);
  const route = question.route ?? memory.asked.route;
  let origin = question.from ?? before.origin;
  let to = question.to ?? before.to;
  if (question.stop !== undefined) {
    if (before.to !== undefined) to = question.stop;
    else origin = question.stop;
  }
  if (marks.has("back")) [origin, to] = [to, origin];
  if (origin === undefined) {
    return to === undefined
      ? { kind: "which-stop" }
      : { kind: "where-from", to };
  }
  const later = marks.has("later") ? afterShown(memory) : undefined;
  const at = later ?? (question.when ? atOf(question) : memory.asked.at);
  const stays = memory.asked.action === "first_last" && !marks.has("next") &&
    !marks.has("later");
  return asCall(question, { origin, to, route, at, stays });
}

/** The minute after the departure that was shown first. */
function afterShown({ shown }: BusMemory): string | undefined {
  if (shown === null) return undefined;
  const next = new Date(Date.parse(`${shown}:00Z`) + 60_000);
  return next.toISOString().slice(0, 16);
}

function origins(asked: BusArguments): { origin?: string; to?: string } {
  const origin = asked.from ?? asked.stop;
  return {
    ...(origin !== undefined && { origin }),
    ...(asked.to !== undefined && { to: asked.to }),
  };
}

function asCall(
  question: BusQuestion,
  { origin, to, route, at, stays = false }: {
    origin: string;
    to: string | undefined;
    route: string | undefined;
    at?: string | undefined;
    /** First and last buses were asked for before, and still are. */
    stays?: boolean;
  },
): BusIntent {
  const { marks } = question;
  const ends = marks.has("first") || marks.has("last") || stays;
  return {
    kind: "call",
    arguments: {
      action: ends
        ? "first_last"
        : to === undefined
        ? "next_departures"
        : "trips",
      ...(to === undefined ? { stop: origin } : { from: origin, to }),
      ...(route !== undefined && { route }),
      ...(at !== undefined && { at }),
    },
  };
}

/** The asked moment as the tool takes it: `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM`. */
function atOf({ when }: BusQuestion): string | undefined {
  if (when === null || when.today) return undefined;
  return when.time === undefined ? when.date : `${when.date}T${when.time}`;
}
