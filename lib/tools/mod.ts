/**
 * The tools that ship with the house. A new tool is one file and one line here.
 *
 * @module
 */
import type { Tool } from "../agent/contracts.ts";
import { busSchedule } from "./bus_schedule.ts";
import { calculator } from "./calculator.ts";
import { currentTime } from "./current_time.ts";
import { TimetableKeeper } from "./gtfs/keeper.ts";
import { readWebPage } from "./read_web_page.ts";
import { systemNetwork } from "./web/network.ts";

export interface ToolsOptions {
  /** GTFS_FEED: file, folder or http(s) address; null or absent for the sample. */
  gtfsFeed?: string | null;
  /** Where downloads and imported feeds are kept; made when needed. */
  cacheDir: string;
  /** TICKERTAPE_WEB_READER: which hosts may be read, null is any; absent: off. */
  webReader?: { allow: string[] | null } | null;
  /** A line for the log about a feed that is broken or incomplete. */
  warn?: (message: string) => void;
}

/** Tools and what they hold open. */
export interface Tools {
  tools: Tool[];
  close(): Promise<void>;
}

/**
 * Makes the tools. The bus feed is opened in the background: a broken one never
 * stops the app, it is logged and told to whoever asks for a bus.
 */
export function createTools(
  { gtfsFeed, cacheDir, webReader, warn = () => {} }: ToolsOptions,
): Tools {
  const feed = gtfsFeed?.trim() || null;
  const keeper = new TimetableKeeper({ feed, cacheDir, warn });
  const tools: Tool[] = [
    busSchedule((context) => keeper.get(context)) as Tool,
    currentTime as Tool,
    calculator as Tool,
  ];
  if (webReader) {
    const { allow } = webReader;
    tools.push(readWebPage({ allow, network: systemNetwork }) as Tool);
  }
  return { tools, close: () => keeper.close() };
}
