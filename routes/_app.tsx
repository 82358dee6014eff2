import type { ComponentType } from "preact";
import { messages } from "../lib/ui/messages.ts";
import type { PageProps } from "../lib/web/route.ts";

/** In order: later ones build on the tokens of the first. */
const STYLES = [
  "style",
  "frame",
  "chat",
  "prose",
  "tools",
  "work",
  "composer",
  "more",
  "panel",
  "servers",
];

/** The shell of every page. Nothing inline: styles and scripts are files. */
export default function App(
  { Component, state }: PageProps & { Component: ComponentType },
) {
  const text = messages(state.lang);
  return (
    <html lang={text.htmlLang} data-theme={state.theme}>
      <head>
        <meta charset="utf-8" />
        <meta
          name="viewport"
          content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
        />
        <meta name="color-scheme" content="light dark" />
        <meta
          name="theme-color"
          media="(prefers-color-scheme: light)"
          content="#faf9f5"
        />
        <meta
          name="theme-color"
          media="(prefers-color-scheme: dark)"
          content="#15181a"
        />
        <title>
          {state.title ? `${state.title} · ${text.appName}` : text.appName}
        </title>
        <link rel="icon" type="image/svg+xml" href="/icons/favicon.svg" />
        <link rel="manifest" href="/manifest.webmanifest" />
        {STYLES.map((name) => (
          <link key={name} rel="stylesheet" href={`/${name}.css`} />
        ))}
        <noscript>
          <link rel="stylesheet" href="/noscript.css" />
        </noscript>
      </head>
      <body>
        <Component />
      </body>
    </html>
  );
}
