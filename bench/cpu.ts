/**
 * What a process and its children used, read from Linux' `/proc`.
 *
 * @module
 */

/** Clock ticks per second in `/proc/<pid>/stat`; fixed in the kernel's ABI. */
const TICKS = 100;

/** Whether this system can be asked. */
export function canMeasure(): boolean {
  try {
    Deno.statSync("/proc/self/stat");
    return true;
  } catch {
    return false;
  }
}

interface Stat {
  parent: number;
  /** User and system time, seconds. */
  cpu: number;
}

function stat(pid: number): Stat | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return null;
  }
  // The command's name stands in brackets and may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    parent: Number(fields[1]),
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS,
  };
}

/** The process and everything it started, as it is now. */
export function family(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = stat(Number(name))?.parent;
    if (parent !== undefined) parents.set(Number(name), parent);
  }
  const found = [pid];
  for (const member of found) {
    for (const [child, parent] of parents) {
      if (parent === member) found.push(child);
    }
  }
  return found;
}

/** CPU used by these processes since they began, seconds (to 0.01). */
export function cpuSeconds(pids: number[]): number {
  return pids.reduce((sum, pid) => sum + (stat(pid)?.cpu ?? 0), 0);
}

/** Memory these processes hold, KB. */
export function residentKb(pids: number[]): number {
  return pids.reduce((sum, pid) => {
    try {
      const text = Deno.readTextFileSync(`/proc/${pid}/status`);
      return sum + Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? 0);
    } catch {
      return sum;
    }
  }, 0);
}
