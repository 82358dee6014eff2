/**
 * What is said when the app cannot start.
 *
 * @module
 */

/** The port is taken, and what to do about it. */
export function portTaken(port: number): string {
  return `Cannot listen on port ${port}: something else does. Stop it, or ` +
    `choose another: PORT=${port + 1} deno task start`;
}
