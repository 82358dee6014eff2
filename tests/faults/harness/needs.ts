/**
 * What a machine may lack that a fault test needs, found out without starting
 * anything.
 *
 * @module
 */
export type Need =
  | "linux"
  | "root"
  | "postgres"
  | "strace"
  | "tc"
  | "iptables";

/** Null if it is there, else what is missing, in a few words. */
export function lacks(need: Need): string | null {
  switch (need) {
    case "linux":
      return Deno.build.os === "linux" ? null : "this is not Linux";
    case "root":
      return Deno.build.os === "linux" && Deno.uid() === 0
        ? null
        : "only root may do this";
    case "postgres":
      return hasPostgres() ? null : "no PostgreSQL is installed";
    case "strace":
      return onPath("strace") ? null : "no strace is installed";
    case "tc":
      return onPath("tc") && onPath("ip") ? null : "no iproute2 is installed";
    case "iptables":
      return onPath("iptables") ? null : "no iptables is installed";
  }
}

/** A server's programs are not on the path where Debian puts them. */
function hasPostgres(): boolean {
  if (onPath("initdb")) return true;
  const versions = "/usr/lib/postgresql";
  return isThere(versions) &&
    [...Deno.readDirSync(versions)].some(({ name }) =>
      isThere(`${versions}/${name}/bin/initdb`)
    );
}

function onPath(program: string): boolean {
  const folders = `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin`.split(":");
  return folders.some((folder) => isThere(`${folder}/${program}`));
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
