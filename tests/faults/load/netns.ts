/**
 * A network of its own for one client, on a cable that can be cut without either
 * end noticing. Linux, root and iproute2 with iptables are needed.
 *
 * @module
 */

export interface Namespace extends AsyncDisposable {
  /** The address of this side of the cable. */
  host: string;
  /** Words before a command that shall run on the other side. */
  wrap: string[];
  /** From now on nothing arrives, and nobody is told. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** Makes a namespace; everything is gone with it. */
export async function openNamespace(): Promise<Namespace> {
  const number = Deno.pid % 250;
  const name = `tickertape-${Deno.pid}`;
  const [here, there] = [`tth${Deno.pid}`, `ttc${Deno.pid}`];
  const [host, guest] = [`10.213.${number}.1`, `10.213.${number}.2`];
  const inside = ["ip", "netns", "exec", name];
  const drop = (action: "-I" | "-D") =>
    run(...inside, "iptables", "-w", action, "INPUT", "-j", "DROP")
      .then(() =>
        run(...inside, "iptables", "-w", action, "OUTPUT", "-j", "DROP")
      );
  await run("ip", "netns", "add", name);
  const remove = () => run("ip", "netns", "delete", name);
  try {
    await run(
      ..."ip link add".split(" "),
      here,
      ..."type veth peer name".split(" "),
      there,
      "netns",
      name,
    );
    await run("ip", "address", "add", `${host}/24`, "dev", here);
    await run("ip", "link", "set", here, "up");
    await run("ip", "-n", name, "address", "add", `${guest}/24`, "dev", there);
    await run("ip", "-n", name, "link", "set", there, "up");
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    host,
    wrap: inside,
    cut: () => drop("-I"),
    mend: () => drop("-D"),
    [Symbol.asyncDispose]: remove,
  };
}

async function run(...words: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(words[0]!, {
    args: words.slice(1),
    // Where Debian puts them; not everybody's path has it.
    env: { PATH: `${Deno.env.get("PATH")}:/usr/sbin:/sbin` },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  const why = new TextDecoder().decode(stderr).trim();
  throw new Error(`Cannot run "${words.join(" ")}": ${why}`);
}
