/**
 * Names of this computer.
 *
 * @module
 */

/** Whether only this computer can reach the address: 127.0.0.0/8, ::1, localhost. */
export function isLoopback(hostname: string): boolean {
  const name = hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return name === "localhost" || name === "::1" ||
    /^127(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/.test(name);
}
