/**
 * Builds what the browser loads: one module that starts a page and one per
 * island, with shared chunks, into `_npm/`. Names carry content hashes.
 *
 * The manifest remembers what went in. When nothing changed, a start reads the
 * files back and esbuild is not even loaded.
 *
 * @module
 */
import { hashOf } from "./bytes.ts";

// esbuild looks once, when it is loaded, perhaps by somebody else in this process.
// With the thread it would keep for synchronous builds, `buildSync` hangs here.
Deno.env.set("ESBUILD_WORKER_THREADS", "0");

/** A built site, ready to serve. */
export interface Bundles {
  /** Address of the module that starts a page. */
  client: string;
  /** Island file name (without ending) → address of its module. */
  islands: Map<string, string>;
  /** Address → content. */
  files: Map<string, Uint8Array<ArrayBuffer>>;
  /** True when an earlier build was still good. */
  reused: boolean;
}

export interface BuildOptions {
  /** The project: holds `islands/`, receives `_npm/`. Ends in a slash. */
  root: URL;
  /** Readable output with source maps inside. */
  dev?: boolean;
}

interface Manifest {
  /** What the output depends on besides the inputs: options, lock, this file. */
  key: string;
  /** Path from the root → hash, for every source file bundled. */
  inputs: Record<string, string>;
  client: string;
  islands: Record<string, string>;
  files: string[];
}

/** Raise when the options below change what is written. */
const RECIPE = 1;
const PREFIX = "/_npm/";
const PROJECT = new URL("../", import.meta.url);
const CLIENT = new URL("./client.ts", import.meta.url);
/** As Fresh: what its builder aims at. */
const TARGET = ["chrome99", "firefox99", "safari15"];

/** Lists `islands/`: file name without ending → file. */
export async function islandFiles(root: URL): Promise<Map<string, URL>> {
  const dir = new URL("islands/", root);
  const files = new Map<string, URL>();
  for (const { name, isFile } of await readDir(dir)) {
    if (!isFile || !/\.tsx?$/.test(name) || /[._]test\./.test(name)) continue;
    const island = name.replace(/\.tsx?$/, "");
    if (!/^[A-Za-z]\w*$/.test(island)) {
      throw new Error(
        `Cannot build the island "${name}": its name must be letters and digits`,
      );
    }
    files.set(island, new URL(name, dir));
  }
  return new Map([...files].sort());
}

/** Builds the islands, or reads an earlier build that is still good. */
export async function build(options: BuildOptions): Promise<Bundles> {
  const islands = await islandFiles(options.root);
  const out = new URL("_npm/", options.root);
  const key = await keyOf(options, [...islands.keys()]);
  const manifest = await readManifest(out);
  if (manifest && manifest.key === key && await unchanged(manifest, options)) {
    const bundles = await readBundles(out, manifest);
    if (bundles) return bundles;
  }
  await bundle(options, islands, out, key);
  return {
    ...(await readBundles(out, (await readManifest(out))!))!,
    reused: false,
  };
}

