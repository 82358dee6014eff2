/**
 * The tool `bus_schedule`: stops, next departures, trips between two stops and
 * first and last buses of a GTFS feed (issue 2, point 6).
 *
 * @module
 */
import * as z from "zod";
import type { Tool, ToolContext } from "../agent/contracts.ts";
import { BusQuestion } from "./bus_question.ts";
import type { Timetable } from "./gtfs/timetable.ts";

const input = z.object({
  action: z.enum(["find_stops", "next_departures", "trips", "first_last"])
    .describe(
      "find_stops: search stops by name (needs query). " +
        "next_departures: every bus from one stop (needs stop). " +
        "trips: buses between two stops (needs from and to). " +
        "first_last: first and last bus from a stop (needs stop) or between two (needs from and to).",
    ),
  query: z.string().nullish().describe("find_stops: part of a stop's name"),
  stop: z.string().nullish().describe(
    "Stop name as the person said it, Chinese or English, or a stop id",
  ),
  from: z.string().nullish().describe("Stop where the trip begins"),
  to: z.string().nullish().describe("Stop where the trip ends"),
  route: z.string().nullish().describe('Only this route, e.g. "1" or "K3"'),
  at: z.string().nullish().describe(
    'Local time "2026-11-22T08:30", or "08:30" for today; null for now',
  ),
  limit: z.number().nullish().describe("How many results, 1 to 20; null for 5"),
});

/** The public arguments of `bus_schedule`; null and absent mean the same. */
export type BusInput = z.infer<typeof input>;

/**
 * The tool over a timetable that may still be opening.
 *
 * @param timetable waits for the timetable; its error is told to the model
 */
export function busSchedule(
  timetable: (context: ToolContext) => Promise<Timetable>,
): Tool<BusInput> {
  return {
    name: "bus_schedule",
    description: "Bus timetable of the city: finds stops by name, next " +
      "departures from a stop, buses between two stops (direct or with one " +
      "change), first and last bus. Give stop names as the person wrote them, " +
      "in Chinese or English. Times are local to the city. Use it for every " +
      "question about buses, stops, routes or when to leave; never guess times.",
    input,
    effect: "read",
    async run(input, context) {
      let open: Timetable;
      try {
        open = await timetable(context);
      } catch (error) {
        context.signal.throwIfAborted();
        const reason = error instanceof Error ? error.message : "unknown";
        throw new Error(`the bus timetable cannot be read: ${reason}`);
      }
      return new BusQuestion(input, open, context.now).answer();
    },
  };
}
