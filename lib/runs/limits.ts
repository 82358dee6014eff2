/**
 * How long and how much: the limits of protocol 2.5, in one place.
 *
 * @module
 */
export interface RunLimits {
  /** A run's wall time. */
  runMs: number;
  /** Model calls in one run. */
  maxSteps: number;
  /** How long an owner may be silent before its runs are taken over (N4). */
  leaseMs: number;
  /** Silence on a connection before a heartbeat. */
  beatMs: number;
  /** How long a reader may take nothing before it is let go (case R19). */
  stallMs: number;
  /** Streams one owner may have open at a time (case S05). */
  maxStreams: number;
  /** Questions one owner may ask in a minute (protocol 2.6). */
  questionsPerMinute: number;
  /** Questions all owners together may ask in a minute. */
  allQuestionsPerMinute: number;
  /** How long a question to a person stays open. */
  approvalMs: number;
}

export const LIMITS: RunLimits = {
  runMs: 10 * 60_000,
  maxSteps: 25,
  leaseMs: 10_000,
  beatMs: 15_000,
  stallMs: 60_000,
  maxStreams: 20,
  questionsPerMinute: 20,
  allQuestionsPerMinute: 300,
  approvalMs: 24 * 60 * 60_000,
};
