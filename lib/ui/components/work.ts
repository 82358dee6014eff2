/**
 * The drawings of an agent's work, fetched together (see `later.ts`).
 *
 * @module
 */
export { RunQuestion } from "./question.tsx";
export { ToolCard } from "./tool_card.tsx";
