/**
 * Reads what every source file imports, without resolving anything.
 *
 * @module
 */

/** One `import` of a source file. */
export interface Import {
  /** The importing file, from the project folder: `lib/web/sse.ts`. */
  from: string;
  /** As written for packages, from the project folder for files. */
  to: string;
  /** Only types: nothing is loaded at run time. */
  typeOnly: boolean;
  /** Loaded only when the code gets there. */
  later: boolean;
  /** The names taken, as far as they stand in braces. */
  names: string[];
}

export const ROOT = new URL("../../", import.meta.url);

const STATEMENT =
  /^[ \t]*(?:import|export)\s+(type\s+)?((?:[\w$*\s,]|\{[^}]*\})*?)\s*from\s*["']([^"']+)["']/gm;
const SIDE_EFFECT = /^[ \t]*import\s*["']([^"']+)["']/gm;
const DYNAMIC = /\bimport\(\s*["']([^"']+)["']\s*\)/g;
const COMMENT = /\/\*[\s\S]*?\*\//g;

/** The project's TypeScript files in some folders, as paths from its root. */
export async function sources(...folders: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const dir = new URL(`${folder}/`, ROOT);
    for await (const { name, isDirectory } of Deno.readDir(dir)) {
      const path = `${folder}/${name}`;
      if (isDirectory) found.push(...await sources(path));
      else if (/\.tsx?$/.test(name)) found.push(path);
    }
  }
  return found.sort();
}

/** Every import of a file. */
export async function importsOf(from: string): Promise<Import[]> {
  const file = new URL(encodeURI(from), ROOT);
  const code = (await Deno.readTextFile(file)).replace(COMMENT, "");
  const found: Import[] = [];
  const add = (
    target: string,
    typeOnly: boolean,
    clause: string,
    later = false,
  ) => {
    const names = [...clause.matchAll(/\{([^}]*)\}/g)]
      .flatMap(([, inner]) => inner!.split(","))
      .map((name) => name.trim().replace(/^type\s+/, "").split(/\s+as\s+/)[0]!)
      .filter((name) => name !== "");
    const to = target.startsWith(".")
      ? decodeURI(new URL(target, file).href).slice(decodeURI(ROOT.href).length)
      : target;
    found.push({ from, to, typeOnly, later, names });
  };
  for (const [, type, clause, target] of code.matchAll(STATEMENT)) {
    add(target!, type !== undefined, clause!);
  }
  for (const [, target] of code.matchAll(SIDE_EFFECT)) add(target!, false, "");
  for (const [, target] of code.matchAll(DYNAMIC)) {
    add(target!, false, "", true);
  }
  return found;
}

/**
 * Everything some files import, directly or through others.
 *
 * @param follow Whether to look behind an import.
 */
export async function closure(
  files: string[],
  follow: (each: Import) => boolean = () => true,
): Promise<Import[]> {
  const seen = new Set<string>();
  const all: Import[] = [];
  const queue = [...files];
  for (let file = queue.pop(); file; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const imports = (await importsOf(file)).filter(follow);
    all.push(...imports);
    queue.push(
      ...imports.map(({ to }) => to).filter((to) => /^[^@].*\.tsx?$/.test(to)),
    );
  }
  return all;
}
