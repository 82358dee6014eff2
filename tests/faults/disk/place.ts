/**
 * Where files are put that thousands of images take turns in.
 *
 * @module
 */
import { dirname } from "node:path";

/** Path → bytes: everything below a directory. */
export type Files = Map<string, Uint8Array>;

/** A new directory, in memory where that can be. */
export async function makePlace(): Promise<string> {
  const options = { prefix: "tickertape-image-" };
  try {
    return await Deno.makeTempDir({ ...options, dir: "/dev/shm" });
  } catch {
    return await Deno.makeTempDir(options);
  }
}

/** Makes the directory hold exactly these files. */
export async function put(place: string, files: Files): Promise<void> {
  for await (const { name } of Deno.readDir(place)) {
    await Deno.remove(`${place}/${name}`, { recursive: true });
  }
  for (const [path, bytes] of files) {
    await Deno.mkdir(dirname(place + path), { recursive: true });
    await Deno.writeFile(place + path, bytes);
  }
}
