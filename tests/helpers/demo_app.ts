/**
 * The app with its shipped tools and the demo model, at one moment and without
 * the demo's typing pauses.
 */
import { startDemoUpstream } from "../../lib/models/demo/mod.ts";
import { type App, startApp } from "./app.ts";

/** Wednesday 2026-03-18, 14:00 in Shanghai. */
const NOW = new Date("2026-03-18T06:00:00Z");

export const BUS_QUESTION =
  "When is the next bus from the railway station to the university?";
/** What is said in answer to {@linkcode BUS_QUESTION}. */
export const BUS_ANSWER =
  /Railway Station → University.*The next one:.*14:\d\d/s;

export async function startDemoApp(): Promise<App> {
  const data = await Deno.makeTempDir();
  const demo = await startDemoUpstream({
    tokensPerSecond: Infinity,
    now: () => NOW,
  });
  const end = async () => {
    await demo.close();
    await Deno.remove(data, { recursive: true });
  };
  try {
    const app = await startApp({
      tools: undefined,
      now: () => NOW,
      env: {
        TICKERTAPE_DATA: data,
        OPENAI_BASE_URL: demo.baseUrl,
        OPENAI_API_KEY: demo.apiKey,
        OPENAI_MODEL: demo.model,
      },
    });
    return {
      ...app,
      async [Symbol.asyncDispose]() {
        await app[Symbol.asyncDispose]();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}
