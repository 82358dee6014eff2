/**
 * The demo model: a real OpenAI-compatible upstream inside the process
 * (decision 9).
 *
 * @module
 */
export {
  type DemoOptions,
  type DemoUpstream,
  startDemoUpstream,
} from "./server.ts";
export { type Scenario, SCENARIOS } from "./scenarios.ts";
export { FAKE_KEY, manyTokens, NASTY_TOKENS } from "./stage.ts";
