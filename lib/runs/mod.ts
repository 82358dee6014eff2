/**
 * The run log and a run's life.
 *
 * @module
 */
export { Runs } from "./runs.ts";
export type {
  ReadOutcome,
  RunsOptions,
  StartOutcome,
  StartRequest,
  StopOutcome,
} from "./runs.ts";
export type { RunLimits } from "./limits.ts";
export { TapeReader } from "./reader.ts";
export type { Pulled } from "./reader.ts";
export type { Entry } from "./entry.ts";