async function bundle(
  options: BuildOptions,
  islands: Map<string, URL>,
  out: URL,
  key: string,
): Promise<void> {
  // Synchronous, because the service behind `build` outlives its `stop`.
  const esbuild = await import("esbuild");
  const root = path(options.root);
  const result = esbuild.buildSync({
    entryPoints: {
      _client: path(CLIENT),
      ...Object.fromEntries([...islands].map(([n, file]) => [n, path(file)])),
    },
    absWorkingDir: root,
    outdir: path(out),
    entryNames: "[name]-[hash]",
    chunkNames: "chunk-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: TARGET,
    minify: !options.dev,
    sourcemap: options.dev ? "inline" : false,
    legalComments: "none",
    charset: "utf8",
    // Given here, so that no tsconfig of a folder above is read.
    tsconfigRaw: {
      compilerOptions: { jsx: "react-jsx", jsxImportSource: "preact" },
    },
    nodePaths: [path(new URL("node_modules/", PROJECT))],
    define: {
      "process.env.NODE_ENV": options.dev ? '"development"' : '"production"',
    },
    logLevel: "silent",
    metafile: true,
    write: false,
  });
  const entries = new Map<string, string>();
  for (
    const [file, { entryPoint }] of Object.entries(result.metafile.outputs)
  ) {
    if (entryPoint) {
      entries.set(resolve(entryPoint, options.root), base(file));
    }
  }
  const inputs: Record<string, string> = {};
  for (const input of Object.keys(result.metafile.inputs)) {
    if (input.includes("node_modules/")) continue;
    const file = new URL(resolve(input, options.root));
    inputs[relative(file, options.root)] = await hashOf(
      await Deno.readFile(file),
    );
  }
  await Deno.mkdir(out, { recursive: true });
  for (const file of result.outputFiles) {
    await writeWhole(new URL(base(file.path), out), file.contents);
  }
  const manifest: Manifest = {
    key,
    inputs,
    client: entries.get(CLIENT.href)!,
    islands: Object.fromEntries(
      [...islands].map(([name, file]) => [name, entries.get(file.href)!]),
    ),
    files: result.outputFiles.map((file) => base(file.path)),
  };
  await writeWhole(
    new URL("manifest.json", out),
    new TextEncoder().encode(JSON.stringify(manifest, null, 2)),
  );
  await removeOthers(out, manifest);
}

/** Everything but the sources: a change of any of it means a new build. */
async function keyOf(
  options: BuildOptions,
  islands: string[],
): Promise<string> {
  const lock = await readText(new URL("deno.npm.lock", PROJECT)) ?? "";
  const parts = [RECIPE, options.dev === true, islands, await hashOf(lock)];
  return await hashOf(JSON.stringify(parts));
}

async function unchanged(
  manifest: Manifest,
  options: BuildOptions,
): Promise<boolean> {
  for (const [input, hash] of Object.entries(manifest.inputs)) {
    const file = new URL(input, options.root);
    const bytes = await Deno.readFile(file).catch(() => undefined);
    if (bytes === undefined || await hashOf(bytes) !== hash) return false;
  }
  return true;
}

async function readBundles(
  out: URL,
  manifest: Manifest,
): Promise<Bundles | undefined> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const name of manifest.files) {
    const bytes = await Deno.readFile(new URL(name, out)).catch(() =>
      undefined
    );
    if (bytes === undefined) return;
    files.set(PREFIX + name, bytes);
  }
  return {
    client: PREFIX + manifest.client,
    islands: new Map(
      Object.entries(manifest.islands).map(([k, v]) => [k, PREFIX + v]),
    ),
    files,
    reused: true,
  };
}

async function readManifest(out: URL): Promise<Manifest | undefined> {
  const text = await readText(new URL("manifest.json", out));
  if (text === undefined) return;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readText(file: URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function readDir(dir: URL): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(dir));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Two processes may build at once: a file is there whole or not at all. */
async function writeWhole(file: URL, bytes: Uint8Array): Promise<void> {
  const draft = new URL(`${file.href}.${crypto.randomUUID()}`);
  await Deno.writeFile(draft, bytes);
  await Deno.rename(draft, file);
}

async function removeOthers(out: URL, manifest: Manifest): Promise<void> {
  const keep = new Set([...manifest.files, "manifest.json"]);
  for (const { name } of await readDir(out)) {
    const whole = /\.(js|css|json)$/.test(name);
    if (whole && !keep.has(name)) {
      await Deno.remove(new URL(name, out)).catch(() => {});
    }
  }
}

function path(url: URL): string {
  const name = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? name.slice(1) : name;
}

/** esbuild names files from its working directory, with forward slashes. */
function resolve(file: string, root: URL): string {
  return new URL(file.split("/").map(encodeURIComponent).join("/"), root).href;
}

function relative(file: URL, root: URL): string {
  return file.href.startsWith(root.href)
    ? file.href.slice(root.href.length)
    : file.href;
}

function base(file: string): string {
  return file.slice(
    Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1,
  );
}
