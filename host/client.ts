/**
 * Runs in the browser: finds the marked islands of the page and brings each to
 * life in its place. The page names this module by address and holds its data
 * in a JSON block, so nothing inline ever runs.
 *
 * @module
 */
import { type ComponentType, h, render } from "preact";

/** The page's data block; `host/render.ts` writes it. */
interface PageData {
  islands: Record<string, { url: string; exportName: string }>;
  props: Record<string, unknown>[];
}

/** Where one island stands: between two comments. */
interface Place {
  name: string;
  at: number;
  start: Comment;
  end: Comment;
}

/** The marks of a page, in order of appearance. */
function places(root: Node): Place[] {
  const found: Place[] = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_COMMENT);
  let open: Omit<Place, "end"> | undefined;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const mark = node as Comment;
    const [kind, name, at] = mark.data.split(":");
    if (kind === "island") {
      open = { name: name!, at: Number(at), start: mark };
    } else if (kind === "/island" && open) {
      found.push({ ...open, end: mark });
      open = undefined;
    }
  }
  return found;
}

/**
 * A stand-in for a parent element that has only the nodes between two marks.
 * Preact takes those over instead of making new ones, so nothing flickers.
 */
function between({ start, end }: Place): Element {
  const parent = start.parentNode as Element;
  const nodes = (): ChildNode[] => {
    const list: ChildNode[] = [];
    for (
      let node = start.nextSibling;
      node && node !== end;
      node = node.nextSibling
    ) list.push(node);
    return list;
  };
  const insertBefore = (node: Node, before: Node | null) =>
    parent.insertBefore(node, before ?? end);
  return {
    nodeType: 1,
    parentNode: parent,
    namespaceURI: parent.namespaceURI,
    ownerDocument: document,
    get firstChild() {
      return nodes()[0] ?? null;
    },
    get childNodes() {
      return nodes();
    },
    contains: (node: Node | null) => parent.contains(node),
    insertBefore,
    appendChild: (node: Node) => insertBefore(node, null),
    removeChild: (node: Node) => parent.removeChild(node),
  } as unknown as Element;
}

async function boot(): Promise<void> {
  const block = document.getElementById("islands");
  if (!block) return;
  const data: PageData = JSON.parse(block.textContent!);
  await Promise.all(
    places(document.body).map(async (place) => {
      const island = data.islands[place.name]!;
      const module = await import(island.url);
      const component: ComponentType<unknown> = module[island.exportName];
      render(h(component, data.props[place.at]!), between(place));
    }),
  );
}

boot().catch((error) => console.error("Cannot start the page", error));
