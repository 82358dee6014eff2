/**
 * The run log and a run's life.
 *
 * @module
 */
export { Runs } from "./runs.ts";
export type {
  DecideOutcome,
  ReadOutcome,
  RunsOptions,
  StartOutcome,
  StartRequest,
  StopOutcome,
} from "./outcomes.ts";
export type { Models } from "./brief.ts";
export type { ContextText } from "./asked.ts";
export type { ExportedChat } from "./chats.ts";
export type { RunLimits } from "./limits.ts";
export { startRetention } from "./retention.ts";
export { TapeReader } from "./reader.ts";
export type { Pulled } from "./reader.ts";
export type { Entry } from "./entry.ts";
