/**
 * Finds islands while a page is rendered, marks where they stand, and writes
 * the one block of data the browser needs to bring them to life.
 *
 * Preact calls the `options` hooks for every node it renders. An island is a
 * component exported from `islands/`; the outermost one is put between two
 * comments, its properties are kept aside. What it renders is its own affair,
 * so islands inside islands are left alone.
 *
 * @module
 */
import {
  type ComponentType,
  Fragment,
  h,
  isValidElement,
  options,
  type VNode,
} from "preact";

/** Where an island's browser module is, and the export to take from it. */
export interface Island {
  name: string;
  url: string;
  exportName: string;
}

/** Components that are islands. */
export type Islands = ReadonlyMap<unknown, Island>;

/** The islands met while rendering one page. */
export interface IslandUse {
  /** By name, each once. */
  islands: Map<string, Island>;
  /** Properties in order of the marks. */
  props: Record<string, unknown>[];
}

interface Rendering extends IslandUse {
  registry: Islands;
  version: (path: string) => string;
  /** How many islands we are inside of. */
  depth: number;
  /** Nodes that stand for an island already marked. */
  marked: WeakSet<object>;
}

type DiffHook = (vnode: VNode) => void;
/** Preact's hooks; `__b` runs before a node is rendered (the name is mangled). */
const hooks = options as unknown as { __b?: DiffHook; diffed?: DiffHook };

let rendering: Rendering | undefined;

const before = hooks.__b;
hooks.__b = (vnode) => {
  if (rendering) enter(rendering, vnode);
  before?.(vnode);
};

const after = hooks.diffed;
hooks.diffed = (vnode) => {
  if (rendering?.marked.has(vnode)) rendering.depth--;
  after?.(vnode);
};

/**
 * Runs a synchronous render and answers what it answered and the islands met.
 *
 * @param version gives a path of `static/` its cacheable address.
 */
export function collectIslands<T>(
  registry: Islands,
  version: (path: string) => string,
  render: () => T,
): { result: T; use: IslandUse } {
  const current: Rendering = {
    registry,
    version,
    islands: new Map(),
    props: [],
    depth: 0,
    marked: new WeakSet(),
  };
  rendering = current;
  try {
    return { result: render(), use: current };
  } finally {
    rendering = undefined;
  }
}

/** Elements that load a file of `static/`, and the attribute that names it. */
const LOADS: Record<string, string> = {
  link: "href",
  img: "src",
  script: "src",
};

function enter(current: Rendering, vnode: VNode): void {
  const { type } = vnode;
  if (typeof type === "string") {
    const attribute = LOADS[type];
    const props = vnode.props as Record<string, unknown>;
    const path = attribute && props[attribute];
    if (typeof path === "string") props[attribute!] = current.version(path);
    return;
  }
  const island = current.registry.get(type);
  if (island === undefined) return;
  if (current.marked.has(vnode)) {
    current.depth++;
    return;
  }
  if (current.depth > 0) return;
  vnode.type = (props: Record<string, unknown>) => {
    refuseUnplain(props, `the island ${island.name}`);
    current.islands.set(island.name, island);
    const at = current.props.push(props) - 1;
    const inner = h(type as ComponentType<Record<string, unknown>>, props);
    current.marked.add(inner);
    return h(
      Fragment,
      null,
      comment(`island:${island.name}:${at}`),
      inner,
      comment("/island"),
    );
  };
}

function comment(text: string): VNode {
  return h(Fragment, { UNSTABLE_comment: text } as Record<string, unknown>);
}

/**
 * Throws unless a value survives the trip through JSON.
 *
 * @throws {TypeError} naming the place of the value that does not.
 */
function refuseUnplain(value: unknown, path: string): void {
  if (value === null || value === undefined) return;
  if (typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  if (Array.isArray(value)) {
    value.forEach((item, at) => refuseUnplain(item, `${path}[${at}]`));
    return;
  }
  const plain = typeof value === "object" && !isValidElement(value) &&
    [Object.prototype, null].includes(Object.getPrototypeOf(value));
  if (!plain) {
    throw new TypeError(
      `Cannot send a property to the browser, "${path}": island properties are plain JSON`,
    );
  }
  for (const [key, item] of Object.entries(value as object)) {
    refuseUnplain(item, `${path}.${key}`);
  }
}

const UNSAFE = /[<>&\u2028\u2029]/g;

/** JSON that no HTML parser can mistake for markup (case X08). */
export function jsonForHtml(value: unknown): string {
  return JSON.stringify(value).replace(
    UNSAFE,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
