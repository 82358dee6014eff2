/**
 * Disks that misbehave: small and read-only ones. Root is above permissions, so
 * both are mounts when the tests run as root.
 *
 * @module
 */

export interface Mounted {
  undo(): Promise<void>;
}

/** Makes a file or directory refuse writes; a string says why not. */
export async function readOnly(path: string): Promise<Mounted | string> {
  if (Deno.uid() !== 0) {
    Deno.chmodSync(path, 0o500);
    return { undo: () => Deno.chmod(path, 0o700) };
  }
  const why = await sh("mount", "--bind", path, path) ??
    await sh("mount", "-o", "remount,bind,ro", path);
  return why ?? { undo: () => unmount(path) };
}

/** Mounts `kib` KiB of memory as the disk under `dir`; a string says why not. */
export async function smallDisk(
  dir: string,
  kib: number,
): Promise<Mounted | string> {
  Deno.mkdirSync(dir, { recursive: true });
  const why = await sh("mount", "-t", "tmpfs", "-o", `size=${kib}k`, "x", dir);
  return why ?? { undo: () => unmount(dir) };
}

async function unmount(dir: string): Promise<void> {
  const why = await sh("umount", dir);
  if (why !== null) throw new Error(why);
}

/** Null if it worked, else what the command complained about. */
async function sh(command: string, ...args: string[]): Promise<string | null> {
  try {
    const { success, stderr } = await new Deno.Command(command, { args })
      .output();
    return success ? null : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    return String(error);
  }
}
