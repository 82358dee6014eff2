/**
 * Draws a page: the route's component first, then `_app` around it, as Fresh
 * does; islands are marked on the way and their data appended to the body.
 *
 * @module
 */
import { type ComponentType, h, type VNode } from "preact";
import { jsxTemplate } from "preact/jsx-runtime";
import { renderToString } from "preact-render-to-string";
import { collectIslands, type Islands, jsonForHtml } from "./islands.ts";

/** What page components are given; `Component` is for `_app`. */
export type PageProps = Record<string, unknown>;

/** A page component may be asynchronous, and may answer a response instead. */
// deno-lint-ignore no-explicit-any
export type PageComponent = (props: any) => unknown;

export interface RenderOptions {
  page: PageComponent | undefined;
  app: PageComponent | undefined;
  props: PageProps;
  islands: Islands;
  /** Address of the module that starts a page in the browser. */
  client: string;
  /** Gives a path of `static/` its cacheable address. */
  version: (path: string) => string;
}

/** The HTML of a page and the modules it will need, or a component's own response. */
export async function renderPage(
  options: RenderOptions,
): Promise<Response | { html: string; modules: string[] }> {
  const { page, app, props } = options;
  const node = page ? await nodeOf(page, props) : null;
  if (node instanceof Response) return node;

  let inner = "";
  const frame = app
    ? await nodeOf(app, { ...props, Component: () => jsxTemplate([inner]) })
    : null;
  if (frame instanceof Response) return frame;

  const { result, use } = collectIslands(
    options.islands,
    options.version,
    () => {
      inner = renderToString(node ?? h("div", null));
      return frame ? renderToString(frame) : bare(inner);
    },
  );
  if (use.props.length === 0) {
    return { html: `<!DOCTYPE html>${result}`, modules: [] };
  }
  const islands = Object.fromEntries(
    [...use.islands].map(([name, { url, exportName }]) => [
      name,
      { url, exportName },
    ]),
  );
  const tail =
    `<script type="application/json" id="islands">${
      jsonForHtml({ islands, props: use.props })
    }</script>` +
    `<script type="module" src="${options.client}"></script>`;
  const end = result.lastIndexOf("</body>");
  const html = end < 0
    ? result + tail
    : result.slice(0, end) + tail + result.slice(end);
  const modules = [...use.islands.values()].map((island) => island.url);
  return {
    html: `<!DOCTYPE html>${html}`,
    modules: [options.client, ...new Set(modules)],
  };
}

async function nodeOf(
  component: PageComponent,
  props: PageProps,
): Promise<VNode | Response> {
  if (component.constructor.name === "AsyncFunction") {
    return await component(props) as VNode | Response;
  }
  return h(component as ComponentType<PageProps>, props);
}

function bare(inner: string): string {
  return `<html><head><meta charset="utf-8"></head><body>${inner}</body></html>`;
}
